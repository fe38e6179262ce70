"""Looking for lines of a data file that are not as they should be: none is passed over, whatever can be read of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit_jsonl import bulk, marks
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.lines import Line, is_utf8, split
from sessionkit_jsonl.stretch import PADDING

TORN_TAIL: Final = "torn-tail"
MISSING_NEWLINE: Final = "missing-newline"
UNFINISHED_BATCH: Final = "unfinished-batch"
UNREADABLE_LINES: Final = "unreadable-lines"
NOT_MESSAGES: Final = "not-messages"
NUL_BYTES: Final = "nul-bytes"
GLUED_LINES: Final = "glued-lines"
BAD_UTF8: Final = "bad-utf8"
LONG_LINES: Final = "long-lines"

PICOCLAW_LINE_BYTES: Final = 10 * 1024 * 1024
"""picoclaw reads no session that has a line of this length or more."""

_BLOCK: Final = 256 * 1024


@attrs.frozen
class Unsound:
    """A line that is not as it should be.

    Attributes:
        kind: what is wrong with it, one of the names above.
        offset: where it begins in the file.
        data: the whole line, with its newline if it has one.
        messages: how many messages can be read from it.
    """

    kind: str
    offset: int
    data: bytes = attrs.field(repr=False)
    messages: int


def unsound_lines(file: OpenFile, start: int, end: int) -> Iterator[Unsound]:
    """Examine a part of a data file that begins where a line does, after what is truncated."""
    wanted = _BLOCK
    inside = start > 0
    while start < end:
        buffer = file.read(start, min(wanted, end - start))
        final = len(buffer) < wanted or start + len(buffer) == end
        quick = bulk.parse(buffer, orphans=inside)
        if quick is not None and quick.size and (not final or quick.size == len(buffer)):
            yield from _long(buffer[: quick.size], start)
            start += quick.size
            inside = inside and quick.orphaned
            wanted = _BLOCK
            continue
        lines, complete = split(buffer, orphans=inside)
        if not complete and not final:
            wanted = max(2 * wanted, 0 if quick is None else quick.wanted)
            continue
        lines = lines if final else lines[:complete]
        for number, line in enumerate(lines):
            text = buffer[line.start : line.text_end]
            kind = _kind(text, line) if number < complete else _kind_at_the_end(text, line)
            if kind is not None:
                data = buffer[line.start : min(line.end, len(buffer))]
                yield Unsound(kind, start + line.start, data, len(line.records))
        yield from _long(buffer, start)
        inside = inside and all(line.inside for line in lines)
        start += lines[-1].end
        wanted = _BLOCK


def _kind(text: bytes, line: Line) -> str | None:
    """What is wrong with a complete line; None for a sound one."""
    mark = marks.read_mark(text)
    if line.dead:
        return _kind_of_dead(text, mark)
    if not line.records:
        return None
    record = line.records[0][0]
    bare = marks.unmarked(text, mark)
    if len(line.records) > 1 or bare.strip(PADDING) != record:
        return NUL_BYTES if text.strip(PADDING) == record else GLUED_LINES
    if b"\0" in text:
        return NUL_BYTES
    return None if is_utf8(record) else BAD_UTF8


def _kind_of_dead(text: bytes, mark: marks.Mark | None) -> str:
    if mark is not None and mark.batch is not None:
        return UNFINISHED_BATCH
    stripped = text.strip(PADDING)
    if not stripped and b"\0" in text:
        return NUL_BYTES
    try:
        codec.decode(stripped)
    except DecodeError:
        return UNREADABLE_LINES
    return NOT_MESSAGES


def _kind_at_the_end(text: bytes, line: Line) -> str | None:
    """What is wrong with a line behind the last complete one: it has no newline, or its batch goes on behind it."""
    if line.end > line.text_end:
        return UNFINISHED_BATCH
    if not line.records:
        return TORN_TAIL
    return _kind(text, line) or MISSING_NEWLINE


def _long(buffer: bytes, start: int) -> Iterator[Unsound]:
    if len(buffer) < PICOCLAW_LINE_BYTES:
        return
    for text in buffer.splitlines(keepends=True):
        if len(text) >= PICOCLAW_LINE_BYTES:
            yield Unsound(LONG_LINES, start, b"", 0)
        start += len(text)
