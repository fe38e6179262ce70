"""JSON values out of a file, one at a time: of JSON Lines, of one document, or the elements of an array.

Only one value is in memory, however long the file is: an array is taken apart where its commas stand. A single
object that spreads over several lines is read as a whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Generator, Iterable, Iterator
from itertools import chain
from typing import Any, TypeAlias

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPEN_ENDS = (b"{", b"[", b",", b":")
_TOKEN = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[][{},"]')  # the last: a quote that the line does not close

_Numbered: TypeAlias = "tuple[int, bytes]"


@attrs.frozen
class Value:
    """A value with its place.

    Attributes:
        data: the value.
        line: the line on which it begins, counted from 1.
        item: its position in an array, counted from 1; None outside of one.
    """

    data: Any
    line: int
    item: int | None = None


@attrs.frozen
class Damage:
    """A place where no value can be read, and why. Nothing of what stands there is quoted."""

    reason: str
    line: int
    item: int | None = None


def read_values(lines: Iterable[bytes]) -> Iterator[Value | Damage]:
    """Read the values of a file. An array's elements are given one by one; blank lines are passed over.

    After a line that is damaged the next one is read. What follows the first damage in an array is not:
    nobody could tell any more what is a value and what stands in a string.

    Args:
        lines: of the file, such as a file opened in binary mode.

    >>> [value.data for value in read_values([b'[{"a": 1},', b' {"b": 2}]'])]
    [{'a': 1}, {'b': 2}]
    """
    numbered = ((number, line) for number, line in enumerate(_without_mark(lines), start=1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    if first[1].lstrip().startswith(b"["):
        closed = yield from _Array(chain([first], numbered)).elements()
        if not closed:
            return
    elif _begins_a_document(first[1]):
        yield from _read_whole([first, *numbered])
        return
    else:
        yield from _read_line(*first)
    for number, line in numbered:
        yield from _read_line(number, line)


def _without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        yield line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line


def _begins_a_document(line: bytes) -> bool:
    """Whether a file's first line is the beginning of a longer JSON value, rather than one that is damaged."""
    try:
        codec.decode(line)
    except DecodeError:
        return line.strip().endswith(_OPEN_ENDS)
    return False


def _read_whole(numbered: list[_Numbered]) -> Iterator[Value | Damage]:
    data = b"".join(line if line.endswith(b"\n") else line + b"\n" for _, line in numbered)
    try:
        yield Value(codec.decode(data), numbered[0][0])
    except DecodeError as error:
        line = numbered[min(_failing_line(data), len(numbered)) - 1][0]
        yield Damage(f"the document is not JSON ({error})", line)


def _failing_line(data: bytes) -> int:
    """The line, counted from 1, at which the standard library gives up; msgspec does not tell."""
    try:
        json.loads(data)
    except json.JSONDecodeError as error:
        return error.lineno
    except UnicodeDecodeError as error:
        return data.count(b"\n", 0, error.start) + 1
    except RecursionError:
        return 1
    return 1


def _read_line(number: int, line: bytes) -> Iterator[Value | Damage]:
    try:
        value = codec.decode(line)
    except DecodeError as error:
        yield Damage(f"the line is not JSON ({error})", number)
        return
    if not isinstance(value, list):
        yield Value(value, number)
        return
    for item, element in enumerate(value, start=1):
        yield Value(element, number, item)


class _Array:
    """An array that is taken apart while it is read."""

    def __init__(self, numbered: Iterator[_Numbered]) -> None:
        self._numbered = numbered
        self._number, self._line = next(numbered)
        self._position = self._line.index(b"[") + 1
        self._pieces: list[_Numbered] = []  # of the present element, with their lines
        self._item = 1

    def elements(self) -> Generator[Value | Damage, None, bool]:
        """The elements, up to the end of the array or the first damage. Returns whether the end was reached."""
        while True:
            end = self._find_end()
            if end is None:
                yield self._damage("the array has no end: the file is torn, or a string in it is")
                return False
            closing = end == b"]"
            if not (closing and self._item == 1 and not self._pieces):
                element = self._decode()
                yield element
                if isinstance(element, Damage):
                    return False
            if closing:
                break
            self._pieces.clear()
            self._item += 1
        if self._line[self._position :].strip():
            yield Damage("something stands behind the end of the array", self._number)
        return True

    def _find_end(self) -> bytes | None:
        """Collect the pieces of an element up to the comma or bracket behind it; None when there is none."""
        depth = 0
        while True:
            start = self._position
            while (token := _TOKEN.search(self._line, self._position)) is not None:
                kind = token[0]
                if kind == b'"':
                    self._collect(start, token.start())
                    return None
                self._position = token.end()
                if kind in b"{[":
                    depth += 1
                elif depth and kind in b"}]":
                    depth -= 1
                elif not depth and kind in b",]}":
                    self._collect(start, token.start())
                    return kind if kind != b"}" else None
            self._collect(start, len(self._line))
            following = next(self._numbered, None)
            if following is None:
                return None
            self._number, self._line = following
            self._position = 0

    def _collect(self, start: int, end: int) -> None:
        piece = self._line[start:end]
        if self._pieces or piece.strip():
            self._pieces.append((self._number, piece))

    def _decode(self) -> Value | Damage:
        if not self._pieces:
            return self._damage("an element of the array is missing")
        data = b"".join(piece if piece.endswith(b"\n") else piece + b"\n" for _, piece in self._pieces)
        try:
            return Value(codec.decode(data), self._pieces[0][0], self._item)
        except DecodeError as error:
            failing = min(_failing_line(data), len(self._pieces)) - 1
            return self._damage(f"the element is not JSON ({error})", self._pieces[failing][0])

    def _damage(self, reason: str, line: int | None = None) -> Damage:
        return Damage(f"{reason}; what follows it was not read", line or self._number, self._item)
