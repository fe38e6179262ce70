"""Whether the names in a directory may have changed, asked with one cheap call.

A writer has to know that the lock file and the document which it holds open still have their names. Looking at their
paths before every append takes its time. Where the kernel tells of changes (inotify on Linux, for file systems of
this machine), one call says that nothing was made, renamed, removed or written anew in the whole directory since the
paths were looked at last. Elsewhere they are looked at each time.
"""

from __future__ import annotations

import itertools
import os
import struct
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Final

from sessionkit_jsonl import platforms
from sessionkit_jsonl.files import inode_of, status_of
from sessionkit_jsonl.mounts import is_local

_PATIENCE: Final = 32
"""After so many questions the watch is worth its making."""

_WRITTEN_ANEW: Final = 0x8
_MOVED: Final = 0x40 | 0x80
_MADE_OR_REMOVED: Final = 0x100 | 0x200
_EVENTS: Final = _WRITTEN_ANEW | _MOVED | _MADE_OR_REMOVED
"""Closing a file after writing is told too; writing is not, for every append would be."""

_EVENT: Final = struct.Struct("iIII")
_EVENT_BYTES: Final = 64 * 1024
_NOTHING: Final = bytes(4)

_firsts: Final = itertools.count(0, 1 << 40)
"""Where each watch begins to count: no two of them ever give the same answer."""


class Names:
    """The names in one directory, as one process sees them. A forked child needs its own.

    Args:
        directory: the path of the directory.
        patience: how many questions are answered without a watch, which takes some milliseconds to make.
    """

    def __init__(self, directory: str, patience: int = _PATIENCE) -> None:
        self._directory = directory
        self._numbers = itertools.count(-1, -1)
        self._patience = self._remaining = patience
        self._watch: _Watch | None = None

    def mark(self) -> int:
        """A number. The same number again: no name in the directory changed in between.

        Changes are known that were complete before the call, whoever made them. It speaks of the directory that had
        the path when :meth:`confirm` was called last.
        """
        watch = self._watch
        if watch is not None and watch.inotify is not None and watch.inotify.take():
            return watch.changes
        return next(self._numbers)

    def confirm(self) -> int:
        """The same, and see to it that it is the directory of the path that is watched."""
        watch = self._watch
        if watch is None:
            self._remaining -= 1
            if self._remaining == 0:
                self._watch = _watch(self._directory)
        elif not watch.is_at(self._directory):
            self.close()
            self._remaining = self._patience
        return self.mark()

    def close(self) -> None:
        """End the watch."""
        watch, self._watch = self._watch, None
        if watch is not None:
            watch.close()


def _watch(directory: str) -> _Watch | None:
    """A watch, None where there is no such thing, or none left, or where it would not tell of every change."""
    if not platforms.current.watches or not is_local(Path(directory)):
        return None
    try:
        held = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        watch = _Watch(held, inode_of(os.fstat(held)))
        with _shared.lock:
            inotify = _shared.inotify()
            if inotify is None:
                inotify = _Inotify()
                _shared.inotify = weakref.ref(inotify)
            return inotify.add(watch)
    except (ImportError, AttributeError, OSError):  # Python or its C library lacks something, or there are too many
        return None


class _Shared:
    """What the stores of a process share: an inotify instance, as a user may have a hundred or so of them."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.inotify: Callable[[], _Inotify | None] = lambda: None


class _Inotify:
    """An inotify instance."""

    def __init__(self) -> None:
        self._fd = -1
        import ctypes  # takes as long as opening a store
        from fcntl import ioctl  # these two are not everywhere
        from termios import FIONREAD

        self._system = ctypes.CDLL(None, use_errno=True)
        self._error = ctypes.get_errno
        self._ask: Callable[[int, int, bytes], bytes] = ioctl
        self._unread = FIONREAD
        self._reading = threading.Lock()
        self._watches: weakref.WeakValueDictionary[int, _Watch] = weakref.WeakValueDictionary()
        self._fd = self._checked(self._system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC))

    def __del__(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)

    def _checked(self, result: int) -> int:
        if result < 0:
            raise OSError(self._error(), "inotify")
        return result

    def add(self, watch: _Watch) -> _Watch:
        """Watch a directory. Returns the watch that counts: stores of one directory share it."""
        number = self._system.inotify_add_watch(self._fd, b"/proc/self/fd/%d" % watch.held, _EVENTS)
        watch = self._watches.setdefault(self._checked(number), watch)
        watch.users += 1
        watch.number, watch.inotify = number, self
        return watch

    def forget(self, watch: _Watch) -> None:
        """End the watch of a directory when nobody needs it any more."""
        watch.users -= 1
        if not watch.users and self._watches.pop(watch.number, None) is not None:
            self._system.inotify_rm_watch(self._fd, watch.number)

    def take(self) -> bool:
        """Count the events that came until now. False when somebody else does so: nobody shall wait for him."""
        if self._ask(self._fd, self._unread, _NOTHING) == _NOTHING and not self._reading.locked():
            return True
        if not self._reading.acquire(blocking=False):
            return False
        try:
            while True:
                self._count(os.read(self._fd, _EVENT_BYTES))
        except BlockingIOError:
            return True
        finally:
            self._reading.release()

    def _count(self, events: bytes) -> None:
        position = 0
        while position < len(events):
            number, _, _, length = _EVENT.unpack_from(events, position)
            position += _EVENT.size + length
            # A queue that ran over is told without number: then anything may have changed.
            for watch in [self._watches.get(number)] if number >= 0 else list(self._watches.values()):
                if watch is not None:
                    watch.changes += 1


class _Watch:
    """The watch of one directory, which is held open so that no other one takes its inode."""

    def __init__(self, held: int, inode: tuple[int, int]) -> None:
        self.held = held
        self.users = 0
        self.changes = next(_firsts)
        self.number = -1
        self.inotify: _Inotify | None = None
        self._inode = inode

    def __del__(self) -> None:
        os.close(self.held)

    def close(self) -> None:
        with _shared.lock:
            if self.inotify is not None:
                self.inotify.forget(self)

    def is_at(self, directory: str) -> bool:
        status = status_of(directory)
        return status is not None and inode_of(status) == self._inode


_shared = _Shared()


def _reset_in_child() -> None:
    _shared.__init__()  # type: ignore[misc]  # in a forked child, that of the parent is not to be touched


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
