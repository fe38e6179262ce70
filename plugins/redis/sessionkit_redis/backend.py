"""``RedisBackend``: each hook is one call of the server."""

from __future__ import annotations

import os
from collections.abc import Sequence
from time import time_ns
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import attrs

from sessionkit.damage import Damage
from sessionkit.errors import (
    BackendUnavailableError,
    ConfigError,
    MessageTooLargeError,
    OutcomeUnknownError,
)
from sessionkit.findings import Finding
from sessionkit.hookspecs import Backend, hookimpl
from sessionkit.messages import Message
from sessionkit.operations import check_conditions
from sessionkit.sessions import (
    ABSENT,
    UNCHANGED,
    HeadingPage,
    History,
    Session,
    SessionInfo,
    SessionPage,
    Unchanged,
    Version,
)
from sessionkit_redis import connecting, records
from sessionkit_redis.calling import Caller
from sessionkit_redis.commands import commands_of
from sessionkit_redis.durability import Writes
from sessionkit_redis.keyspace import BUCKETS, Keyspace
from sessionkit_redis.listing import Listing
from sessionkit_redis.options import RedisOptions
from sessionkit_redis.reading import Reader, damaged
from sessionkit_redis.replacing import Staging, is_long
from sessionkit_redis.scripts import APPEND, DELETE, TRUNCATE, UPDATE, Script

if TYPE_CHECKING:
    from sessionkit_redis.embedded import EmbeddedServer
    from sessionkit_redis.mending import Mending

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]

_FORMAT = f"1 buckets={BUCKETS}".encode()


