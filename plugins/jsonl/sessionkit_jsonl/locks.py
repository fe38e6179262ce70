"""One writer at a time for each session, over all threads and processes.

The sessions of a directory share one lock file, which is never renamed nor removed. A session's lock is one byte of
it, chosen by what its file name is on the most forgiving file system: keys that could meet in one file share a
lock. The byte is locked for the *open file* (not for the process, whose locks would vanish as soon as any thread
closed any descriptor of the file); as threads share the open file, a mutex of the process stands in front. Where a
system has no such locks on bytes, the whole file is one lock.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import weakref
from collections.abc import Iterator
from typing import Final

from sessionkit.filenames import folded, plain_name
from sessionkit_jsonl import platforms
from sessionkit_jsonl.files import Files, OpenFile, inode_of, naming, status_of

LOCK_NAME: Final = ".sessionkit.lock"


def slot_of(key: str) -> int:
    """The byte that stands for a session."""
    digest = hashlib.blake2b(folded(plain_name(key)).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") % platforms.current.slots


class Locks:
    """The locks of one directory, for one open backend.

    A forked child starts with locks of its own: its copies of the mutexes may be held by threads that it does not
    have, and its copy of the open file would keep the parent's locks after the parent is gone.
    """

    def __init__(self, directory: str, files: Files) -> None:
        self._path = os.path.join(directory, LOCK_NAME)
        self._files = files
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._file: OpenFile | None = None
        self._opening = threading.Lock()
        self._mutexes: dict[int, threading.Lock] = {}

    @contextlib.contextmanager
    def holding(self, slot: int) -> Iterator[None]:
        """Hold a session's lock; waits for it."""
        with self._mutexes.setdefault(slot, threading.Lock()):
            file = self._lock(slot)
            try:
                yield
            finally:
                _unlock(file, slot)

    def close(self) -> None:
        """Close the lock file."""
        with self._opening:
            self._file = None

    def _lock(self, slot: int) -> OpenFile:
        while True:
            file = self._file or self._open(None)
            _lock(file, slot)
            status = status_of(self._path)
            if status is not None and inode_of(status) == file.inode:
                return file
            _unlock(file, slot)  # somebody removed the lock file: this one excludes nobody
            self._open(file)

    def _open(self, stale: OpenFile | None) -> OpenFile:
        with self._opening:
            if self._file is None or self._file is stale:
                self._file = self._files.open_lock(self._path)
            return self._file


def _lock(file: OpenFile, slot: int) -> None:
    with naming(file.path):
        platforms.current.lock(file.fd, slot)


def _unlock(file: OpenFile, slot: int) -> None:
    with naming(file.path):
        platforms.current.unlock(file.fd, slot)


_all: weakref.WeakSet[Locks] = weakref.WeakSet()


def _reset_in_child() -> None:
    for locks in list(_all):
        locks._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
