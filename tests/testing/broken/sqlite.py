"""A small correct backend on SQLite: one row for each session, one transaction for each write."""

from __future__ import annotations

import os
import sqlite3
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, ClassVar, Final

import attrs

from sessionkit import codec
from sessionkit.damage import Damage
from sessionkit.errors import BackendUnavailableError, CorruptSessionError, DecodeError
from sessionkit.findings import Finding
from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.operations import check_conditions
from sessionkit.plugins.descriptors import BackendPlugin, Capability
from sessionkit.plugins.options import directory_option, option
from sessionkit.plugins.urls import read_path
from sessionkit.sessions import ABSENT, SessionInfo, SessionPage, Sifted, Version
from sessionkit.sieve import Sieve
from sessionkit.state import SessionState

from .stores import Steps

FILE: Final = "sessions.db"
SCHEMA: Final = "CREATE TABLE IF NOT EXISTS sessions (key TEXT PRIMARY KEY, document BLOB NOT NULL)"
PASSWORD: Final = "correct-horse"

_STATE_FIELDS: Final = ("summary", "created", "updated", "metadata", "aliases", "version", "generation")


@attrs.frozen(kw_only=True)
class SqliteOptions:
    """Where the database is. Nothing is encrypted: the password is there to be kept secret."""

    path: Path = directory_option(help="the directory of the database")  # noqa: RUF009 - it makes a field
    password: str = option(default="", secret=True, help="never shown")


