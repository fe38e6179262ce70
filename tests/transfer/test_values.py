"""Values out of a file, one at a time."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionkit.transfer.values import Damage, Value, read_values

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=5) | st.sampled_from(['"', "[,]", '\\"', "}"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)


def _read(data: bytes) -> list[Value | Damage]:
    return list(read_values(io.BytesIO(data)))


def _values(data: bytes) -> list[Any]:
    return [read.data for read in _read(data) if isinstance(read, Value)]


def _damages(data: bytes) -> list[Damage]:
    return [read for read in _read(data) if isinstance(read, Damage)]


@settings(max_examples=30)
@given(
    st.lists(JSON, max_size=4), st.sampled_from([None, 0, 2, "\t"]), st.booleans(), st.sampled_from(["", "\n", "\r\n"])
)
def test_an_array_gives_its_elements_however_it_is_laid_out(
    elements: list[Any], indent: int | str | None, ascii_only: bool, end: str
) -> None:
    data = (json.dumps(elements, indent=indent, ensure_ascii=ascii_only) + end).encode()
    assert _values(data) == elements
    assert _damages(data) == []


@settings(max_examples=30)
@given(st.lists(JSON.filter(lambda value: not isinstance(value, list)), max_size=4))
def test_lines_give_their_values(values: list[Any]) -> None:
    data = b"".join(json.dumps(value).encode() + b"\n" for value in values)
    assert _read(data) == [Value(value, number) for number, value in enumerate(values, start=1)]


@settings(max_examples=30)
@given(st.lists(JSON, min_size=1, max_size=4), st.data())
def test_a_torn_array_gives_whole_elements_only_and_tells_of_the_rest(elements: list[Any], data: st.DataObject) -> None:
    whole = json.dumps(elements, indent=1).encode()
    torn = whole[: data.draw(st.integers(1, len(whole) - 1))]
    read = _read(torn)
    values = [value.data for value in read if isinstance(value, Value)]
    assert values == elements[: len(values)]
    assert isinstance(read[-1], Damage)
    assert len(read) == len(values) + 1


def test_places_are_told() -> None:
    assert _read(b'\n[{"a": 1}, 2,\n\n 3\n]') == [Value({"a": 1}, 2, 1), Value(2, 2, 2), Value(3, 4, 3)]


def test_elements_are_read_one_at_a_time() -> None:
    taken = 0

    def lines() -> Iterator[bytes]:
        nonlocal taken
        yield b"[\n"
        while True:
            taken += 1
            yield b"{},\n"

    values = read_values(lines())
    for _ in range(5):
        next(values)
    assert taken == 5


@pytest.mark.parametrize(
    ("data", "whole", "line"),
    [
        (b"[1,\n2,\n3", 2, 3),
        (b'[1,\n"a\nb", 3]', 1, 2),
        (b"[1,\n]", 1, 2),
        (b"[1,,\n2]", 1, 1),
        (b"[,1]", 0, 1),
        (b"[1\n2]", 0, 2),
        (b"[1}", 0, 1),
        (b"[{1]\n", 0, 1),
        (b'[{"a":\ntru}, 2]', 0, 2),
    ],
)
def test_nothing_behind_the_damage_in_an_array_is_read(data: bytes, whole: int, line: int) -> None:
    read = _read(data)
    assert [isinstance(value, Damage) for value in read] == [False] * whole + [True]
    assert read[-1].line == line
    assert read[-1].item == whole + 1
    assert "not read" in str(read[-1])


def test_what_stands_in_a_damaged_string_is_never_taken_for_a_value() -> None:
    data = b'[{"text": "a\n", {"key": "forged"}, "b"},\n{"key": "forged"}]'
    assert _values(data) == []


def test_something_behind_an_array_is_told_and_the_next_lines_are_read() -> None:
    read = _read(b'[1] x\n{"a": 1}')
    assert read[0] == Value(1, 1, 1)
    assert isinstance(read[1], Damage)
    assert read[2] == Value({"a": 1}, 2)


def test_every_line_may_be_an_array() -> None:
    assert _values(b"[1, 2]\n[]\n[3]") == [1, 2, 3]
