"""From the bytes of a data file to messages: what each line holds, whatever happened to it.

Good lines are decoded in bulk. Anything else takes the exact way, line by line: marks, batches, filler, and damage,
which is passed over and counted, never raised.
"""

from __future__ import annotations

import json
import re
import zlib
from typing import Any, Final, TypeAlias

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit_jsonl import marks

Record: TypeAlias = tuple[bytes, dict[str, Any]]
"""A message as bytes, without mark, and decoded."""

_PADDING: Final = b"\0 \t\r"
"""What may stand at the ends of a line without being part of it: a lost block reads as NULs."""

_CANDIDATE = re.compile(r'\{[ \t]*"')
_scan = json.JSONDecoder().raw_decode


@attrs.frozen
class Line:
    """One line of a data file.

    Attributes:
        start: where it begins in the buffer.
        end: where the next one begins (or where the buffer ends, for a line without newline).
        text_end: where its text ends, before the newline.
        counted: whether picoclaw's ``skip`` counts it: it does unless the line is blank.
        dead: whether something stands in it that holds no message and is no filler, and that is complete.
        records: its messages: one as a rule; several when a newline was lost.
    """

    start: int
    end: int
    text_end: int
    counted: bool
    dead: bool
    records: tuple[Record, ...]


@attrs.frozen
class Last:
    """Where the last message of a stretch ends (before its newline), and the checksum of its bytes."""

    end: int
    checksum: int


@attrs.frozen
class Stretch:
    """What a run of lines holds.

    Attributes:
        size: its length in bytes.
        lines: how many counted lines it has.
        values: its messages, decoded.
        last: the last of them, counted from where the run begins; None when there is none.
        dead: how many of its lines are dead.
        waste: how many of its bytes stand in lines without message.
    """

    size: int = 0
    lines: int = 0
    values: list[dict[str, Any]] = attrs.Factory(list)
    last: Last | None = None
    dead: int = 0
    waste: int = 0


def parse(buffer: bytes, *, final: bool, orphans: bool = False) -> tuple[Stretch, Stretch]:
    """Take a buffer apart that begins where a line begins.

    Args:
        buffer: bytes of a data file.
        final: whether the file ends where it ends.
        orphans: whether it may begin inside a batch whose first line is not to be read any more.

    Returns:
        What is settled, and (of a final buffer) the rest: what the next append may change the meaning of. That is
        a line without newline, a batch that is not complete, and dead lines at the end of the file.
    """
    regular = None if marks.PREFIX in buffer else _parse_regular(buffer)
    if regular is not None and (not final or regular.size == len(buffer)):
        return regular, Stretch()
    lines, settled = split(buffer, orphans=orphans, final=final)
    if not final:
        return _gather(lines[:settled]), Stretch()
    while settled and lines[settled - 1].dead:
        settled -= 1
    return _gather(lines[:settled]), _gather(lines[settled:])


def _parse_regular(buffer: bytes) -> Stretch | None:
    """Decode in bulk, when every line up to the last newline is one unmarked object and nothing else."""
    size = buffer.rfind(b"\n") + 1
    body = buffer[:size]
    lines = body.count(b"\n")
    if not lines or body[:1] != b"{" or body.count(b"\n{") != lines - 1:
        return None
    try:
        values = codec.decode_lines(body)
    except DecodeError:
        return None
    if len(values) != lines or set(map(type, values)) != {dict}:
        return None
    last = body[body.rfind(b"\n", 0, size - 1) + 1 : size - 1].strip(_PADDING)
    return Stretch(size=size, lines=lines, values=values, last=Last(size - 1, zlib.crc32(last)))


def _gather(lines: list[Line]) -> Stretch:
    if not lines:
        return Stretch()
    last = next((line for line in reversed(lines) if line.records), None)
    return Stretch(
        size=lines[-1].end - lines[0].start,
        lines=sum(line.counted for line in lines),
        values=[value for line in lines for _, value in line.records],
        last=None if last is None else Last(last.text_end - lines[0].start, zlib.crc32(last.records[-1][0])),
        dead=sum(line.dead for line in lines),
        waste=sum(line.end - line.start for line in lines if not line.records),
    )


