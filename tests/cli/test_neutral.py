"""What is stored was written by strangers: nothing in it may steer a terminal."""

from __future__ import annotations

import json
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit.cli.neutral import visible, visible_json, visible_lines

from .hostile import FORBIDDEN, HOSTILE, MARKUP

any_text = st.text(st.characters(codec=None) | st.sampled_from(sorted(FORBIDDEN)))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_characters_that_steer_are_escaped(text: str) -> None:
    assert not FORBIDDEN & set(visible(text))
    assert all(repr(character)[1:-1] in visible(text) for character in FORBIDDEN & set(text))


@given(any_text)
def test_only_visible_characters_joiners_and_spaces_are_left(text: str) -> None:
    kinds = {unicodedata.category(character) for character in visible(text) if character not in "\u200c\u200d"}
    assert not kinds & {"Cc", "Cf", "Cs", "Cn", "Zl", "Zp"}


@given(any_text)
def test_lines_are_harmless_and_one_for_each_newline(text: str) -> None:
    lines = visible_lines(text)
    assert len(lines) == text.count("\n") + 1
    assert all(visible(line) == line for line in lines)


@given(any_text)
def test_json_is_harmless_and_means_the_same(text: str) -> None:
    shown = visible_json({text: [text]})
    assert json.loads(shown) == {text: [text]}
    assert visible(shown) == shown


@pytest.mark.parametrize("text", ["plain", "é 日本語 العربية", "👩‍👩‍👧", "نمی‌خواهم", "a\u00a0b", MARKUP, r"C:\new"])
def test_ordinary_text_is_left_as_it_is(text: str) -> None:
    assert visible(text) == text
    assert visible_lines(text) == [text]
