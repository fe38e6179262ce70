"""What is in the directory, for listings: which sessions have a document, and what stands in it but messages."""

from __future__ import annotations

import logging
import threading
import time
from bisect import bisect_left, bisect_right
from itertools import islice, takewhile
from pathlib import Path
from typing import Final

import attrs

from sessionkit.errors import CorruptSessionError
from sessionkit.filenames import folded, hashed_name, must_be_hashed, plain_name
from sessionkit.sessions import SessionInfo
from sessionkit_json.directory import SUFFIX, SessionDirectory, fingerprint, read, unavailable
from sessionkit_json.temporary import Fingerprint

_logger = logging.getLogger("sessionkit_json")

_SETTLED_NS: Final = 2_000_000_000
"""A directory that changed so shortly before it was looked at may change again under the same time."""


@attrs.frozen
class _Entry:
    fingerprint: Fingerprint | None  # None: the file was gone
    info: SessionInfo | None  # None: not the document of a session that is found by this name
    problem: str = ""  # what is wrong with the document of a session


@attrs.frozen
class _Index:
    modified: int
    settled: bool
    keys: list[str]  # sorted
    paths: dict[str, Path]
    problems: tuple[str, ...] = ()


class Catalog:
    """Remembers what each document said, by the file's fingerprint: a document is read once for each change.

    Documents are read one at a time, and only what a listing tells is kept. While nothing in the directory
    changes, it is not even looked through again.
    """

    def __init__(self, directory: SessionDirectory) -> None:
        self._directory = directory
        self._entries: dict[str, _Entry] = {}
        self._index = _Index(0, False, [], {})
        self._lock = threading.Lock()

    def keys(self, prefix: str, cursor: str | None, count: int) -> list[str]:
        """The first keys that begin with a prefix and come after the cursor, in order.

        Raises:
            BackendUnavailableError: the directory cannot be read.
        """
        with self._lock, unavailable(f"the sessions in {self._directory.path} cannot be listed"):
            keys = self._fresh_index().keys
        first = bisect_left(keys, prefix)
        if cursor is not None:
            first = max(first, bisect_right(keys, cursor))
        # The keys of a prefix stand together.
        return list(takewhile(lambda key: key.startswith(prefix), islice(keys, first, first + count)))

    def unreadable(self) -> tuple[str, ...]:
        """What is missing among the keys because it cannot be read, as of the last look: a line for people each."""
        with self._lock:
            return self._index.problems

    def info(self, key: str) -> SessionInfo | None:
        """What is to be told of a session; None when its document is gone or unreadable meanwhile."""
        with self._lock:
            path = self._index.paths.get(key)
            if path is None:
                return None
            with unavailable(f"session {key!r} cannot be listed: {path}"):
                info = self._entry(path).info
        return info if info is not None and info.key == key else None

    def _fresh_index(self) -> _Index:
        looked = time.time_ns()
        modified = self._directory.path.stat().st_mtime_ns
        if not self._index.settled or self._index.modified != modified:
            paths, complete, problems = self._scan()
            settled = complete and looked - modified > _SETTLED_NS
            self._index = _Index(modified, settled, sorted(paths), paths, tuple(problems))
        return self._index

    def _scan(self) -> tuple[dict[str, Path], bool, list[str]]:
        """The paths; whether every file was a session's (others may become one without the directory changing); and
        what is wrong with those that are none.
        """
        found: dict[str, Path] = {}
        complete = True
        problems: list[str] = []
        present = set()
        for path in self._directory.files():
            present.add(path.name)
            try:
                entry = self._entry(path)
            except OSError as error:  # this one cannot be read now; the others can
                entry = _left_out(None, f"{path} cannot be read: {error.strerror}")
            if entry.problem:
                problems.append(entry.problem)
            info = entry.info
            if info is None:
                complete = False
            elif info.key not in found or _stem(path) == hashed_name(info.key):
                # When there are two files of one session, reading takes the hashed one.
                found[info.key] = path
        for name in self._entries.keys() - present:
            del self._entries[name]
        return found, complete, problems

    def _entry(self, path: Path) -> _Entry:
        present = fingerprint(path)
        entry = self._entries.get(path.name)
        if entry is None or entry.fingerprint != present:
            entry = self._entries[path.name] = _read_entry(path, present)
        return entry


def _left_out(fingerprint: Fingerprint | None, problem: str) -> _Entry:
    _logger.warning("left out of the listing: %s", problem)
    return _Entry(fingerprint, None, problem)


def _read_entry(path: Path, fingerprint: Fingerprint | None) -> _Entry:
    try:
        file = read(path)
    except CorruptSessionError as error:
        return _left_out(fingerprint, str(error))
    if file is None:
        return _Entry(fingerprint, None)
    session = file.document.session
    names = plain_name(session.key), hashed_name(session.key)
    if folded(_stem(path)) not in map(folded, names):
        name = names[must_be_hashed(session.key)] + SUFFIX
        return _left_out(
            fingerprint, f"{path} is named otherwise than its session {session.key!r}; rename it to {name}"
        )
    return _Entry(fingerprint, session.info(size=None if fingerprint is None else fingerprint.size))


def _stem(path: Path) -> str:
    return path.name[: -len(SUFFIX)]
