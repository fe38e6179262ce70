"""A new history that is too long for one call: it is collected beside the old one, and takes its place in one step."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import Any, Final

import attrs

from sessionkit_redis.keyspace import SessionKeys
from sessionkit_redis.pieces import PIECE_BYTES, PIECE_MESSAGES

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
