"""Listing: the index has the sessions of a bucket in the order of their keys, and a page merges the buckets."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Sequence
from typing import Any, Final, TypeAlias

import attrs
from redis.cluster import RedisCluster
from redis.exceptions import ClusterError, ResponseError

from sessionkit.errors import CorruptSessionError
from sessionkit.sessions import HeadingPage, SessionInfo, SessionPage
from sessionkit_redis.failures import FAILURES
from sessionkit_redis.keyspace import BUCKETS, Keyspace
from sessionkit_redis.records import STORED, describe
from sessionkit_redis.scripts import FORGET

_FIELDS: Final = ("v", "g", "n", *STORED)

_Told: TypeAlias = SessionInfo | str | None
"""What there is to tell of a session: None of one that is gone, a line for people of one that cannot be read."""


@attrs.frozen
class Listing:
    """Lists the sessions of a prefix. What writes do to sessions does not move them."""

    client: Any
    keyspace: Keyspace

    def page(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        """A page of the sessions, sorted by key."""
        return self._page(prefix, cursor, limit, lambda keys: self.infos(keys, self._sizes(keys)))

    def headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        """The same without asking the server what they take."""
        return HeadingPage.of(self._page(prefix, cursor, limit, self.infos))

    def _page(
        self,
        prefix: str,
        cursor: str | None,
        limit: int,
        tell: Callable[[list[bytes]], Sequence[_Told]],
    ) -> SessionPage:
        after = None if cursor is None else cursor.encode("utf-8")
        keys = self.keys(prefix.encode("utf-8"), after, limit + 1)
        page = keys[:limit]
        infos = tell(page)
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
            buckets: list[list[bytes]] = _executed(pipeline, raise_on_error=True)
            cut = min((bucket[-1] for bucket in buckets if len(bucket) == each), default=None)
            merged = list(heapq.merge(*buckets))
            keys += merged if cut is None else [key for key in merged if key <= cut]
            if cut is None:
                break
            first = b"(" + cut
            each = max(each, wanted - len(keys))
        return keys[:wanted]

    def infos(self, keys: list[bytes], sizes: Sequence[int | None] = ()) -> list[_Told]:
        """What there is to tell of sessions.

        Args:
            keys: the sessions.
            sizes: what each takes; not told when there are none.
        """
        pipeline = _pipeline(self.client)
        for key in keys:
            pipeline.execute_command("HMGET", self.keyspace.session(key.decode("utf-8")).data, *_FIELDS)
        found = zip(keys, _executed(pipeline), sizes or [None] * len(keys), strict=True)
        return [_info(key.decode("utf-8"), reply, size) for key, reply, size in found]

    def _sizes(self, keys: list[bytes]) -> list[int | None]:
        """What memory each session takes; None where the server does not say. No listing fails for it."""
        pipeline = _pipeline(self.client)
        try:
            for key in keys:
                session = self.keyspace.session(key.decode("utf-8"))
                at = self._node_of(session.data)
                # Of the fields each one is looked at: one may be long, and samples would miss it.
                pipeline.execute_command("MEMORY USAGE", session.data, "SAMPLES", 0, **at)
                pipeline.execute_command("MEMORY USAGE", session.messages, **at)
            replies = _executed(pipeline)
        except FAILURES:
            return [None] * len(keys)
        return [_size(pair) for pair in zip(replies[::2], replies[1::2], strict=True)]

    def _node_of(self, name: bytes) -> dict[str, Any]:
        """Where a cluster keeps a key, as options: redis-py would ask an old server, once for each such command."""
        is_cluster = isinstance(self.client, RedisCluster)
        return {"target_nodes": self.client.get_node_from_key(name)} if is_cluster else {}

    def _forget(self, ended: list[bytes]) -> None:
        """Take sessions that ended by themselves out of the index, which would grow for ever."""
        if not ended:
            return
        pipeline = _pipeline(self.client)
        for key in ended:
            keys = self.keyspace.session(key.decode("utf-8"))
            pipeline.execute_command("EVAL", FORGET.text, 3, keys.data, keys.index, keys.messages, key)
        pipeline.execute(raise_on_error=False)  # who may only read lists all the same


def _info(key: str, reply: Any, size: int | None) -> _Told:
    if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
        return f"session {key!r}: its key holds something of another kind"
    if isinstance(reply, Exception):
        raise reply
    try:
        return describe(key, reply[0], reply[1], reply[2], reply[3:], size)
    except CorruptSessionError as error:
        return str(error)


def _size(memory: Sequence[Any]) -> int | None:
    """What the keys of a session take together; None when the server does not say, as this user may not ask it."""
    known = [taken for taken in memory if taken is not None]  # a session without messages has no list
    return sum(known) if known and all(isinstance(taken, int) for taken in known) else None


def _bound(prefix: bytes, after: bytes | None) -> bytes:
    if after is not None and after >= prefix:
        return b"(" + after
    return b"[" + prefix if prefix else b"-"


def _pipeline(client: Any) -> Any:
    return client.pipeline(transaction=False)


def _executed(pipeline: Any, *, raise_on_error: bool = False) -> list[Any]:
    try:
        replies: list[Any] = pipeline.execute(raise_on_error=raise_on_error)
    except AttributeError as error:  # what redis-py makes of a slot on its way to a node that had none yet
        raise ClusterError("a slot moves to a node that is not known yet") from error
    return replies
