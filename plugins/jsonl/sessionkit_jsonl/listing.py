"""Listing a directory: which sessions there are, a page at a time."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from typing import Final, TypeAlias

import attrs

from sessionkit.errors import InvalidKeyError, StoreError
from sessionkit.keys import check_key
from sessionkit.sessions import Session, SessionInfo, SessionPage
from sessionkit_jsonl import failures
from sessionkit_jsonl.directory import DATA_SUFFIX, META_SUFFIX, read_meta
from sessionkit_jsonl.entry import log
from sessionkit_jsonl.files import status_of

_REMEMBERED: Final = 50_000
"""How many sessions' descriptions are kept."""

Fingerprint: TypeAlias = tuple[int, ...]
"""Differs when a session's files differ."""


@attrs.frozen
class _Named:
    """A name in the directory, and whose it is (None: nobody's that could be asked for, and why)."""

    inode: int
    key: str | None
    problem: str = ""


class Listing:
    """Lists one directory, and remembers what it read of files that have not changed since.

    Args:
        directory: where the sessions are.
        read: reads a session without its messages.
    """

    def __init__(self, directory: str, read: Callable[[str], Session]) -> None:
        self._directory = directory
        self._read = read
        self._lock = threading.Lock()
        self._names: dict[str, _Named] = {}
        self._infos: dict[str, tuple[Fingerprint, SessionInfo]] = {}
        self._warned: set[str] = set()
        self._problems: list[str] = []  # of the present page

    def page(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        """A page of the sessions, sorted by key."""
        with self._lock:
            names = self._names_by_key()
            self._problems = [] if cursor else [named.problem for named in self._names.values() if named.problem]
            keys = sorted(key for key in names if key.startswith(prefix) and (cursor is None or key > cursor))
            found: list[SessionInfo] = []
            for position, key in enumerate(keys):
                if len(found) == limit:
                    return SessionPage(sessions=found, next=keys[position - 1], unreadable=self._problems)
                info = self._info(key, names[key])
                if info is not None:
                    found.append(info)
            return SessionPage(sessions=found, unreadable=self._problems)

    def _names_by_key(self) -> dict[str, str]:
        """Whose files there are. Each document is read once, and again when another one took its place."""
        present: dict[str, int] = {}
        with os.scandir(self._directory) as entries:
            for entry in entries:
                if entry.name.endswith(META_SUFFIX):
                    present[entry.name.removesuffix(META_SUFFIX)] = entry.inode()
                elif entry.name.endswith(DATA_SUFFIX):
                    present.setdefault(entry.name.removesuffix(DATA_SUFFIX), 0)
        for name in self._names.keys() - present.keys():
            del self._names[name]
        for name, inode in present.items():
            known = self._names.get(name)
            if known is None or known.inode != inode:
                self._names[name] = self._owner(name, inode)
        return {named.key: name for name, named in self._names.items() if named.key is not None}

    def _owner(self, name: str, inode: int) -> _Named:
        """Whose a name is: its document says so; without one it is the key of that name."""
        try:
            key = read_meta(os.path.join(self._directory, name)).meta.key or name
            check_key(key)
        except OSError as error:
            return _Named(inode, None, self._warn(name, failures.describe(error)))
        except InvalidKeyError as error:
            return _Named(inode, None, self._warn(name, str(error)))
        return _Named(inode, key)

    def _info(self, key: str, name: str) -> SessionInfo | None:
        """What there is to tell of a session; None when it is gone or cannot be read."""
        try:
            fingerprint = self._fingerprint(name)
            remembered = self._infos.get(key)
            if remembered is not None and remembered[0] == fingerprint:
                return remembered[1]
            info = _without_messages(self._read(key))
        except (OSError, StoreError) as error:
            self._problems.append(self._warn(name, str(error)))
            return None
        if not info.exists:
            self._infos.pop(key, None)
            self._names.pop(name, None)  # the name may have another owner by now: read it again next time
            return None
        if len(self._infos) < _REMEMBERED or key in self._infos:
            self._infos[key] = fingerprint, info
        return info

    def _fingerprint(self, name: str) -> Fingerprint:
        parts: list[int] = []
        for suffix in (META_SUFFIX, DATA_SUFFIX):
            status = status_of(os.path.join(self._directory, name) + suffix)
            if status is not None:
                parts += status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
            else:
                parts.append(0)
        return tuple(parts)

    def _warn(self, name: str, reason: str) -> str:
        """Say once in the log that a session is left out; the others are listed all the same."""
        path = os.path.join(self._directory, name)
        if name not in self._warned:
            self._warned.add(name)
            log.warning("%s is left out of listings: %s", path, reason)
        return f"{path}: {reason}"


def _without_messages(session: Session) -> SessionInfo:
    return SessionInfo(
        key=session.key,
        count=session.count,
        summary=session.summary,
        created=session.created,
        updated=session.updated,
        metadata=session.metadata,
        aliases=session.aliases,
        version=session.version,
        generation=session.generation,
    )
