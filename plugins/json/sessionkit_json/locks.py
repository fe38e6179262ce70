"""Locks between everything that writes to one directory: threads, stores and processes alike.

A lock is held through a descriptor of its own, so that two threads exclude each other as two processes do. The
lock files are never removed: a process that waits for one would hold a file that nobody else finds.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from sessionkit.filenames import folded, plain_name

FOLDER: Final = ".sessionkit-locks"
_SLOTS: Final = 16


@contextmanager
def slot_locked(directory: Path, key: str) -> Iterator[None]:
    """Hold the lock of all sessions whose plain names a file system may take for this one's.

    Raises:
        OSError: the lock file cannot be made, or the file system has no locks.
    """
    slot = hashlib.sha256(folded(plain_name(key)).encode()).digest()[0] % _SLOTS
    descriptor = _open(directory / FOLDER / f"{slot:x}")
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        # Explicitly: a process forked meanwhile has the descriptor too, and would hold on to the lock.
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except FileNotFoundError:  # the first lock in this directory
        with suppress(FileExistsError):  # not the first any more
            path.parent.mkdir(mode=0o700)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
