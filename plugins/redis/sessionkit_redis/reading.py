"""Reading: one call for a stretch of a history, several for a long one."""

from __future__ import annotations

from typing import Any, Final, Literal

import attrs
import msgspec

from sessionkit.codec import decode
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT
from sessionkit_redis.keyspace import Keyspace
from sessionkit_redis.scripts import READ

CHUNK: Final = 500
"""How many messages one call reads: others wait for the server meanwhile."""

_ATTEMPTS: Final = 5
_ALL: Final = 2**53
_decoder: Final = msgspec.json.Decoder()


@attrs.frozen
class Snapshot:
    """A state of a session, with a stretch of its messages.

    Attributes:
        fields: summary, created, updated, metadata, aliases, as they are stored; None where they were never set.
    """

    version: str = ABSENT
    generation: str = ""
    total: int = 0
    start: int = 0
    messages: list[Message] = attrs.Factory(list)
    fields: list[bytes | None] = attrs.field(factory=lambda: [None] * 5)


@attrs.frozen
class Reader:
    """Reads sessions."""

    client: Any
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
        snapshot = self._call(key, start, min(wanted, chunk), fields="1" if fields else "0")
        wanted = min(wanted, snapshot.total - snapshot.start)
        while len(snapshot.messages) < wanted:
            position = snapshot.start + len(snapshot.messages)
            more = self._call(key, position, min(wanted - len(snapshot.messages), chunk), fields="0")
            if more.generation != snapshot.generation or not more.messages:
                return None
            snapshot.messages.extend(more.messages)
        return snapshot

    def _call(self, key: str, start: int, limit: int, *, fields: Literal["0", "1"]) -> Snapshot:
        keys = self.keyspace.session(key)
        answer = READ.run(self.client, [keys.data, keys.messages], [start, limit, fields])
        if answer[0] is None:
            return Snapshot()
        if len(answer) == 1:
            raise damaged(key)
        version, generation, total, first, messages, more = answer
        return Snapshot(
            version.decode(), generation.decode(), total, first, _messages(key, messages), more or [None] * 5
        )


def damaged(key: str) -> CorruptSessionError:
    """The error for a session of which the server lost a part."""
    return CorruptSessionError(
        f"session {key!r}: the server has lost messages of it; an eviction policy other than noeviction may have "
        "removed them. Restore a backup, or delete the session"
    )


def _messages(key: str, values: list[bytes]) -> list[Message]:
    try:
        decoded = [_decoder.decode(value) for value in values]
    except msgspec.DecodeError:
        decoded = [_tolerant(key, value) for value in values]
    if not all(type(value) is dict for value in decoded):
        raise CorruptSessionError(f"session {key!r}: a stored message is no JSON object")
    return [Message.adopt(value) for value in decoded]


def _tolerant(key: str, value: bytes) -> Any:
    """What the core's decoder accepts beyond the fast one, such as lone surrogates."""
    try:
        return decode(value)
    except DecodeError as error:
        raise CorruptSessionError(f"session {key!r}: a stored message cannot be read: {error}") from error
