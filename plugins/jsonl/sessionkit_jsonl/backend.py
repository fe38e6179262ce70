"""``JSONLBackend``: the hooks, each a look at the files or a write under the session's lock."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

from sessionkit import operations
from sessionkit.damage import Damage
from sessionkit.errors import BackendUnavailableError, MessageTooLargeError, StoreError
from sessionkit.findings import Finding
from sessionkit.hookspecs import Backend, hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED, HeadingPage, History, Session, SessionPage, Sifted, Unchanged, Version
from sessionkit.sieve import Sieve
from sessionkit_jsonl import failures
from sessionkit_jsonl.cache import Cache
from sessionkit_jsonl.committing import Committer
from sessionkit_jsonl.context import Context
from sessionkit_jsonl.directory import Found, read_meta
from sessionkit_jsonl.durability import Durability
from sessionkit_jsonl.entry import Entries, Entry, log
from sessionkit_jsonl.files import Files
from sessionkit_jsonl.listing import Listing
from sessionkit_jsonl.locks import Locks
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.mounts import refuse_network
from sessionkit_jsonl.options import JSONLOptions
from sessionkit_jsonl.platforms import require_locks
from sessionkit_jsonl.present import Present
from sessionkit_jsonl.sifting import passes_any, sift
from sessionkit_jsonl.sweep import half_deleted, sweep
from sessionkit_jsonl.writing import Fields, Writer

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]
_T = TypeVar("_T")

_TRIES = 3
"""How often a read without lock begins again."""

_MARK_BYTES = 128
"""What a line may have beyond its message."""


class JSONLBackend(Backend):
    """Keeps each session in two files: its messages, one a line, and a small document of everything else.

    Args:
        options: see :class:`JSONLOptions`.
        files: makes every change to the directory; one of your own sees them all.

    Raises:
        BackendUnavailableError: the directory cannot be made or read, or is on a network file system.
    """

    def __init__(self, options: JSONLOptions, files: Files | None = None) -> None:
        self._directory = os.fspath(options.path)
        self._options = options
        self._files = files or Files()
        require_locks()
        try:
            self._files.make_directory(options.path)
            if not options.network:
                refuse_network(options.path)
            present = Present(self._directory)
            names = present.files()
            sweep(self._directory, names, self._files)
        except OSError as error:
            raise BackendUnavailableError(
                f"the directory of the jsonl backend cannot be used: {failures.describe(error)}"
            ) from error
        self._durability = Durability(self._files, self._directory, options.durability, options.interval)
        self._locks = Locks(self._directory, self._files)
        self._entries = Entries(self._directory, Cache(options.cache))
        self._writer = Writer.of(Context(self._directory, self._files, options, self._durability))
        self._committer = Committer(self._locks, self._writer)
        self._listing = Listing(self._directory, present, self._describe)
        for name in half_deleted(names):
            self._finish_deletion(name)

    def _finish_deletion(self, name: str) -> None:
        """Go on with a deletion that was cut short."""
        base = os.path.join(self._directory, name)

        def finish(entry: Entry, look: Look) -> None:
            if look.base == base:
                self._writer.finish_deletion(look)

        try:
            with failures.reading(name):
                key = read_meta(base).meta.key
            if key is not None:
                self._write(key, finish)
        except StoreError as error:
            log.warning("%s was deleted, and something of it is left: %s", base, error)

    def _read(self, entry: Entry, read: Callable[[Look], _T], *, collect: bool = False) -> _T:
        """Read without lock, until what was seen of both files fits together; in the end with the lock."""
        with failures.reading(entry.key):
            for _ in range(_TRIES):
                with entry.mutex:
                    look = entry.look(collect=collect)
                    result = read(look)
                    if entry.is_current(look):
                        self._require_directory(look)
                        return result
            with self._locks.holding(entry.slot), entry.mutex:
                return read(entry.look(collect=collect))

    def _require_directory(self, look: Look) -> None:
        """A session that is not there is one thing, a directory that is not there another."""
        if not look.exists:
            os.stat(self._directory)

    def _write(self, key: str, write: Callable[[Entry, Look], _T]) -> _T:
        return self._committer.write(self._entries.get(key), write)

    def _encode(self, key: str, messages: Sequence[Message]) -> list[bytes]:
        records = [message.to_json() for message in messages]
        for position, record in enumerate(records):
            if len(record) > self._options.max_message_bytes - _MARK_BYTES:
                raise MessageTooLargeError(
                    f"session {key!r}: message {position + 1} of {len(records)} takes {len(record):,} bytes; "
                    f"max_message_bytes is {self._options.max_message_bytes:,}, with {_MARK_BYTES} to spare for marks"
                )
        return records

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        records = self._encode(key, messages)
        return self._committer.append(self._entries.get(key), records, messages)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        entry = self._entries.get(key)

        def read(look: Look) -> History:
            first, last = operations.window(look.count, start, limit)
            return History(
                messages=entry.messages(look, first, last),
                start=first,
                total=look.count,
                version=look.version,
                generation=look.generation,
            )

        return self._read(entry, read, collect=start == 0 and limit is None)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        entry = self._entries.get(key)
        return self._read(entry, lambda look: _session(entry, look, limit), collect=limit is None)

    def _describe(self, key: str, found: Found) -> Session:
        entry = self._entries.passing(key, found)
        return self._read(entry, lambda look: _session(entry, look, 0))

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
        records = None if messages is UNCHANGED else self._encode(key, messages)
        fields = Fields(summary=summary, metadata=metadata, aliases=aliases, created=created, updated=updated)

        def write(entry: Entry, look: Look) -> Version:
            operations.check_conditions(look, if_version=if_version)
            return self._writer.update(entry, look, records, fields)

        return self._write(key, write)

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
        def write(entry: Entry, look: Look) -> Version:
            operations.check_conditions(look, if_version=if_version, if_generation=if_generation)
            return self._writer.truncate(entry, look, keep_last, drop_first, summary)

        return self._write(key, write)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        with _listing_them():
            return self._listing.page(prefix, cursor, limit)

    @hookimpl
    def sessionkit_list_headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        with _listing_them():
            return self._listing.headings(prefix, cursor, limit)

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        def write(entry: Entry, look: Look) -> bool:
            operations.check_conditions(look, if_version=if_version)
            return self._writer.delete(entry, look)

        return self._write(key, write)

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self._committer.save(self._entries.get(key))
        return True

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        from sessionkit_jsonl.diagnosing import diagnose  # hardly any store is ever asked

        return list(diagnose(self._options))

    @hookimpl
    def sessionkit_compact(self, key: str) -> int:
        return self._write(key, self._writer.compact)

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        from sessionkit_jsonl.strays import Strays  # hardly any store is ever asked
        from sessionkit_jsonl.verifying import damage_of

        if key is None:
            return Strays(self._writer, self._committer, self._entries).find()
        found = self._read(self._entries.get(key), damage_of)
        if not found or not self._locks.exist():
            return found
        with contextlib.suppress(BackendUnavailableError):  # where nothing may be written, nobody is just writing
            return self._write(key, lambda entry, look: damage_of(look))
        return found

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        from sessionkit_jsonl.repairing import Repairer
        from sessionkit_jsonl.strays import Strays
        from sessionkit_jsonl.verifying import damage_of

        if key is None:
            return Strays(self._writer, self._committer, self._entries).recover()
        if not self._read(self._entries.get(key), damage_of):
            return []  # what is sound is not even locked
        return self._write(key, Repairer(self._writer).repair)

    @hookimpl
    def sessionkit_sift(self, key: str, start: int, sieve: Sieve) -> Sifted:
        with failures.reading(key):
            log = None if start else self._entries.unread_log(key)
            if log is not None and not passes_any(log, sieve):
                return Sifted()
        return self._read(self._entries.get(key), lambda look: sift(look, start, sieve))

    @hookimpl
    def sessionkit_close(self) -> None:
        self._durability.stop()
        problems: list[StoreError] = []
        for key in self._durability.unsettled():
            try:
                self._write(key, lambda entry, look: self._writer.save(entry, look, compact=False))
            except StoreError as error:
                problems.append(error)
        self._entries.clear()
        self._locks.close()
        if problems:
            raise problems[0]


@contextlib.contextmanager
def _listing_them() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise BackendUnavailableError(f"the sessions cannot be listed: {failures.describe(error)}") from error


def _session(entry: Entry, look: Look, limit: int | None) -> Session:
    if not look.exists:
        return Session(key=look.key)
    first = operations.tail(look.count, limit)
    return Session(
        key=look.key,
        count=look.count,
        summary=look.meta.summary,
        created=look.meta.created,
        updated=look.updated,
        metadata=look.meta.metadata,
        aliases=look.meta.aliases,
        version=look.version,
        generation=look.generation,
        messages=tuple(entry.messages(look, first, look.count)),
    )
