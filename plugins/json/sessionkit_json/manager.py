"""``SessionManager``: sessions kept in memory, each saved as one JSON document."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, Final

from sessionkit.damage import Damage
from sessionkit.errors import WriteFailedError
from sessionkit.findings import Finding
from sessionkit.hookspecs import hookimpl
from sessionkit.keys import check_key
from sessionkit.messages import Message, as_message, as_messages
from sessionkit.operations import check_conditions
from sessionkit.sessions import ABSENT, UNCHANGED, Session, SessionInfo, SessionPage, Version
from sessionkit.state import SessionState
from sessionkit.state_backend import StateBackend
from sessionkit_json.catalog import Catalog
from sessionkit_json.directory import SessionDirectory, checksum, fingerprint, unavailable
from sessionkit_json.session import JsonSession, Stored

_STRIPES: Final = 64

_REMEMBERED: Final = 256
"""How many sessions stay in memory that have nothing unsaved: going through a large directory must not fill it."""

_CONSIDERED: Final = 8
"""How many sessions are looked at for each that is read, to forget some. Unsaved ones are not forgotten."""


class SessionManager(StateBackend):
    """picoclaw's ``SessionManager``: sessions in memory, written by :meth:`save` and :meth:`close`.

    A session is read from its document when it is first asked for, and again when the document was changed by
    somebody else while nothing here was unsaved. Nothing is written but by ``save``, ``close``, a deletion, and,
    with ``autosave``, by every change.

    >>> manager = SessionManager()
    >>> _ = manager.add_message("cli:direct", "user", "hello")
    >>> [message.content for message in manager.get_history("cli:direct")]
    ['hello']
    """

    def __init__(self, path: Path | str | None = None, *, autosave: bool = False) -> None:
        """Open a directory of documents; without a path, sessions live in memory only.

        Args:
            path: the directory; it is made when there is none.
            autosave: save after each change. A change that cannot be saved is then undone.

        Raises:
            BackendUnavailableError: the directory cannot be used.
        """
        super().__init__()
        self._directory = None if path is None else SessionDirectory(Path(path).absolute())
        self._catalog = None if self._directory is None else Catalog(self._directory)
        self._autosave = autosave
        self._sessions: dict[str, JsonSession] = {}
        self._clean: dict[str, None] = {}  # keys of those that were read or saved, in this order
        self._forgetting = threading.Lock()
        self._locks = [threading.Lock() for _ in range(_STRIPES)]

    # --- the sessions in memory. The slot of the directory is always locked before the lock of the memory.

    def _lock(self, key: str) -> threading.Lock:
        return self._locks[hash(key) % _STRIPES]

    def _session(self, key: str) -> JsonSession:
        """The session as it is in memory, or else in its document. The caller holds its lock."""
        session = self._sessions.get(key)
        if session is not None and not self._is_outdated(session):
            return session
        file = None if self._directory is None else self._directory.find(key)
        session = JsonSession.read(key, self.fresh, file)
        if file is None:
            self._sessions.pop(key, None)
        else:
            self._sessions[key] = session
            self._forget_some(key)
        return session

    def _forget_some(self, used: str) -> None:
        """Forget sessions that were read or saved long ago and have nothing unsaved. The lock of one may be held."""
        with self._forgetting:
            self._clean.pop(used, None)
            self._clean[used] = None
            for key in list(islice(self._clean, _CONSIDERED)):
                if len(self._clean) <= _REMEMBERED:
                    return
                lock = self._lock(key)
                if key == used or not lock.acquire(blocking=False):
                    continue
                try:
                    del self._clean[key]
                    session = self._sessions.get(key)
                    if session is not None and session.unsaved:
                        self._clean[key] = None  # to be looked at again when its turn comes
                    else:
                        self._sessions.pop(key, None)
                finally:
                    lock.release()

    def _is_outdated(self, session: JsonSession) -> bool:
        if self._directory is None or session.stored is None or session.unsaved:
            return False
        path = session.stored.path
        with unavailable(f"session {session.key!r} cannot be read from {path}"):
            return fingerprint(path) != session.stored.fingerprint

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        with self._lock(key):
            yield self._session(key)

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        if self._autosave and self._directory is not None:
            with self._writing_through(key, self._directory) as copy:
                yield copy
            return
        with self._lock(key):
            session = self._session(key)
            yield session
            if session.version != ABSENT:
                self._sessions[key] = session

    @contextmanager
    def _writing_through(self, key: str, directory: SessionDirectory) -> Iterator[SessionState]:
        """Change a copy and save it; only what is saved is seen."""
        with directory.locked(key):
            with self._lock(key):
                copy = self._session(key).copy()
            yield copy
            if copy.unsaved:
                self._write(copy, directory)
                with self._lock(key):
                    self._sessions[key] = copy

    # --- saving

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        directory, session = self._directory, self._sessions.get(key)
        if directory is None or session is None or not session.unsaved:
            return True
        with directory.locked(key):
            session = self._sessions.get(key)
            if session is not None and session.unsaved:
                self._write(session, directory)
        return True

    def _write(self, session: JsonSession, directory: SessionDirectory) -> None:
        """Write a session's document, with the slot locked. What is changed meanwhile stays unsaved."""
        key = session.key
        with self._lock(key):
            path = self._reconciled_path(session, directory)
            if not session.unsaved:  # another process saved the same
                return
            document = session.document()
            only_appended, session.only_appended = session.only_appended, True
            session.attempted = document.session.version
        try:
            file = directory.replace(path, document)
            directory.sync(f"session {key!r} was saved")
        except BaseException:  # an interrupt too: what was not saved has to be remembered as that
            with self._lock(key):
                session.only_appended = session.only_appended and only_appended
            raise
        with self._lock(key):
            session.stored = Stored.of(file)
        self._forget_some(key)

    def _latest(self, key: str, directory: SessionDirectory) -> JsonSession:
        """The session with what others did to its document by now, for sure. The caller holds slot and lock."""
        session = self._sessions.get(key)
        if session is not None and session.unsaved:
            self._reconciled_path(session, directory)
            return session
        self._sessions.pop(key, None)  # a fingerprint may be that of an earlier file, so it is read again
        return self._session(key)

    def _reconciled_path(self, session: JsonSession, directory: SessionDirectory) -> Path:
        """Where to write, after what others did to the document was taken in."""
        stored = session.stored
        if stored is not None:
            with unavailable(f"session {session.key!r} could not be saved: {stored.path} cannot be read"):
                if checksum(stored.path) == stored.checksum:
                    return stored.path
        file = directory.find(session.key)
        if file is not None or stored is not None:
            session.reconcile(file)
        return directory.vacant_path(session.key) if file is None else file.path

    @hookimpl
    def sessionkit_close(self) -> None:
        if self._directory is None:
            return
        errors: dict[str, Exception] = {}
        for key in list(self._sessions):
            try:
                self.sessionkit_save(key)
            except Exception as error:  # whatever fails for one session, the others are saved
                errors[key] = error
        if errors:
            raise WriteFailedError(
                f"{len(errors)} of the sessions could not be saved and live in memory only: "
                f"{', '.join(map(repr, errors))}; the first because: {next(iter(errors.values()))}"
            ) from ExceptionGroup("unsaved sessions", list(errors.values()))

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        unsaved = sum(session.unsaved for session in list(self._sessions.values()))
        sessions = "1 session has" if unsaved == 1 else f"{unsaved:,} sessions have"
        found = f"{sessions} changes that live in memory until they are saved"
        findings = [Finding.ok("unsaved", found)] if unsaved else []
        if self._directory is None:
            return [*findings, Finding.ok("keeping", "there is no directory: sessions are kept in memory only")]
        from sessionkit_json.diagnosing import diagnose  # hardly any store is ever asked

        return [*findings, *diagnose(self._directory.path, autosave=self._autosave)]

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        return self._mending(key, repairs=False)

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        return self._mending(key, repairs=True)

    def _mending(self, key: str | None, *, repairs: bool) -> Sequence[Damage]:
        if self._directory is None:
            return []
        from sessionkit_json.mending import Mending  # hardly any store is ever asked

        mending = Mending(self._directory, self.fresh)
        if key is None:
            return mending.of_directory(repairs=repairs)
        if repairs:
            self.sessionkit_save(key)
        return mending.of_session(key, repairs=repairs)

    # --- listing and deleting

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        found = {
            key
            for key, session in list(self._sessions.items())
            if session.unsaved and key.startswith(prefix) and (cursor is None or key > cursor)
        }
        if self._catalog is not None:
            found.update(self._catalog.keys(prefix, cursor, limit + 1))
        keys = sorted(found)
        infos = [self._info(key) for key in keys[:limit]]
        return SessionPage(
            sessions=[info for info in infos if info is not None],
            next=keys[limit - 1] if len(keys) > limit else None,
            unreadable=self._catalog.unreadable() if self._catalog is not None and cursor is None else (),
        )

    def _info(self, key: str) -> SessionInfo | None:
        """What a listing tells of a session; None when it is gone meanwhile."""
        with self._lock(key):
            session = self._sessions.get(key)
            if session is not None and session.unsaved:
                return session.info()
        return None if self._catalog is None else self._catalog.info(key)

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        directory = self._directory
        if directory is None:
            with self._lock(key):
                check_conditions(self._session(key), if_version=if_version)
                return self._sessions.pop(key, None) is not None
        with directory.locked(key), self._lock(key):
            if if_version is not None:
                check_conditions(self._latest(key, directory), if_version=if_version)
            existed = self._session(key).version != ABSENT
            directory.remove(key)
            self._sessions.pop(key, None)
            if existed:
                directory.sync(f"session {key!r} was deleted")
            return existed

    def discard_unsaved(self, key: str) -> bool:
        """Forget what is unsaved of a session; the next read takes the document as it is.

        Returns:
            Whether anything was unsaved.
        """
        with self._lock(key):
            session = self._sessions.pop(key, None)
            return session is not None and session.unsaved

    # --- the surface of the original, for use without a store

    def get_or_create(self, key: str) -> Session:
        """The session, made when there is none."""
        check_key(key)
        self._update(key)
        return self.sessionkit_get_session(key, None)

    def add_message(self, key: str, role: str, content: str) -> Version:
        """Append a message of a role and a text."""
        return self.add_full_message(key, Message.simple(role, content))

    def add_full_message(self, key: str, message: Message | Mapping[str, Any]) -> Version:
        """Append a message with all its fields."""
        check_key(key)
        return self.sessionkit_add_messages(key, [as_message(message)], "")

    def get_history(self, key: str) -> list[Message]:
        """The messages, oldest first, in a list of the caller's own; empty for an unknown session."""
        check_key(key)
        return list(self.sessionkit_get_history(key, 0, None).messages)

    def get_summary(self, key: str) -> str:
        """The summary of what was truncated, ``""`` when there is none."""
        check_key(key)
        return self.sessionkit_get_session(key, 0).summary

    def set_summary(self, key: str, summary: str) -> Version:
        """Replace the summary."""
        check_key(key)
        return self._update(key, summary=summary)

    def set_history(self, key: str, messages: Iterable[Message | Mapping[str, Any]]) -> Version:
        """Replace all messages."""
        check_key(key)
        return self._update(key, messages=as_messages(messages))

    def truncate_history(self, key: str, keep_last: int) -> Version:
        """Keep the last ``keep_last`` messages; all go for 0 or less."""
        check_key(key)
        return self.sessionkit_truncate_history(key, keep_last, None, UNCHANGED, None, None, "")

    def save(self, key: str) -> None:
        """Write the session's document, durably. What is saved already is not written again.

        Raises:
            VersionConflict: another process changed the document, other than by appending.
            CorruptSessionError: the document is damaged; it is not overwritten.
            BackendUnavailableError: it cannot be written now; the session stays in memory.
        """
        check_key(key)
        self.sessionkit_save(key)

    def close(self) -> None:
        """Save every unsaved session.

        Raises:
            WriteFailedError: some could not be saved; the others are.
        """
        self.sessionkit_close()

    def _update(self, key: str, **changes: Any) -> Version:
        with self.writing(key) as state:
            return state.update(**changes)