class RedisBackend(Backend):
    """Keeps each session in a list and a hash of a server that speaks the protocol of Redis.

    Args:
        options: see :class:`RedisOptions`.

    Raises:
        ConfigError: options that contradict each other, or another format under the prefix.
        BackendUnavailableError: the server cannot be reached, or refuses.
    """

    def __init__(self, options: RedisOptions) -> None:
        self._server = _embedded(options)
        if self._server is not None:
            options = attrs.evolve(options, socket=self._server.socket)
        self._options = options
        self._keyspace = Keyspace(options.prefix)
        recover = self._server.ensure if self._server else _do_nothing
        self._caller = Caller(connecting.name(options), options.deadline, recover)
        self._client = self._caller.read(None, lambda: connecting.connect(options))
        commands = commands_of(self._client)
        self._writes = Writes(self._client, commands, options)
        self._first_age = "?" if self._writes.may_be_sent_again else 0
        self._reader = Reader(commands, self._keyspace)
        self._listing = Listing(self._client, self._keyspace)
        self._staging = Staging(self._client)
        self._limit = options.max_message_bytes
        self._ttl = int(options.ttl * 1000)
        self._check_format()

    def _check_format(self) -> None:
        """Refuse a prefix whose sessions are kept in another way; mark a new one."""
        marker = self._keyspace.marker
        found = self._caller.read(None, lambda: self._client.execute_command("GET", marker))
        if found is None:
            self._caller.read(None, lambda: self._client.execute_command("SET", marker, _FORMAT, "NX"))
        elif found != _FORMAT:
            raise ConfigError(
                f"what {self._caller.server} keeps under the prefix {self._options.prefix!r} has another format; "
                "upgrade sessionkit-redis, or choose another prefix"
            )

    def _encode(self, key: str, messages: Sequence[Message]) -> list[bytes]:
        encoded = [message.to_json() for message in messages]
        for position, record in enumerate(encoded):
            if len(record) > self._limit:
                raise MessageTooLargeError(
                    f"session {key!r}: message {position + 1} of {len(encoded)} takes {len(record):,} bytes; "
                    f"max_message_bytes is {self._limit:,}"
                )
        return encoded

    def _write(self, script: Script, keys: Sequence[bytes], write_id: str, arguments: Sequence[Any], age: int) -> Any:
        return self._writes.run(
            script, keys, (write_id, age or self._first_age, time_ns() // 1000, self._ttl, *arguments)
        )

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        encoded = self._encode(key, messages)
        keys = self._keyspace.session(key).written
        answer = self._caller.write(key, write_id, lambda age: self._write(APPEND, keys, write_id, encoded, age))
        return _version(key, answer)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        limit = None if limit is None else max(limit, 0)
        found = self._caller.read(key, lambda: self._reader.read(key, start, limit, fields=False))
        return History(
            messages=found.messages,
            start=found.start,
            total=found.total,
            version=found.version,
            generation=found.generation,
        )

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        start = 0 if limit is None else -max(limit, 0)
        found = self._caller.read(
            key, lambda: self._reader.read(key, start, None if limit is None else max(limit, 0), fields=True)
        )
        return Session(
            key=key,
            count=found.total,
            version=found.version,
            generation=found.generation,
            messages=tuple(found.messages),
            **records.fields(key, found.fields),
        )

    @hookimpl
    def sessionkit_update_session(
        self,
        key: str,
        messages: Sequence[Message] | _Unchanged,
        summary: str | _Unchanged,
        metadata: dict[str, Any] | _Unchanged,
        aliases: Sequence[str] | _Unchanged,
        created: str | _Unchanged,
        updated: str | _Unchanged,
        if_version: Version | None,
        write_id: str,
    ) -> Version:
        given = {"summary": summary, "metadata": metadata, "aliases": aliases, "created": created, "updated": updated}
        fields = [part for name, value in given.items() for part in records.encode(name, value)]
        described = [len(fields) // 2, *fields]
        history = None if messages is UNCHANGED else self._encode(key, messages)
        keys = self._keyspace.session(key)

        aside = keys.staging(os.urandom(8).hex())
        asides = iter([aside])

        def update(age: int) -> Any:
            names: tuple[bytes, ...] = (*keys.written, next(asides, keys.messages))
            if history is None:
                names, arguments = keys.written, [if_version or "", "-", *described]
            elif is_long(history):
                names = (*names, self._staging.collect(keys, history))
                arguments = [if_version or "", len(history), *described]
            else:
                arguments = [if_version or "", "here", *described, *history]
            return self._write(UPDATE, names, write_id, arguments, age)

        answer = self._caller.write(key, write_id, update)
        if isinstance(answer, list) and answer[0] == b"aside":
            self._staging.remove(aside, answer[2])
        return _version(key, answer, if_version)

    @hookimpl
    def sessionkit_truncate_history(
        self,
        key: str,
        keep_last: int | None,
        drop_first: int | None,
        summary: str | _Unchanged,
        if_version: Version | None,
        if_generation: str | None,
        write_id: str,
    ) -> Version:
        keys = self._keyspace.session(key).written
        how = ["keep", keep_last] if drop_first is None else ["drop", drop_first]
        new_summary = ["0"] if summary is UNCHANGED else ["1", records.text_bytes(summary)]
        arguments = [if_version or "", "-" if if_generation is None else if_generation, *how, *new_summary]
        answer = self._caller.write(key, write_id, lambda age: self._write(TRUNCATE, keys, write_id, arguments, age))
        return _version(key, answer, if_version)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        return self._caller.read(None, lambda: self._listing.page(prefix, cursor, limit))

    @hookimpl
    def sessionkit_list_headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        return self._caller.read(None, lambda: self._listing.headings(prefix, cursor, limit))

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        keys = self._keyspace.session(key)
        deletion = os.urandom(8).hex()
        names = (*keys.written, keys.tombstone(deletion), keys.damaged)
        arguments = [keys.key, if_version or ""]
        answer = self._caller.write(key, deletion, lambda age: self._writes.run(DELETE, names, arguments))
        return bool(answer) if isinstance(answer, int) else _version(key, answer, if_version) != ABSENT

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        from sessionkit_redis.diagnosing import Diagnosis  # hardly any store is ever asked

        diagnosis = Diagnosis(self._client, self._options, self._keyspace, self._caller.server)
        return self._caller.read(None, lambda: list(diagnosis.findings()))

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        mending = self._mending()
        if key is not None:
            return self._caller.read(key, lambda: mending.of_session(key))
        unlisted = self._caller.read(None, lambda: list(mending.unlisted()))
        return [damage for name in unlisted for damage in self.sessionkit_verify(name)]

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        mending = self._mending()
        if key is not None:
            return self._caller.read(key, lambda: mending.repair_session(key))
        unlisted = self._caller.read(None, lambda: list(mending.unlisted()))
        return [damage for name in unlisted for damage in self.sessionkit_repair(name)]

    def _mending(self) -> Mending:
        from sessionkit_redis.mending import Mending  # hardly any store is ever asked

        return Mending(self._client, self._keyspace, self._listing)

    @hookimpl
    def sessionkit_close(self) -> None:
        self._caller.stopping.set()
        if self._options.client is None:
            self._client.close()
        if self._server is not None:
            self._server.close()


def _embedded(options: RedisOptions) -> EmbeddedServer | None:
    if options.mode != "embedded":
        return None
    if options.directory is None:
        raise ConfigError("an embedded server needs the option directory")
    from sessionkit_redis.embedded import EmbeddedServer  # its locks are not everywhere; a server elsewhere needs none

    return EmbeddedServer(options.directory)


def _do_nothing() -> None:
    """What helps when a server that is not ours is gone: waiting."""


def _version(key: str, answer: bytes | list[bytes], if_version: Version | None = None) -> Version:
    """The version that a script answers, or the error that it stands for."""
    if isinstance(answer, bytes):
        return answer.decode()
    outcome = answer[0].decode()
    if outcome == "aside":
        return answer[1].decode()
    if outcome == "version":
        check_conditions(SessionInfo(key=key, version=answer[1].decode()), if_version=if_version)
    if outcome == "generation":
        check_conditions(SessionInfo(key=key), if_generation="another")
    if outcome == "unknown":
        raise OutcomeUnknownError(
            f"session {key!r}: so much was written to it since this write was first tried that nobody can tell whether "
            "it was stored; look, then decide"
        )
    if outcome == "staging":
        raise BackendUnavailableError(f"session {key!r}: the new history was gone before it was complete; try again")
    raise damaged(key)
