"""What is to be said of a directory in which a backend keeps its files: rights, file system, room.

For the hook ``sessionkit_diagnose`` of such backends, so that all of them look at the same.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from sessionkit.findings import Finding
from sessionkit.mounts import IN_MEMORY, NETWORK, file_system
from sessionkit.sizes import size

LITTLE_ROOM: Final = 1 << 30
"""Bytes that are free below which it is a warning."""

NO_ROOM: Final = 64 << 20
"""Bytes that are free below which it is a problem: the next compaction may not fit."""

FEW_FILES: Final = 10_000
NO_FILES: Final = 100


def check_directory(path: Path, probe: str) -> Iterator[Finding]:
    """Look at a directory, and write a file into it.

    Args:
        path: the directory.
        probe: the name of the file, which nobody else uses; it is removed again.
    """
    try:
        status = path.stat()
        names = os.listdir(path)
    except OSError as error:
        advice = "make it, give it back, or correct the path in the configuration"
        yield Finding.problem("directory", f"{path} cannot be read: {_reason(error)}", advice)
        return
    yield Finding.ok("directory", f"{path.absolute()}, with {'1 file' if len(names) == 1 else f'{len(names):,} files'}")
    yield _rights(path, status)
    yield _writing(path, probe)
    yield _file_system(path)
    yield from _room(path)


def _rights(path: Path, status: os.stat_result) -> Finding:
    mode = stat.S_IMODE(status.st_mode)
    shown = f"mode {mode:04o}, owner {_owner(status.st_uid)}"
    if not hasattr(os, "geteuid"):
        return Finding.unknown("rights", "this system tells them in another way")
    if mode & stat.S_IWOTH and not mode & stat.S_ISVTX:
        found = f"{shown}: anybody can remove and replace conversations"
        return Finding.problem("rights", found, f"chmod 0700 {path}")
    if mode & stat.S_IXOTH:
        found = f"{shown}: other users of this machine may look into the directory; the files themselves are private"
        return Finding.warning("rights", found, f"chmod 0700 {path}, or 0750 for a group")
    if status.st_uid not in (os.geteuid(), 0):
        found = f"{shown}: it belongs to another user than this process"
        return Finding.warning("rights", found, f"run as that user, or chown {_owner(os.geteuid())} {path}")
    return Finding.ok("rights", shown)


def _owner(uid: int) -> str:
    try:
        import pwd

        return pwd.getpwuid(uid).pw_name
    except (ImportError, KeyError):
        return str(uid)


def _writing(path: Path, probe: str) -> Finding:
    file = path / probe
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            os.write(descriptor, b"probe\n")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        advice = "give this process the right to write there, make room, or mount the file system for writing"
        return Finding.problem("writing", f"a file cannot be written to {path}: {_reason(error)}", advice)
    finally:
        with suppress(OSError):
            file.unlink()
    return Finding.ok("writing", "a file was written, synced and removed")


def _file_system(path: Path) -> Finding:
    kind = file_system(path)
    if not kind:
        return Finding.unknown("file system", "this system does not tell what kind it is")
    if kind in NETWORK:
        found = f"{kind}, of another machine: locks and syncs may not hold there"
        return Finding.warning("file system", found, "use a local disk, or let one machine alone use the directory")
    if kind in IN_MEMORY:
        found = f"{kind}, in memory: everything is gone after a restart"
        return Finding.warning("file system", found, "use a directory on a disk")
    if kind == "overlay":
        found = "overlay, the layer of a container: everything is gone when the container is removed"
        return Finding.warning("file system", found, "mount a volume there")
    return Finding.ok("file system", kind)


def _room(path: Path) -> Iterator[Finding]:
    if not hasattr(os, "statvfs"):
        yield Finding.unknown("room", "this system tells it in another way")
        return
    room = os.statvfs(path)
    free = room.f_bavail * room.f_frsize
    found = f"{size(free)} free"
    if free < NO_ROOM:
        yield Finding.problem("room", found, "make room: soon nothing can be written any more")
    elif free < LITTLE_ROOM:
        yield Finding.warning("room", found, "make room before it is used up")
    else:
        yield Finding.ok("room", found)
    if not room.f_files:  # such as btrfs, which makes them as they are needed
        return
    files = f"{room.f_favail:,} more files can be made"
    if room.f_favail < NO_FILES:
        yield Finding.problem("inodes", files, "remove files: soon no session can be begun any more")
    elif room.f_favail < FEW_FILES:
        yield Finding.warning("inodes", files, "remove files before they are used up")


def _reason(error: OSError) -> str:
    return error.strerror or type(error).__name__
