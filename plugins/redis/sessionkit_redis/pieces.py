"""How much of a history one call carries: while the server is at it, all others wait."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

PIECE_MESSAGES: Final = 250
"""How many messages at most."""

PIECE_BYTES: Final = 512 * 1024
"""How many bytes of JSON, about; one message may be larger."""

FIRST_MESSAGES: Final = 100
"""How many messages are read before anything is known of their size: nearly all conversations, in one round trip."""

_GROWTH: Final = 4


def next_piece(came: Sequence[bytes]) -> int:
    """How many messages to read after some that came: as many as are half a MiB when they are like those.

    They may be larger, so there are at most four times as many.

    >>> next_piece([b"x" * 300] * 100), next_piece([b"x" * 4000] * 100), next_piece([b"x" * 1_000_000])
    (250, 131, 1)
    """
    size = max(sum(map(len, came)), 1)
    return max(min(_GROWTH * len(came), PIECE_BYTES * len(came) // size, PIECE_MESSAGES), 1)
