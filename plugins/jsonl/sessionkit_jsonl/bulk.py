"""Reading in bulk: for runs of good lines, in which nothing needs a closer look.

It takes what is regular and gives up on anything else; :mod:`sessionkit_jsonl.lines` knows how to read that. The
work is done by calls that take many lines each: a step of Python for every line costs a good part of decoding it.
"""

from __future__ import annotations

import zlib
from io import BytesIO
from itertools import accumulate, repeat
from operator import attrgetter
from typing import Any, Final

import msgspec
from msgspec import Struct

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit_jsonl import marks
from sessionkit_jsonl.stretch import PADDING, STRIDE, Last, Point, Stretch


class _Skimmed(msgspec.Struct):
    """An object of which only the field of the marks is decoded; the syntax of the rest is checked all the same."""

    mark: Any = msgspec.field(default=msgspec.UNSET, name=marks.FIELD)


_skim: Final = msgspec.json.Decoder(_Skimmed).decode
_mark_of: Final = attrgetter("mark")


def parse(buffer: bytes, *, orphans: bool = False, decode: bool = True, points: bool = False) -> Stretch | None:
    """Read the lines of a buffer up to its last newline, or up to a batch that goes on behind it.

    Args:
        buffer: bytes of a data file, from the beginning of a line.
        orphans: whether it may begin inside a batch.
        decode: whether the messages are wanted; otherwise they are only counted.
        points: whether places to begin at are wanted in a run of lines without marks too.

    Returns:
        None when some line is not one object, or some batch not whole.
    """
    size = buffer.rfind(b"\n") + 1
    body = buffer if size == len(buffer) else buffer[:size]
    read = _decoded(body) if decode else _skimmed(body)
    if read is None or not read[1]:
        return None
    values, found = read
    lines = len(found)
    followed = _Followed()
    offsets: list[int] = []
    if points or found.count(msgspec.UNSET) != lines:
        offsets = list(accumulate(map(len, BytesIO(body)), initial=0))
        if not followed.follow(body, offsets, values, found, orphans=orphans):
            return None
        lines = followed.whole
        size = offsets[lines]
        del values[lines:], offsets[lines:]
    if not lines:
        return Stretch(wanted=followed.wanted)  # a batch that is longer than the buffer
    text = body[body.rfind(b"\n", 0, size - 1) + 1 : size - 1]
    last = Last(size - 1, zlib.crc32(marks.unmarked(text, marks.read_mark(text)).strip(PADDING)))
    return Stretch(size, lines, lines, values, last, points=_points(offsets, size), orphaned=followed.orphaned == lines)


def _decoded(body: bytes) -> tuple[list[dict[str, Any]], list[Any]] | None:
    """The objects of the lines, without the fields of the marks, and those; None when some line is not one object."""
    try:
        values = codec.decode_each(BytesIO(body))
        return values, list(map(dict.pop, values, repeat(marks.FIELD), repeat(msgspec.UNSET)))
    except (DecodeError, TypeError):
        return None


def _skimmed(body: bytes) -> tuple[list[dict[str, Any]], list[Any]] | None:
    """The same without the objects."""
    try:
        return [], list(map(_mark_of, map(_skim, BytesIO(body))))
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return None


def _points(offsets: list[int], size: int) -> tuple[Point, ...]:
    """Places about a stride apart: as many lines between any two as a stride has on average."""
    if not offsets:
        return ()
    step = -(-len(offsets) * STRIDE // size)
    return tuple(
        # every batch here is whole
        [Point(offsets[line], line, line, inside=True) for line in range(step, len(offsets), step)]
    )


class _Followed(Struct):
    """What the marks of a run of lines say.

    Attributes:
        whole: up to how many lines every batch is whole.
        wanted: how many bytes are needed to see the batch that goes on behind the run; 0 when none does.
        orphaned: how many lines at the beginning belong to a batch that began before.
    """

    whole: int = 0
    wanted: int = 0
    orphaned: int = 0

    def follow(
        self, body: bytes, offsets: list[int], values: list[dict[str, Any]], found: list[Any], *, orphans: bool
    ) -> bool:
        """Follow the marks; False when some batch is not whole.

        A message may have a field of the same name, and of two the decoder takes the last. So what looks like a mark
        is looked up in the line itself, unless it is the random id of the batch that the line has to belong to.
        """
        follower: str | None = None
        end = 0
        self.whole = len(found)
        for line, mark in enumerate(found):
            if mark is msgspec.UNSET:
                if line < end:
                    return False
                continue
            if line < end and mark == follower:
                continue
            taken = marks.take_off(body[offsets[line] : offsets[line + 1] - 1])
            if taken is None or line < end:
                return False
            bare, batch, lines, size = taken
            if lines:
                if line + lines > len(found):
                    self.whole, self.wanted = line, size
                    return all(other == f"c={batch}" for other in found[line + 1 :])
                if offsets[line + lines] - offsets[line] != size:
                    return False
                follower, end = f"c={batch}", line + lines
            elif batch is not None:
                if not orphans or self.orphaned != line:
                    return False
                self.orphaned += 1
            if values:
                values[line] = codec.decode(bare)
        return True
