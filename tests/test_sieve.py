"""The sieve never says no wrongly."""

from __future__ import annotations

import json
import re
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import codec
from sessionkit.sieve import literal_pieces, sieve_for

CHARACTERS = st.sampled_from('aAbksKiIS"\\/\n\t {}:é\u212a\u017f\u0130ß\ud83d😀\ufffd日e0u1')
TEXTS = st.text(CHARACTERS, max_size=8)


@given(TEXTS, TEXTS, TEXTS.filter(bool), st.booleans())
def test_json_that_holds_a_text_passes_however_it_is_written(
    before: str, after: str, needle: str, ignore_case: bool
) -> None:
    sieve = sieve_for([needle], ignore_case=ignore_case)
    if sieve is None:
        return
    for written in (needle, needle.upper(), needle.lower(), needle.swapcase()):
        value = {"content": codec.plain_text(before + written + after)}
        found = re.search(re.escape(needle), value["content"], re.IGNORECASE if ignore_case else 0)
        encodings = [codec.encode(value), json.dumps(value).encode(), json.dumps(value).replace("/", "\\/").encode()]
        encodings.append(('{"content":"' + _all_escaped(value["content"]) + '"}').encode())
        assert found is None or all(map(sieve.passes, encodings))


def _all_escaped(text: str) -> str:
    units = text.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex().upper()}" for at in range(0, len(units), 2))


def test_only_three_letters_are_equal_to_more_than_their_own_two_cases() -> None:
    others = "".join(map(chr, range(0x80, sys.maxunicode + 1)))
    folded = {letter for letter in map(chr, range(0x20, 0x7F)) if re.search(re.escape(letter), others, re.IGNORECASE)}
    assert folded == set("iksIKS")


@given(st.from_regex(r"[ab.]{1,3}[*?+]?[ab^$]{0,3}", fullmatch=True), st.text("ab\n", max_size=6))
def test_the_pieces_of_an_expression_stand_in_what_it_matches(pattern: str, text: str) -> None:
    if re.search(pattern, text):
        assert all(piece in text for piece in literal_pieces(pattern))


@pytest.mark.parametrize("pattern", ["a|b", "(?i)a", "[ab]", r"\d", "a{0}b", "", ".*"])
def test_an_expression_that_is_hard_to_tell_has_no_pieces(pattern: str) -> None:
    assert literal_pieces(pattern) == []


@pytest.mark.parametrize("text", ['"', "\n", "\ufffd"])
def test_a_text_that_json_may_write_in_many_ways_has_no_sieve(text: str) -> None:
    assert sieve_for([text]) is None
