"""What a run of lines holds."""

from __future__ import annotations

from typing import Any, Final

import attrs

PADDING: Final = b"\0 \t\r"
"""What may stand at the ends of a line without being part of it: a lost block reads as NULs."""

STRIDE: Final = 16 * 1024
"""The distance between two places where reading may begin, in bytes, at least."""


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
        points: places inside a whole batch where reading may begin: position, lines and messages before it.
        orphaned: whether all of it belongs to a batch that began before it.
    """

    size: int = 0
    lines: int = 0
    values: list[dict[str, Any]] = attrs.Factory(list)
    last: Last | None = None
    dead: int = 0
    waste: int = 0
    points: tuple[tuple[int, int, int], ...] = ()
    orphaned: bool = False