def split(buffer: bytes, *, final: bool, orphans: bool = False) -> tuple[list[Line], int]:
    """The lines of a buffer, and how many of them are complete: they end in a newline, and so does their batch."""
    texts = buffer.split(b"\n")
    tail = texts.pop()
    lines: list[Line] = []
    index = position = 0
    while index < len(texts):
        mark = marks.read_mark(texts[index])
        if mark is None or mark.batch is None:
            orphans = False
            group: list[Line] | None = [_line(texts[index], position, mark)]
        elif mark.lines:
            orphans = False
            group = _batch(texts[index : index + mark.lines], position, mark)
        else:
            group = [_line(texts[index], position, mark) if orphans else _dead(texts[index], position)]
        if group is None:
            break
        lines += group
        index += len(group)
        position = lines[-1].end
    complete = 0 if orphans and not final else len(lines)
    for text in texts[index:]:
        lines.append(Line(position, position + len(text) + 1, position + len(text), True, False, ()))
        position = lines[-1].end
    if tail:
        lines.append(_tail(tail, position, in_batch=index < len(texts)))
    return lines, complete


def _line(text: bytes, start: int, mark: marks.Mark | None) -> Line:
    records = records_of(text, mark)
    counted = text not in (b"", b"\r")
    dead = counted and not records and not marks.is_filler(text)
    return Line(start, start + len(text) + 1, start + len(text), counted, dead, records)


def _dead(text: bytes, start: int) -> Line:
    """A line of a batch that is not whole. What another program glued to it is a message all the same."""
    records = _salvage(text)
    return Line(start, start + len(text) + 1, start + len(text), True, not records, records)


def _tail(text: bytes, start: int, *, in_batch: bool) -> Line:
    """The line without newline at the end: the newline may have been lost, or what stood before it too."""
    mark = marks.read_mark(text)
    if in_batch or (mark is not None and mark.batch is not None):
        return attrs.evolve(_dead(text, start), end=start + len(text), dead=False)
    return attrs.evolve(_line(text, start, mark), end=start + len(text), dead=False)


def _batch(texts: list[bytes], start: int, head: marks.Mark) -> list[Line] | None:
    """The lines of a batch, if all of it is there; what is there of it as dead lines, if it can never be complete.

    None while it may become complete.
    """
    lines: list[Line] = []
    for text in texts:
        mark = marks.read_mark(text)
        ours = mark is not None and mark.batch == head.batch and (mark.lines == 0) == bool(lines)
        value = _decode_object(marks.unmarked(text, mark).strip(_PADDING)) if ours else None
        if value is None:
            return [_dead(text, line.start) for text, line in zip(texts, lines, strict=False)] or [_dead(text, start)]
        record = (marks.unmarked(text, mark).strip(_PADDING), value)
        lines.append(Line(start, start + len(text) + 1, start + len(text), True, False, (record,)))
        start = lines[-1].end
    if len(lines) < head.lines:
        return None
    if lines[-1].end - lines[0].start != head.size:
        return [_dead(text, line.start) for text, line in zip(texts, lines, strict=True)]
    return lines


def records_of(text: bytes, mark: marks.Mark | None) -> tuple[Record, ...]:
    """The messages of a line that stands alone: one, or what can be saved when the line is damaged."""
    bare = marks.unmarked(text, mark).strip(_PADDING)
    value = _decode_object(bare)
    if value is not None:
        return ((bare, value),)
    return _salvage(text.strip(_PADDING))


def _decode_object(text: bytes) -> dict[str, Any] | None:
    """Decode one object. Bytes that are not UTF-8 read as U+FFFD, as in picoclaw."""
    if not text.startswith(b"{"):
        return None
    try:
        value = codec.decode(text)
    except DecodeError:
        readable = text.decode("utf-8", "replace")
        if "\ufffd" not in readable:
            return None
        try:
            value = codec.decode(readable)
        except DecodeError:
            return None
    return value if type(value) is dict else None


def _salvage(text: bytes) -> tuple[Record, ...]:
    """The messages in a line that is not one message: two glued together, or one glued to a torn one.

    It must not invent any. An object inside a torn message is none: one after ``[``, ``,`` or ``:`` is not taken,
    inside a string no quotation mark stands alone, and a message has a role.
    """
    readable = text.decode("utf-8", "surrogateescape")
    records: list[Record] = []
    after = 0
    for candidate in _CANDIDATE.finditer(readable):
        if candidate.start() < after or _is_nested(readable, candidate.start()):
            continue
        try:
            _, after = _scan(readable, candidate.start())
        except (ValueError, RecursionError):
            continue
        found = readable[candidate.start() : after].encode("utf-8", "surrogateescape")
        mark = marks.read_mark(found)
        bare = marks.unmarked(found, mark)
        value = _decode_object(bare)
        if value is not None and isinstance(value.get("role"), str) and (mark is None or mark.batch is None):
            records.append((bare, value))
    return tuple(records)


def _is_nested(text: str, position: int) -> bool:
    position -= 1
    while position >= 0 and text[position] in " \t\0":
        position -= 1
    return position >= 0 and text[position] in "[,:"
