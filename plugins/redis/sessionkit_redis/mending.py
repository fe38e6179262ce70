"""What is damaged in the keys of a session, and a script that mends it in one step."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from typing import Any, Final

import attrs
from redis.exceptions import ResponseError

from sessionkit.damage import Damage
from sessionkit.errors import CorruptSessionError
from sessionkit_redis import records
from sessionkit_redis.keyspace import Keyspace, SessionKeys
from sessionkit_redis.listing import Listing
from sessionkit_redis.pieces import FIRST_MESSAGES, next_piece
from sessionkit_redis.reading import decoded
from sessionkit_redis.records import STORED
from sessionkit_redis.scripts import REPAIR

_PAGE: Final = 500


@attrs.define
class _Found:
    """What is kept of a session.

    Attributes:
        wrong: the keys that hold something of another kind.
        values: version, generation, number of messages, and the values of :data:`STORED`.
        total: how many messages there are; 0 when they are of another kind.
        ends: whether the messages end by themselves, so that the rest may have ended before.
        indexed: whether the index has the session.
        messages: the messages that cannot be read, with their positions.
        fields: the fields that cannot be read.
    """

    wrong: list[bytes]
    values: list[bytes | None]
    total: int
    ends: bool
    indexed: bool
    messages: list[tuple[int, bytes]] = attrs.Factory(list)
    fields: list[tuple[str, bytes]] = attrs.Factory(list)


@attrs.frozen
class Mending:
    """The sessions of a prefix.

    Attributes:
        client: of redis-py.
        keyspace: where they are.
        listing: lists them.
    """

    client: Any
    keyspace: Keyspace
    listing: Listing

    def of_session(self, key: str) -> list[Damage]:
        """What is damaged in a session; nothing is changed."""
        keys = self.keyspace.session(key)
        return list(_damages(key, keys, self._look(keys)))

    def repair_session(self, key: str) -> list[Damage]:
        """Mend a session. What is still damaged afterwards is not told as mended."""
        keys = self.keyspace.session(key)
        found = self._look(keys)
        damages = list(_damages(key, keys, found))
        if not any(damage.mendable for damage in damages):
            return damages
        names = [*keys.written, keys.damaged, *(keys.aside(os.urandom(8).hex()) for _ in range(2))]
        arguments: list[Any] = [os.urandom(12).hex(), time.time_ns() // 1000, keys.key, len(found.messages)]
        arguments += [part for pair in (*found.messages, *found.fields) for part in pair]
        self.client.execute_command("EVAL", REPAIR.text, len(names), *names, *arguments)
        left = {damage.kind for damage in self.of_session(key)}
        return [attrs.evolve(damage, mended=damage.mendable and damage.kind not in left) for damage in damages]

    def unlisted(self) -> Iterator[str]:
        """The keys of the sessions that the index has, and that no listing can show."""
        cursor: bytes | None = None
        while keys := self.listing.keys(b"", cursor, _PAGE):
            for key, info in zip(keys, self.listing.infos(keys), strict=True):
                if info is None or isinstance(info, str):
                    yield key.decode("utf-8")
            cursor = keys[-1]

    def _look(self, keys: SessionKeys) -> _Found:
        pipeline = self.client.pipeline(transaction=False)
        pipeline.execute_command("HMGET", keys.data, "v", "g", "n", *STORED)
        pipeline.execute_command("LLEN", keys.messages)
        pipeline.execute_command("PTTL", keys.messages)
        pipeline.execute_command("ZRANGEBYLEX", keys.index, b"[" + keys.key, b"[" + keys.key)
        replies = pipeline.execute(raise_on_error=False)
        wrong = []
        for name, reply in zip((keys.data, keys.messages, keys.messages, keys.index), replies, strict=True):
            if isinstance(reply, ResponseError) and "WRONGTYPE" in str(reply):
                wrong.append(name)
            elif isinstance(reply, Exception):
                raise reply
        values = [None] * (3 + len(STORED)) if keys.data in wrong else replies[0]
        total = 0 if keys.messages in wrong else replies[1]
        found = _Found(wrong, values, total, ends=replies[2] > 0, indexed=bool(replies[3]))
        found.fields = [(name, value) for name, value in zip(STORED, values[3:], strict=True) if not _fits(name, value)]
        start, piece = 0, FIRST_MESSAGES
        while start < found.total:
            stored = self.client.execute_command("LRANGE", keys.messages, start, start + piece - 1)
            if not stored:  # somebody cut the history meanwhile
                break
            found.messages += [(start + at, value) for at, value in enumerate(stored) if not _is_message(value)]
            start += len(stored)
            piece = next_piece(stored)
        return found


def _fits(name: str, value: bytes | None) -> bool:
    try:
        records.fields("", [value if name == other else None for other in STORED])
    except CorruptSessionError:
        return False
    return True


def _is_message(value: bytes) -> bool:
    try:
        decoded("", [value])
    except CorruptSessionError:
        return False
    return True


def _damages(key: str, keys: SessionKeys, found: _Found) -> Iterator[Damage]:
    aside = f"it is kept in the list {_shown(keys.damaged)}"
    for name in found.wrong:
        problem = "the key holds something of another kind: another program uses the same prefix"
        damage = _damage("wrong-type", key, name, problem, f"it is renamed to {_shown(keys.aside('…'))}")
        if name == keys.index:
            damage = attrs.evolve(damage, mendable=False, remedy="rename it, and write to the sessions of its bucket")
        yield damage
    version, generation, count = found.values[:3]
    rest = any(value is not None for value in found.values)
    if version is None or generation is None or count is None:
        if rest or (found.total and not found.ends) or keys.data in found.wrong:
            problem = f"the server has lost what it kept beside the {found.total:,} messages"
            yield _damage("lost-fields", key, keys.data, problem, "the session goes on with its messages")
        elif found.indexed and not found.wrong and not found.ends:
            yield _stale(key, keys)
    elif count != b"%d" % found.total:
        problem = f"it had {count.decode(errors='replace')} messages, and the server has {found.total:,}"
        remedy = "it goes on with those; if they can be restored from a backup, do that instead"
        yield _damage("lost-messages", key, keys.messages, problem, remedy)
    if found.messages:
        problem = f"{len(found.messages):,} stored messages are no JSON objects"
        yield _damage("bad-records", key, keys.messages, problem, aside)
    if found.fields:
        problem = f"the fields {', '.join(name for name, _ in found.fields)} cannot be read"
        yield _damage("bad-fields", key, keys.data, problem, aside)


def _damage(kind: str, key: str, name: bytes, problem: str, remedy: str) -> Damage:
    return Damage(kind=kind, key=key, place=_shown(name), problem=problem, remedy=remedy)


def _stale(key: str, keys: SessionKeys) -> Damage:
    return Damage(
        kind="stale-entry",
        key=key,
        place=_shown(keys.index),
        problem="the index has a session that is not there: it has ended, or the server has lost it",
        remedy="the entry is taken out, as the next listing would",
        harmless=True,
    )


def _shown(name: bytes) -> str:
    return name.decode("utf-8", "replace")
