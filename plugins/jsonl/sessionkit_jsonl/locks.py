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
from sessionkit_jsonl.files import Files, OpenFile, inode_of, status_of
from sessionkit_jsonl.names import Names

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
        self._directory = directory
        self._path = os.path.join(directory, LOCK_NAME)
        self._files = files
        self._reset()
        _all.add(self)

    def _reset(self) -> None:
        self._file: OpenFile | None = None
        self._opening = threading.Lock()
        self._slots: dict[int, Slot] = {}
        self.names = Names(self._directory)

    @contextlib.contextmanager
    def holding(self, number: int) -> Iterator[None]:
        """Hold a session's lock; waits for it."""
        slot = self.slot(number)
        with slot.mutex:
            file = self.file()
            slot.lock(file)
            file = self.confirm(slot, file)
            try:
                yield
            finally:
                slot.unlock(file)

    def slot(self, number: int) -> Slot:
        """What belongs to a slot. Whoever locks it holds its mutex."""
        slot = self._slots.get(number)
        return self._slots.setdefault(number, Slot(number)) if slot is None else slot

    def file(self) -> OpenFile:
        """The lock file. A lock on it counts if it is still in its place."""
        return self._file or self._open(None)

    def confirm(self, slot: Slot, file: OpenFile) -> OpenFile:
        """See to it that a lock counts: somebody may have removed the lock file, and then it excludes nobody.

        Returns:
            The file that is locked now.
        """
        while not self.is_current(file):
            slot.unlock(file)
            file = self._open(file)
            slot.lock(file)
        return file

    def is_current(self, file: OpenFile) -> bool:
        """Whether a lock file is in its place."""
        status = status_of(self._path)
        return status is not None and inode_of(status) == file.inode

    def exist(self) -> bool:
        """Whether there is a lock file: where there is none, nobody has ever locked anything."""
        return status_of(self._path) is not None

    def close(self) -> None:
        """Close the lock file."""
        with self._opening:
            self._file = None
        self.names.close()

    def _open(self, stale: OpenFile | None) -> OpenFile:
        with self._opening:
            if self._file is None or self._file is stale:
                self._file = self._files.open_lock(self._path)
            return self._file


class Slot:
    """One byte of the lock file, and the mutex in front of it."""

    __slots__ = ("_number", "mutex")

    def __init__(self, number: int) -> None:
        self.mutex = threading.Lock()
        self._number = number

    def lock(self, file: OpenFile) -> None:
        """Wait for the lock."""
        try:
            platforms.current.lock(file.fd, self._number)
        except OSError as error:
            error.filename = file.path
            raise

    def unlock(self, file: OpenFile) -> None:
        """Give it up."""
        try:
            platforms.current.unlock(file.fd, self._number)
        except OSError as error:
            error.filename = file.path
            raise


_all: weakref.WeakSet[Locks] = weakref.WeakSet()


def _reset_in_child() -> None:
    for locks in list(_all):
        locks._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
