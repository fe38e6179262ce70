"""Reading conversations from a file, one at a time, and saying exactly where one cannot be read."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Any

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidKeyError, InvalidMessageError
from sessionkit.transfer.documents import EXPECTED, SessionDocument

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_OPEN_ENDS = (b"{", b"[", b",", b":")


@attrs.frozen(kw_only=True)
class Unreadable:
    """A conversation that was not imported, and why.

    Attributes:
        source: the file's name.
        line: the line in it, counted from 1.
        item: the position in an array, counted from 1; None outside of one.
        key: the session, when that much could be read.
        reason: what is wrong and what is expected. Contents of conversations are not quoted.
    """

    source: str
    line: int
    item: int | None = None
    key: str | None = None
    reason: str

    def __str__(self) -> str:
        item = "" if self.item is None else f", item {self.item}"
        key = "" if self.key is None else f": session {self.key!r}"
        return f"{self.source}, line {self.line}{item}{key}: {self.reason}"


@attrs.frozen(kw_only=True)
class Placed:
    """A conversation with the place where it stands; the fields are those of :class:`Unreadable`."""

    document: SessionDocument
    source: str
    line: int
    item: int | None = None

    def refused(self, reason: str) -> Unreadable:
        """The same place, as one that was not imported."""
        return Unreadable(source=self.source, line=self.line, item=self.item, key=self.document.key, reason=reason)


def read_documents(lines: Iterable[bytes], source: str) -> Iterator[Placed | Unreadable]:
    """Read JSON Lines (a conversation a line), or one JSON document (a conversation, or an array of them).

    JSON Lines are read line by line: only one conversation is in memory. A document that spreads over several
    lines is read as a whole. Blank lines are passed over. What cannot be read is told in its place, and the
    reading goes on.

    Args:
        lines: of the file, such as a file opened in binary mode.
        source: the file's name, for errors.

    >>> print(*read_documents([b'{"id": "a", "messages": 5}'], "old.jsonl"))
    old.jsonl, line 1: session 'a': "messages" is a number; it is an array of message objects
    """
    numbered = ((number, line) for number, line in enumerate(_without_mark(lines), start=1) if line.strip())
    first = next(numbered, None)
    if first is None:
        return
    if _begins_a_document(first[1]):
        yield from _read_whole(first, numbered, source)
        return
    for number, line in chain([first], numbered):
        yield from _read_line(line, source, number)


def _without_mark(lines: Iterable[bytes]) -> Iterator[bytes]:
    for number, line in enumerate(lines):
        yield line.removeprefix(_BYTE_ORDER_MARK) if number == 0 else line


def _begins_a_document(line: bytes) -> bool:
    """Whether a file's first line is the beginning of a longer JSON value, rather than one that is damaged."""
    try:
        codec.decode(line)
    except DecodeError:
        stripped = line.strip()
        return stripped.startswith(b"[") or stripped.endswith(_OPEN_ENDS)
    return False


def _read_whole(
    first: tuple[int, bytes], following: Iterable[tuple[int, bytes]], source: str
) -> Iterator[Placed | Unreadable]:
    numbers, lines = zip(first, *following, strict=True)
    data = b"".join(line if line.endswith(b"\n") else line + b"\n" for line in lines)
    try:
        value = codec.decode(data)
    except DecodeError as error:
        line = numbers[min(_failing_line(data), len(numbers)) - 1]
        yield Unreadable(source=source, line=line, reason=f"the document is not JSON ({error}); {EXPECTED}")
        return
    yield from _read_value(value, source, first[0])


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


def _read_line(line: bytes, source: str, number: int) -> Iterator[Placed | Unreadable]:
    try:
        value = codec.decode(line)
    except DecodeError as error:
        yield Unreadable(source=source, line=number, reason=f"the line is not JSON ({error}); {EXPECTED}")
        return
    yield from _read_value(value, source, number)


def _read_value(value: Any, source: str, line: int) -> Iterator[Placed | Unreadable]:
    if not isinstance(value, list):
        yield _read_conversation(value, source, line, None)
        return
    for item, conversation in enumerate(value, start=1):
        yield _read_conversation(conversation, source, line, item)


def _read_conversation(value: Any, source: str, line: int, item: int | None) -> Placed | Unreadable:
    try:
        return Placed(document=SessionDocument.from_dict(value), source=source, line=line, item=item)
    except (InvalidKeyError, InvalidMessageError) as error:
        return Unreadable(source=source, line=line, item=item, key=_shown_key(value), reason=str(error))


def _shown_key(value: Any) -> str | None:
    key = (value.get("key") or value.get("id")) if isinstance(value, dict) else None
    return key[:200] if isinstance(key, str) else None
