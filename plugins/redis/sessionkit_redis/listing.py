"""Listing: the index has the sessions of a bucket in the order of their keys, and a page merges the buckets."""

from __future__ import annotations

import heapq
from typing import Any, Final

import attrs
from redis.exceptions import ResponseError

from sessionkit.errors import CorruptSessionError
from sessionkit.sessions import SessionInfo, SessionPage
from sessionkit_redis.keyspace import BUCKETS, Keyspace
from sessionkit_redis.records import STORED, describe
from sessionkit_redis.scripts import FORGET

_FIELDS: Final = ("v", "g", "n", *STORED)


@attrs.frozen
class Listing:
    """Lists the sessions of a prefix. What writes do to sessions does not move them."""

    client: Any
    keyspace: Keyspace

    def page(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        """A page of the sessions, sorted by key."""
        after = None if cursor is None else cursor.encode("utf-8")
        keys = self.keys(prefix.encode("utf-8"), after, limit + 1)
        page = keys[:limit]
        infos = self.infos(page)
        self._forget([key for key, info in zip(page, infos, strict=True) if info is None])
        return SessionPage(
            sessions=[info for info in infos if isinstance(info, SessionInfo)],
            next=page[-1].decode("utf-8") if len(keys) > limit else None,
            unreadable=[info for info in infos if isinstance(info, str)],
        )

    def keys(self, prefix: bytes, after: bytes | None, wanted: int) -> list[bytes]:
        """The first keys behind a key. Each bucket is asked for a few, and for more when these do not reach."""
        last = b"[" + prefix + b"\xff" if prefix else b"+"
        each = 2 * wanted // BUCKETS + 4
        first = _bound(prefix, after)
        keys: list[bytes] = []
        while len(keys) < wanted:
            pipeline = _pipeline(self.client)
            for index in self.keyspace.indexes():
                pipeline.execute_command("ZRANGEBYLEX", index, first, last, "LIMIT", 0, each)
            buckets: list[list[bytes]] = pipeline.execute()
            cut = min((bucket[-1] for bucket in buckets if len(bucket) == each), default=None)
            merged = list(heapq.merge(*buckets))
            keys += merged if cut is None else [key for key in merged if key <= cut]
            if cut is None:
                break
            first = b"(" + cut
            each = max(each, wanted - len(keys))
        return keys[:wanted]

    def infos(self, keys: list[bytes]) -> list[SessionInfo | str | None]:
        """What there is to tell of sessions: None of one that is gone, a line for people of one that cannot be read."""
        pipeline = _pipeline(self.client)
        for key in keys:
            pipeline.execute_command("HMGET", self.keyspace.session(key.decode("utf-8")).data, *_FIELDS)
        replies = pipeline.execute(raise_on_error=False) if keys else []
        return [_info(key.decode("utf-8"), reply) for key, reply in zip(keys, replies, strict=True)]

    def _forget(self, ended: list[bytes]) -> None:
        """Take sessions that ended by themselves out of the index, which would grow for ever."""
        if not ended:
            return
        pipeline = _pipeline(self.client)
        for key in ended:
            keys = self.keyspace.session(key.decode("utf-8"))
            pipeline.execute_command("EVAL", FORGET.text, 3, keys.data, keys.index, keys.messages, key)
        pipeline.execute(raise_on_error=False)  # who may only read lists all the same


def _info(key: str, reply: Any) -> SessionInfo | str | None:
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return f"session {key!r}: its key holds something of another kind"
    if isinstance(reply, Exception):
        raise reply
    try:
        return describe(key, reply[0], reply[1], reply[2], reply[3:])
    except CorruptSessionError as error:
        return str(error)


def _bound(prefix: bytes, after: bytes | None) -> bytes:
    if after is not None and after >= prefix:
        return b"(" + after
    return b"[" + prefix if prefix else b"-"


def _pipeline(client: Any) -> Any:
    return client.pipeline(transaction=False)
