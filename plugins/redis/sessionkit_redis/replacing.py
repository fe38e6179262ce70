"""Histories too long for one call: a new one is collected beside the old one, and takes its place in one step.

An old one that is long gets another name in that step, and is removed after it.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from sessionkit_redis.failures import FAILURES
from sessionkit_redis.keyspace import SessionKeys
from sessionkit_redis.pieces import PIECE_BYTES, PIECE_MESSAGES

_REMOVED: Final = 1000
_EXPIRY_MS: Final = 600_000


@attrs.frozen
class Staging:
    """Collects histories in lists that go by themselves when nobody comes back for them."""

    client: Any

    def collect(self, keys: SessionKeys, records: Sequence[bytes]) -> bytes:
        """Put messages into a new list. A second attempt uses another one: what the first left is not known."""
        staged = keys.staging(os.urandom(8).hex())
        for chunk in chunks(records):
            pipeline = self.client.pipeline(transaction=False)
            pipeline.execute_command("RPUSH", staged, *chunk)
            pipeline.execute_command("PEXPIRE", staged, _EXPIRY_MS)
            pipeline.execute()
        return staged

    def remove(self, name: bytes, count: int) -> None:
        """Remove a list of ``count`` messages, in pieces. What a failure leaves of it goes by itself."""
        with contextlib.suppress(*FAILURES):
            for _ in range(0, count, _REMOVED):
                self.client.execute_command("LTRIM", name, _REMOVED, -1)


def is_long(records: Sequence[bytes]) -> bool:
    """Whether a history is better not sent in one call."""
    return len(records) > PIECE_MESSAGES or sum(map(len, records)) > PIECE_BYTES


def chunks(records: Sequence[bytes]) -> Iterator[list[bytes]]:
    """Messages in calls that nobody has to wait for long."""
    chunk: list[bytes] = []
    size = 0
    for record in records:
        if chunk and (len(chunk) == PIECE_MESSAGES or size + len(record) > PIECE_BYTES):
            yield chunk
            chunk, size = [], 0
        chunk.append(record)
        size += len(record)
    if chunk:
        yield chunk
