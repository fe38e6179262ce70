"""How much of a history one call carries: while the server is at it, all others wait."""

from __future__ import annotations

from typing import Final

PIECE_MESSAGES: Final = 250
"""How many messages at most."""

PIECE_BYTES: Final = 512 * 1024
"""How many bytes of JSON, about; one message may be larger."""

FIRST_MESSAGES: Final = 100
"""How many messages are read before anything is known of their size: nearly all conversations, in one round trip."""

_GROWTH: Final = 4


def next_piece(messages: int, size: int) -> int:
    """How many messages to read after a piece of ``messages`` that had ``size`` bytes: half a MiB, if they are alike.

    What comes may be larger than what came, so a piece has at most four times as many messages as the one before.

    >>> next_piece(100, 30_000), next_piece(100, 400_000), next_piece(100, 100_000_000)
    (250, 131, 1)
    """
    return max(min(_GROWTH * messages, PIECE_BYTES * messages // max(size, 1), PIECE_MESSAGES), 1)
