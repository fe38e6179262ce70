"""Reading: one call for a stretch of a history, several for a long one."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final, NamedTuple

import attrs
import msgspec

from sessionkit.codec import decode
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.messages import Message
from sessionkit.operations import window
from sessionkit.sessions import ABSENT
from sessionkit_redis.commands import Commands, Step
from sessionkit_redis.keyspace import Keyspace
from sessionkit_redis.records import STORED

CHUNK: Final = 250
"""How many messages one call reads: others wait for the server meanwhile."""

_ATTEMPTS: Final = 5
_ALL: Final = 2**53
_STATE: Final = ("v", "g", "n")
_decode: Final = msgspec.json.Decoder(dict[str, Any]).decode


class Snapshot(NamedTuple):
    """A state of a session, with a stretch of its messages.

    Attributes:
        fields: the values of :data:`STORED`; None where they were never set.
    """

    version: str
    generation: str
    total: int
    start: int
    messages: list[Message]
    fields: Sequence[bytes | None]


@attrs.frozen
class Reader:
    """Reads sessions. What it reads in one call is of one moment: the server does nothing in between."""

    commands: Commands
    keyspace: Keyspace

    def read(self, key: str, start: int, limit: int | None, *, fields: bool) -> Snapshot:
        """A stretch of a session as of one moment.

        Args:
            key: the session.
            start: position of the first message; a negative one counts from the end.
            limit: how many messages; None for all that follow.
            fields: whether summary, times and so on are read too.

        Raises:
            CorruptSessionError: what is there cannot be read.
        """
        for _ in range(_ATTEMPTS):
            snapshot = self._try_to_read(key, start, limit, fields=fields, chunk=CHUNK)
            if snapshot is not None:
                return snapshot
        snapshot = self._try_to_read(key, start, limit, fields=fields, chunk=_ALL)  # others keep replacing it
        assert snapshot is not None
        return snapshot

    def _try_to_read(self, key: str, start: int, limit: int | None, *, fields: bool, chunk: int) -> Snapshot | None:
        """The same, unless the history was cut between two calls."""
        wanted = _ALL if limit is None else limit
        snapshot = self._call(key, start, min(wanted, chunk), fields=fields, chunk=chunk)
        wanted = min(wanted, snapshot.total - snapshot.start)
        while len(snapshot.messages) < wanted:
            position = snapshot.start + len(snapshot.messages)
            more = self._call(key, position, min(wanted - len(snapshot.messages), chunk), fields=False, chunk=chunk)
            if more.generation != snapshot.generation or not more.messages:
                return None
            snapshot.messages.extend(more.messages)
        return snapshot

    def _call(self, key: str, start: int, limit: int, *, fields: bool, chunk: int) -> Snapshot:
        """A piece of a session. It may be shorter than asked for, and the next one begins where it ends."""
        step = _step(self.keyspace.prefix, key, *_positions(start, limit, chunk), fields)
        state, total, values = self.commands.do(step)
        version, generation, count = state[:3]
        if version is None:
            return Snapshot(ABSENT, "", 0, 0, [], [None] * len(STORED))
        if count != b"%d" % total:
            raise damaged(key)
        first, _ = window(total, start, None)
        messages = decoded(key, values[:limit])
        return Snapshot(
            version.decode(), generation.decode(), total, first, messages, state[3:] or [None] * len(STORED)
        )


def damaged(key: str) -> CorruptSessionError:
    """The error for a session of which the server lost a part."""
    return CorruptSessionError(
        f"session {key!r}: the server has lost messages of it; an eviction policy other than noeviction may have "
        "removed them. Restore a backup, or delete the session"
    )


def _positions(start: int, limit: int, chunk: int) -> tuple[int, int]:
    """What LRANGE is asked for. More than a piece from the end is read from the beginning, when the total is known."""
    if limit == 0 or start < -chunk:
        return 1, 0
    return (start, -1) if start < 0 else (start, start + limit - 1)


@lru_cache(maxsize=1024)
def _step(prefix: str, key: str, first: int, last: int, fields: bool) -> Step:
    keys = Keyspace(prefix).session(key)
    names = (*_STATE, *STORED) if fields else _STATE
    return Step(
        keys.messages,
        (("HMGET", keys.data, *names), ("LLEN", keys.messages), ("LRANGE", keys.messages, first, last)),
    )


def decoded(key: str, values: list[bytes]) -> list[Message]:
    """Stored messages as such.

    Raises:
        CorruptSessionError: one of them is no JSON object.
    """
    try:
        return Message.adopt_all([_decode(value) for value in values])
    except msgspec.DecodeError:
        return Message.adopt_all([_tolerant(key, value) for value in values])


def _tolerant(key: str, value: bytes) -> dict[str, Any]:
    """What the core's decoder accepts beyond the fast one, such as lone surrogates."""
    try:
        message = decode(value)
    except DecodeError as error:
        raise CorruptSessionError(f"session {key!r}: a stored message cannot be read: {error}") from error
    if type(message) is not dict:
        raise CorruptSessionError(f"session {key!r}: a stored message is no JSON object")
    return message
