"""Listing a directory: which sessions there are, a page at a time."""

from __future__ import annotations

import os
import re
import threading
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from msgspec import Struct

from sessionkit.errors import InvalidKeyError, StoreError
from sessionkit.filenames import hashed_name, plain_name
from sessionkit.keys import check_key
from sessionkit.sessions import Heading, HeadingPage, Session, SessionInfo, SessionPage
from sessionkit_jsonl import failures
from sessionkit_jsonl.directory import DATA_SUFFIX, META_SUFFIX, Found, leads_to, read_meta
from sessionkit_jsonl.entry import log
from sessionkit_jsonl.files import status_of
from sessionkit_jsonl.meta import State
from sessionkit_jsonl.present import Fingerprint, Present, fingerprint

_MOST_REMEMBERED: Final = 50_000
"""How many sessions' descriptions are kept."""

_SAME_IN_NAMES: Final = re.compile(r"[\x20-\x7e]{0,100}")
"""What a key begins with and each of its names too, with other separators."""


_Told = TypeVar("_Told", bound=Heading)


class _Remembered(Struct, frozen=True):
    """What was read of the files of a name.

    Attributes:
        files: fingerprints of the document and of the log.
        info: what there is to tell; None when these are no session's files.
        rival: the name that would be the session's if there was something of that name; ``""`` for none.
    """

    files: tuple[Fingerprint, Fingerprint]
    info: SessionInfo | None
    rival: str


class _Described(Struct, frozen=True):
    """What was read of the document of a name.

    Attributes:
        document: its fingerprint.
        heading: what it tells; None when the key does not lead to it.
        rival: as in what is remembered.
        needs_data: whether there is a session only if there is a log.
    """

    document: Fingerprint
    heading: Heading | None
    rival: str
    needs_data: bool


class Listing:
    """Lists one directory, and remembers what it read of files that have not changed since.

    Sessions are in the order of their names. So a page reads the documents of its own sessions alone: which key a
    name belongs to stands inside.

    Args:
        directory: where the sessions are.
        present: which names there are.
        read: reads a session without its messages, whose document was found already.
    """

    def __init__(self, directory: str, present: Present, read: Callable[[str, Found], Session]) -> None:
        self._directory = directory
        self._present = present
        self._read = read
        self._lock = threading.Lock()
        self._remembered: dict[str, _Remembered] = {}
        self._described: dict[str, _Described] = {}
        self._warned: set[str] = set()

    def page(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        """A page of the sessions; a cursor is the name where the page before ended."""
        found, following, unreadable = self._told(self._info, prefix, cursor, limit)
        return SessionPage(sessions=found, next=following, unreadable=unreadable)

    def headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        """The same without a look at the logs."""
        found, following, unreadable = self._told(self._heading, prefix, cursor, limit)
        return HeadingPage(headings=found, next=following, unreadable=unreadable)

    def _told(
        self, tell: Callable[[str, str], _Told | None], prefix: str, cursor: str | None, limit: int
    ) -> tuple[list[_Told], str | None, list[str]]:
        begin = _beginning(prefix)
        found: list[_Told] = []
        unreadable: list[str] = []
        with self._lock:
            self._forget(self._present.look())
            names = self._present.names
            position = bisect_left(names, begin)
            if cursor is not None:
                position = max(bisect_right(names, cursor), position)
            while position < len(names) and names[position].startswith(begin):
                if len(found) == limit:
                    return found, names[position - 1], unreadable
                name = names[position]
                try:
                    told = tell(name, os.path.join(self._directory, name))
                except (OSError, StoreError, InvalidKeyError) as error:
                    reason = failures.describe(error) if isinstance(error, OSError) else str(error)
                    unreadable.append(self._warn(name, reason))
                else:
                    if told is not None and told.key.startswith(prefix):
                        found.append(told)
                position += 1
        return found, None, unreadable

    def _forget(self, gone: Iterable[str]) -> None:
        for name in gone:
            self._remembered.pop(name, None)
            self._described.pop(name, None)

    def _info(self, name: str, base: str) -> SessionInfo | None:
        """What there is to tell of a session; None when there is none of this name."""
        known = self._remembered.get(name)
        if known is None or known.files != _fingerprints(base):  # its files may be others by now
            known = self._read_name(name, base)
        return None if known.rival in self._present else known.info

    def _heading(self, name: str, base: str) -> Heading | None:
        """What its document alone tells of a session, where that is enough; else what there is to tell of it."""
        if name in self._remembered:
            return self._info(name, base)
        document = fingerprint(base + META_SUFFIX)
        known = self._described.get(name)
        if known is None or known.document != document:
            known = self._read_document(name, base, document)
        if known is None:
            return self._info(name, base)
        if known.rival in self._present or (known.needs_data and status_of(base + DATA_SUFFIX) is None):
            return None
        return known.heading

    def _read_document(self, name: str, base: str, document: Fingerprint) -> _Described | None:
        """Read what a document alone tells; None where it does not tell whose it is, or which document counts."""
        found = read_meta(base)
        meta, key = found.meta, found.meta.key
        if meta.state is not State.READ or key is None or meta.has_successor:
            return None
        hashed = hashed_name(check_key(key))
        rival = "" if name == hashed else hashed
        heading = None
        if rival not in self._present and leads_to(self._directory, key, name, found):
            heading = Heading(key=key, summary=meta.summary, metadata=meta.metadata, aliases=meta.aliases)
        known = _Described(document, heading, rival, meta.needs_data)
        if rival not in self._present and (len(self._described) < _MOST_REMEMBERED or name in self._described):
            self._described[name] = known
        return known

    def _read_name(self, name: str, base: str) -> _Remembered:
        """Read a session. Whose a name is, its document says; without one it is the key of that name."""
        files = _fingerprints(base)
        found = read_meta(base)
        key = check_key(found.meta.key or name)
        rival = hashed_name(key)
        if rival == name:
            rival = ""
        elif rival in self._present:
            return _Remembered(files, None, rival)
        info = None
        if leads_to(self._directory, key, name, found):
            session = self._read(key, found)
            info = session.info(size=sum(map(_size, files))) if session.exists else None
        known = _Remembered(files, info, rival)
        if len(self._remembered) < _MOST_REMEMBERED or name in self._remembered:
            self._remembered[name] = known
        return known

    def _warn(self, name: str, reason: str) -> str:
        """Say once in the log that a session is left out; the others are listed all the same."""
        path = os.path.join(self._directory, name)
        if name not in self._warned:
            self._warned.add(name)
            log.warning("%s is left out of listings: %s", path, reason)
        return f"{path}: {reason}"


def _beginning(prefix: str) -> str:
    """What the names begin with that keys with a prefix have: readable characters stay, in hashed names too."""
    match = _SAME_IN_NAMES.match(plain_name(prefix))
    return match[0] if match else ""


def _fingerprints(base: str) -> tuple[Fingerprint, Fingerprint]:
    return fingerprint(base + META_SUFFIX), fingerprint(base + DATA_SUFFIX)


def _size(of: Fingerprint) -> int:
    return of[1] if of else 0
