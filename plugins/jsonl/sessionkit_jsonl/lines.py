"""From the bytes of a data file to messages: what each line holds, whatever happened to it.

Good lines are decoded in bulk. Anything else takes the exact way, line by line: marks, batches, filler, and damage,
which is passed over and counted, never raised.
"""

from __future__ import annotations

import json
import math
import re
import zlib
from typing import Any, NoReturn, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit_jsonl import bulk, marks
from sessionkit_jsonl.stretch import PADDING, STRIDE, Last, Point, Stretch

Record: TypeAlias = tuple[bytes, dict[str, Any]]
"""A message as bytes, without mark, and decoded."""

_CANDIDATE = re.compile(r'\{[ \t]*"')
_scan = json.JSONDecoder().raw_decode


class Line(Struct, frozen=True):
    """One line of a data file.

    Attributes:
        start: where it begins in the buffer.
        end: where the next one begins (or where the buffer ends, for a line without newline).
        text_end: where its text ends, before the newline.
        counted: whether picoclaw's ``skip`` counts it: it does unless the line is blank.
        dead: whether something stands in it that holds no message and is no filler, and that is complete.
        records: its messages: one as a rule; several when a newline was lost.
        inside: whether it belongs to a whole batch that began before it.
    """

    start: int
    end: int
    text_end: int
    counted: bool
    dead: bool
    records: tuple[Record, ...]
    inside: bool = False


def parse(buffer: bytes, *, final: bool, orphans: bool = False, decode: bool = True) -> tuple[Stretch, Stretch]:
    """Take a buffer apart that begins where a line begins.

    Args:
        buffer: bytes of a data file.
        final: whether the file ends where it ends.
        orphans: whether it may begin inside a batch whose first line is not to be read any more.
        decode: whether the messages are wanted; otherwise they are only counted, where that is quicker.

    Returns:
        What is settled, and (of a final buffer) the rest: what the next append may change the meaning of. That is
        a line without newline, a batch that is not complete, and dead lines at the end of the file.
    """
    quick = bulk.parse(buffer, orphans=orphans, decode=decode, points=final)
    if quick is not None and (not final or quick.size == len(buffer)):
        return quick, Stretch()
    lines, settled = split(buffer, orphans=orphans)
    if not final:
        return _gather(lines[:settled]), Stretch()
    while settled and lines[settled - 1].dead:
        settled -= 1
    return _gather(lines[:settled]), _gather(lines[settled:])


def _gather(lines: list[Line]) -> Stretch:
    if not lines:
        return Stretch()
    last = next((line for line in reversed(lines) if line.records), None)
    values = [value for line in lines for _, value in line.records]
    return Stretch(
        size=lines[-1].end - lines[0].start,
        lines=sum(line.counted for line in lines),
        count=len(values),
        values=values,
        last=None if last is None else Last(last.text_end - lines[0].start, zlib.crc32(last.records[-1][0])),
        dead=sum(line.dead for line in lines),
        waste=sum(line.end - line.start for line in lines if not line.records),
        points=_points(lines),
        orphaned=all(line.inside for line in lines) and lines[0].start == 0,
    )


def _points(lines: list[Line]) -> tuple[Point, ...]:
    points: list[Point] = []
    counted = values = after = 0
    for line in lines:
        position = line.start - lines[0].start
        if line.records and position - after >= STRIDE:
            after = position
            points.append(Point(position, counted, values, line.inside))
        counted += line.counted
        values += len(line.records)
    return tuple(points)


def split(buffer: bytes, *, orphans: bool = False) -> tuple[list[Line], int]:
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
            group = [_follower(texts[index], position, mark) if orphans else _dead(texts[index], position)]
        if group is None:
            break
        lines += group
        index += len(group)
        position = lines[-1].end
    complete = len(lines)
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


def _follower(text: bytes, start: int, mark: marks.Mark) -> Line:
    return replace(_line(text, start, mark), inside=True)


def _dead(text: bytes, start: int) -> Line:
    """A line of a batch that is not whole. What another program glued to it is a message all the same."""
    records = _salvage(text)
    return Line(start, start + len(text) + 1, start + len(text), True, not records, records)


def _tail(text: bytes, start: int, *, in_batch: bool) -> Line:
    """The line without newline at the end: the newline may have been lost, or what stood before it too."""
    mark = marks.read_mark(text)
    if in_batch or (mark is not None and mark.batch is not None):
        return replace(_dead(text, start), end=start + len(text), dead=False)
    return replace(_line(text, start, mark), end=start + len(text), dead=False)


def _batch(texts: list[bytes], start: int, head: marks.Mark) -> list[Line] | None:
    """The lines of a batch, if all of it is there; what is there of it as dead lines, if it can never be complete.

    None while it may become complete.
    """
    lines: list[Line] = []
    for text in texts:
        mark = marks.read_mark(text)
        ours = mark is not None and mark.batch == head.batch and (mark.lines == 0) == bool(lines)
        value = _decode_object(marks.unmarked(text, mark).strip(PADDING)) if ours else None
        if value is None:
            return [_dead(text, line.start) for text, line in zip(texts, lines, strict=False)] or [_dead(text, start)]
        record = (marks.unmarked(text, mark).strip(PADDING), value)
        inside = bool(lines)
        lines.append(Line(start, start + len(text) + 1, start + len(text), True, False, (record,), inside))
        start = lines[-1].end
    if len(lines) < head.lines:
        return None
    if lines[-1].end - lines[0].start != head.size:
        return [_dead(text, line.start) for text, line in zip(texts, lines, strict=True)]
    return lines


def records_of(text: bytes, mark: marks.Mark | None) -> tuple[Record, ...]:
    """The messages of a line that stands alone: one, or what can be saved when the line is damaged."""
    stripped = text.strip(PADDING)
    if mark is None and stripped != text:  # the line before was lost with its newline, and reads as NULs
        text, mark = stripped, marks.read_mark(stripped)
        if mark is not None and mark.batch is not None:
            return ()
    bare = marks.unmarked(text, mark).strip(PADDING)
    value = _decode_object(bare)
    if value is not None:
        return ((bare, value),)
    return _salvage(stripped)


def is_utf8(record: bytes) -> bool:
    """Whether a message can be read without replacing any of its bytes."""
    try:
        record.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def in_utf8(record: bytes) -> bytes:
    """A message as UTF-8; what is none reads as U+FFFD, as it does when the message is read."""
    return record if is_utf8(record) else codec.encode(_decode_object(record))


def _decode_object(text: bytes) -> dict[str, Any] | None:
    """Decode one object, whatever its syntax allows."""
    if not text.startswith(b"{"):
        return None
    try:
        value = codec.decode(text)
    except DecodeError:
        value = _decode_leniently(text)
    return value if type(value) is dict else None


def _decode_leniently(text: bytes) -> Any:
    """Decode what picoclaw reads all the same: bytes that are not UTF-8, as U+FFFD, and numbers that Python lacks.

    Such a number is read as its digits, in a string: the message that it stands in must not be lost for it.
    """
    try:
        return json.loads(
            text.decode("utf-8", "replace"), parse_int=_integer, parse_float=_float, parse_constant=_refuse
        )
    except (ValueError, RecursionError):
        return None


def _integer(digits: str) -> int | str:
    try:
        return int(digits)
    except ValueError:  # more digits than Python reads
        return digits


def _float(digits: str) -> float | str:
    number = float(digits)
    return digits if math.isinf(number) else number


def _refuse(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


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
