"""Temporary files, published by a rename, and what dead processes left of them.

Whoever writes one holds a lock on it. A temporary file that nobody holds belongs to a process that died, whatever
its number was and in whichever container it ran.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import attrs

PREFIX: Final = ".sessionkit-json-"
SUFFIX: Final = ".tmp"


@attrs.frozen
class Fingerprint:
    """What tells cheaply that a file is another one, or was written to."""

    inode: int
    size: int
    modified: int

    @classmethod
    def of(cls, status: os.stat_result) -> Fingerprint:
        """The fingerprint of what ``os.stat`` told."""
        return cls(status.st_ino, status.st_size, status.st_mtime_ns)


def fresh_name() -> str:
    """The name of a temporary file that nobody else has."""
    return f"{PREFIX}{os.urandom(8).hex()}{SUFFIX}"


def replace(path: Path, data: bytes) -> Fingerprint:
    """Replace a file (or make it) in one step; whoever reads sees the old file or the whole new one.

    The rename is durable only when the directory is synced.

    Raises:
        OSError: the file is as it was, and nothing is left behind.
    """
    with _temporary(path.parent) as (temporary, descriptor):
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
        os.fsync(descriptor)
        fingerprint = Fingerprint.of(os.fstat(descriptor))
        os.replace(temporary, path)
    return fingerprint


def keep(path: Path, name: Path) -> None:
    """Keep a file under another name too, durably.

    Raises:
        FileExistsError: something has that name.
        OSError: it is not kept.
    """
    try:
        os.link(path, name)
    except PermissionError:  # a file system without links
        with name.open("xb") as copy:
            copy.write(path.read_bytes())
            copy.flush()
            os.fsync(copy.fileno())
    sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    """Make durable which files are in a directory."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(directory: Path) -> None:
    """Remove the temporary files of processes that are no more.

    Raises:
        OSError: the directory cannot be read.
    """
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(PREFIX) and entry.name.endswith(SUFFIX)]
    for name in names:
        with contextlib.suppress(OSError):  # swept by another process, or in a directory that is only for reading
            _remove_unless_held(directory / name)


@contextmanager
def _temporary(directory: Path) -> Iterator[tuple[Path, int]]:
    """A temporary file, which the block renames; after an exception it is removed."""
    path, descriptor = _create(directory)
    try:
        yield path, descriptor
    except BaseException:  # an interrupt, too, leaves nothing behind
        with contextlib.suppress(FileNotFoundError):  # renamed, and interrupted then
            path.unlink()
        raise
    finally:
        os.close(descriptor)


def _create(directory: Path) -> tuple[Path, int]:
    while True:
        path = directory / fresh_name()
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # a file system without locks
            path.unlink()
            os.close(descriptor)
            raise
        if os.fstat(descriptor).st_nlink:
            return path, descriptor
        os.close(descriptor)  # swept by another process before it was held


def _remove_unless_held(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        path.unlink()
    finally:
        os.close(descriptor)