class SqliteStore(Steps):
    """Durable when a write returns, and safe for many processes: SQLite is."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset(
        {Capability.PERSISTENT, Capability.DURABLE, Capability.MULTI_PROCESS}
    )
    options: ClassVar[type[Any]] = SqliteOptions

    @classmethod
    def describe(cls) -> BackendPlugin:
        factory: Callable[[Any], SqliteStore] = cls
        return BackendPlugin(options=cls.options, factory=factory, read_url=read_path, capabilities=cls.capabilities)

    @classmethod
    def settings(cls, directory: Path) -> dict[str, Any]:
        return {"path": str(directory), "password": PASSWORD}

    def __init__(self, options: Any) -> None:
        super().__init__()
        self._directory: Path = options.path
        self._lock = threading.RLock()
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._connection = self._connect()
            self._connection.execute(SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise BackendUnavailableError(f"{self._directory} cannot be opened: {error}") from error
        _open.add(self)

    def _connect(self) -> sqlite3.Connection:
        path = self._directory / self.file()
        connection = sqlite3.connect(path, timeout=60, isolation_level=None, check_same_thread=False)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        return connection

    def before_fork(self) -> None:
        """Close the connection: SQLite would take the locks of the parent for those of the child."""
        self._lock.acquire()
        self._connection.close()

    def after_fork_in_parent(self) -> None:
        """Open another one. The child does not use this store again."""
        self._connection = self._connect()
        self._lock.release()

    def file(self) -> str:
        """The name of the database."""
        return FILE

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        with self._lock, self._errors():
            yield self.load(key)

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with self._transaction():
            state = self.load(key)
            yield state
            if state.version != ABSENT:
                self.store(state)

    def load(self, key: str) -> SessionState:
        """A session as it is stored."""
        row = self._connection.execute("SELECT document FROM sessions WHERE key = ?", (key,)).fetchone()
        state = SessionState(key=key, fresh=self.fresh)
        if row is None:
            return state
        document = self.unpack(key, row[0])
        state.messages = [Message.adopt(message) for message in document["messages"]]
        for field in _STATE_FIELDS:
            setattr(state, field, document[field])
        state.aliases = tuple(state.aliases)
        return state

    def store(self, state: SessionState) -> None:
        """Write a session's row."""
        self._connection.execute(
            "INSERT OR REPLACE INTO sessions VALUES (?, ?)", (state.key, self.pack(self.document(state)))
        )

    def document(self, state: SessionState) -> dict[str, Any]:
        """A session as one JSON object."""
        messages = [message.to_dict() for message in state.messages]
        fields = {field: getattr(state, field) for field in _STATE_FIELDS}
        return {"messages": messages, "count": len(messages), **fields}

    def pack(self, document: dict[str, Any]) -> bytes:
        return codec.encode(document)

    def unpack(self, key: str, data: bytes) -> dict[str, Any]:
        try:
            document: dict[str, Any] = codec.decode(data)
        except DecodeError as error:
            raise CorruptSessionError(f"session {key!r} is damaged: {error}") from error
        return document

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        with self._lock, self._errors():
            (answer,) = self._connection.execute("PRAGMA quick_check(1)").fetchone()
        if answer == "ok":
            return [Finding.ok("database", "SQLite finds no damage")]
        return [Finding.problem("database", "SQLite finds damage", "restore a backup")]

    @hookimpl
    def sessionkit_compact(self, key: str) -> int:
        with self._lock, self._errors():
            return 0 if self.load(key).version == ABSENT else self.shrink()

    def shrink(self) -> int:
        """Give back the pages that hold nothing; tells how many bytes they were."""
        before = self._pages()
        self._connection.execute("VACUUM")
        return max(before - self._pages(), 0)

    def _pages(self) -> int:
        (count,) = self._connection.execute("PRAGMA page_count").fetchone()
        (size,) = self._connection.execute("PRAGMA page_size").fetchone()
        return int(count * size)

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        if key is not None:
            with self.reading(key):  # what cannot be read is raised
                pass
        return []

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        return self.sessionkit_verify(key)

    @hookimpl
    def sessionkit_sift(self, key: str, start: int, sieve: Sieve) -> Sifted:
        with self.reading(key) as state:
            passed = [at for at, message in self.candidates(state, start) if sieve.passes(message.to_json())]
            return Sifted(spans=[(at, at + 1) for at in passed], generation=state.generation)

    def candidates(self, state: SessionState, start: int) -> Iterable[tuple[int, Message]]:
        """The messages that a search has to ask about, with their positions."""
        return islice(enumerate(state.messages), start, None)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        with self._lock, self._errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:  # an interrupt leaves no open transaction either
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")

    @contextmanager
    def _errors(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.Error as error:
            raise BackendUnavailableError(f"the database failed: {error}") from error

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        with self._lock, self._errors():
            rows = self._connection.execute(
                "SELECT key, document FROM sessions WHERE substr(key, 1, ?) = ? AND key > ? ORDER BY key LIMIT ?",
                (len(prefix), prefix, cursor or "", limit + 1),
            ).fetchall()
        sessions = [self._info(key, self.unpack(key, data)) for key, data in rows[:limit]]
        return SessionPage(sessions=sessions, next=rows[limit - 1][0] if len(rows) > limit else None)

    def _info(self, key: str, document: dict[str, Any]) -> SessionInfo:
        return SessionInfo(key=key, count=document["count"], **{field: document[field] for field in _STATE_FIELDS})

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        with self._transaction():
            check_conditions(self.load(key), if_version=if_version)
            return self._connection.execute("DELETE FROM sessions WHERE key = ?", (key,)).rowcount > 0

    @hookimpl
    def sessionkit_close(self) -> None:
        with self._lock:
            _open.discard(self)
            self._connection.close()


_open: weakref.WeakSet[SqliteStore] = weakref.WeakSet()
_forking: list[SqliteStore] = []


def _before_fork() -> None:
    for store in list(_open):
        store.before_fork()
        _forking.append(store)


def _after_fork_in_parent() -> None:
    while _forking:
        _forking.pop().after_fork_in_parent()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_forking.clear)


class BufferedStore(SqliteStore):
    """The same with the promise ``persistent`` alone: sessions stay in memory until they are saved."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.PERSISTENT})

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._unsaved: dict[str, SessionState] = {}

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        with self._lock, self._errors():
            yield self._unsaved.get(key) or self.load(key)

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with self._lock, self._errors():
            state = self._unsaved.get(key) or self.load(key)
            yield state
            if state.version != ABSENT:
                self._unsaved[key] = state

    def flush(self, *keys: str) -> None:
        """Store these sessions."""
        with self._lock:
            unsaved = [key for key in keys if key in self._unsaved]
            with self._transaction():
                for key in unsaved:
                    self.store(self._unsaved[key])
            for key in unsaved:
                del self._unsaved[key]

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self.flush(key)
        return True

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        self.flush(*self._unsaved)
        return super().sessionkit_list_sessions(prefix, cursor, limit)

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        with self._lock:
            check_conditions(self._unsaved.get(key) or self.load(key), if_version=if_version)
            unsaved = self._unsaved.pop(key, None) is not None
            return super().sessionkit_delete_session(key, None) or unsaved

    @hookimpl
    def sessionkit_close(self) -> None:
        self.flush(*self._unsaved)
        super().sessionkit_close()
