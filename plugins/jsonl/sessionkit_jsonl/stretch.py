"""What a run of lines holds."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import msgspec
from msgspec import Struct, field

PADDING: Final = b"\0 \t\r"
"""What may stand at the ends of a line without being part of it: a lost block reads as NULs."""

STRIDE: Final = 16 * 1024
"""The distance between two places where reading may begin, in bytes, at least."""


class Last(msgspec.Struct, frozen=True):  # one is made for each append: this is the quickest kind of value
    """Where the last message of a stretch ends (before its newline), and the checksum of its bytes."""

    end: int
    checksum: int


class Point(NamedTuple):
    """A place where reading may begin.

    Attributes:
        position: where its line begins.
        lines: how many counted lines stand before it; values: how many messages.
        inside: whether it may be inside a whole batch.
    """

    position: int
    lines: int
    values: int
    inside: bool


class Stretch(Struct, frozen=True):
    """What a run of lines holds.

    Attributes:
        size: its length in bytes.
        lines: how many counted lines it has.
        count: how many messages it has.
        values: they, decoded; empty when they were only counted.
        last: the last of them, counted from where the run begins; None when there is none.
        dead: how many of its lines are dead.
        waste: how many of its bytes stand in lines without message.
        points: places inside of it where reading may begin.
        wanted: how many bytes are needed to see the batch that it would begin with; 0 when that is not known.
        orphaned: whether all of it belongs to a batch that began before it.
    """

    size: int = 0
    lines: int = 0
    count: int = 0
    values: list[dict[str, Any]] = field(default_factory=list)
    last: Last | None = None
    dead: int = 0
    waste: int = 0
    points: tuple[Point, ...] = ()
    orphaned: bool = False
    wanted: int = 0
