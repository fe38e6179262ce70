"""What systems do differently: locks, syncs, links. What this one has is found out once, when this is imported.

Windows is not among them. It lets nobody replace or remove a file that somebody has open, and readers here take no
locks and keep their files open: that is no call that another one could stand in for.
"""

from __future__ import annotations

import errno
import os
import struct
import sys
from typing import Final

from msgspec import Struct

from sessionkit.errors import BackendUnavailableError

try:
    import fcntl
except ImportError:  # Windows, and Pythons inside a browser
    _CAN_LOCK = False
    _FULL_SYNC = 0
else:
    _CAN_LOCK = True
    _FULL_SYNC = getattr(fcntl, "F_FULLFSYNC", 0)

INHERIT_NOT: Final = getattr(os, "O_CLOEXEC", 0)
WAIT_NOT: Final = getattr(os, "O_NONBLOCK", 0)
_DIRECTORY: Final = getattr(os, "O_DIRECTORY", 0)

_FLOCK: Final = struct.Struct("@hhqqi4x")
"""``struct flock`` of Linux. Others order its fields differently."""

_NO_FULL_SYNC: Final = frozenset({errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL, errno.ENOTTY})
"""What file systems of macOS answer that do not know the call."""

_NO_DIRECTORY_SYNC: Final = frozenset({errno.EINVAL, errno.ENOTSUP, errno.EOPNOTSUPP})


class Platform(Struct, frozen=True, kw_only=True):
    """What a system has.

    Attributes:
        ranges: locks on single bytes that belong to an open file. Without them the whole lock file is one lock.
        data_sync: ``fdatasync``. Without it, ``fsync`` does more than is needed.
        full_sync: ``F_FULLFSYNC``, without which ``fsync`` does not reach the disk on macOS.
        directory_sync: directories can be opened and synced. Without that, the system sees to names by itself.
        links: a file may have two names.
        watches: ``inotify``: the kernel tells when names in a directory change. Without it they are looked up.
    """

    ranges: bool = True
    data_sync: bool = True
    full_sync: bool = False
    directory_sync: bool = True
    links: bool = True
    watches: bool = True

    @property
    def slots(self) -> int:
        """How many locks a lock file has: so many sessions may be written at once."""
        return 4096 if self.ranges else 1

    def lock(self, fd: int, slot: int) -> None:
        """Lock a slot of a lock file for the open file; waits for it."""
        if self.ranges:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLKW, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, slot, 1, 0))
        else:
            fcntl.flock(fd, fcntl.LOCK_EX)

    def unlock(self, fd: int, slot: int) -> None:
        """Give a slot back."""
        if self.ranges:
            fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_UNLCK, os.SEEK_SET, slot, 1, 0))
        else:
            fcntl.flock(fd, fcntl.LOCK_UN)

    def try_lock(self, fd: int) -> bool:
        """Lock the first slot of a file for the open file, unless somebody else has it."""
        try:
            if self.ranges:
                fcntl.fcntl(fd, fcntl.F_OFD_SETLK, _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, 1, 0))
            else:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # POSIX allows both answers
            return False
        return True

    def held_slot(self, fd: int) -> int | None:
        """The first slot of a lock file that somebody else has; None when there is none."""
        if not self.ranges:
            if self.is_held(fd):
                return 0
            fcntl.flock(fd, fcntl.LOCK_UN)
            return None
        asked = _FLOCK.pack(fcntl.F_WRLCK, os.SEEK_SET, 0, self.slots, 0)
        kind, _, start, _, _ = _FLOCK.unpack(fcntl.fcntl(fd, fcntl.F_OFD_GETLK, asked))
        return None if kind == fcntl.F_UNLCK else int(start)

    def hold(self, fd: int) -> None:
        """Mark an open file as in use."""
        fcntl.flock(fd, fcntl.LOCK_EX)

    def is_held(self, fd: int) -> bool:
        """Whether somebody else has marked a file as in use; else it is marked for the caller."""
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False

    def sync_data(self, fd: int) -> None:
        """Make durable what stands in a file, and its length."""
        if self.data_sync and not self.full_sync:
            os.fdatasync(fd)
        else:
            self.sync(fd)

    def sync(self, fd: int) -> None:
        """Make a file durable, its times and mode too."""
        if self.full_sync:
            try:
                fcntl.fcntl(fd, _FULL_SYNC)
            except OSError as error:
                if error.errno not in _NO_FULL_SYNC:
                    raise
            else:
                return
        os.fsync(fd)

    def sync_directory(self, path: str) -> None:
        """Make the names in a directory durable, where the file system offers that."""
        if not self.directory_sync:
            return
        fd = os.open(path, os.O_RDONLY | _DIRECTORY | INHERIT_NOT)
        try:
            self.sync(fd)
        except OSError as error:
            if error.errno not in _NO_DIRECTORY_SYNC:
                raise
        finally:
            os.close(fd)

    def link(self, source: str, target: str) -> None:
        """Give a file a second name.

        Raises:
            OSError: ``ENOTSUP`` where a file has one name.
        """
        if not self.links:
            raise OSError(errno.ENOTSUP, os.strerror(errno.ENOTSUP), target)
        os.link(source, target)


def _this() -> Platform:
    return Platform(
        ranges=_CAN_LOCK and sys.platform == "linux" and hasattr(fcntl, "F_OFD_SETLKW"),
        data_sync=hasattr(os, "fdatasync"),
        full_sync=bool(_FULL_SYNC),
        directory_sync=bool(_DIRECTORY),
        links=hasattr(os, "link"),
        watches=_CAN_LOCK and sys.platform == "linux",
    )


current = _this()
"""The system that this runs on."""


def require_locks() -> None:
    """Refuse a system on which sessions cannot be locked, nor files replaced that are open.

    Raises:
        BackendUnavailableError: says what to use instead.
    """
    if not _CAN_LOCK:
        raise BackendUnavailableError(
            f"the jsonl backend does not run on this system ({sys.platform}), where open files cannot be locked and "
            "replaced as it needs; use another backend"
        )
