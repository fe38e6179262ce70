"""Whether the names in a directory may have changed, asked with one cheap call.

A writer has to know that the lock file and the document which it holds open still have their names. Looking at their
paths before every append takes its time. Where the kernel tells of changes (inotify on Linux, for file systems of
this machine), one call says that nothing was made, renamed, removed or written anew in the whole directory since the
paths were looked at last. Elsewhere they are looked at each time.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import threading
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

_EVENT_BYTES: Final = 64 * 1024
_NOTHING: Final = bytes(4)


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
        return next(self._numbers) if watch is None else watch.mark()

    def confirm(self) -> int:
        """The same, and see to it that it is the directory of the path that is watched."""
        watch = self._watch
        if watch is None:
            self._remaining -= 1
            if self._remaining == 0:
                self._watch = _watch(self._directory)
        elif not watch.is_at(self._directory):
            self._watch, self._remaining = None, self._patience
        return self.mark()


def _watch(directory: str) -> _Watch | None:
    """A watch, None where there is no such thing, or none left, or where it would not tell of every change."""
    if not platforms.current.watches or not is_local(Path(directory)):
        return None
    try:
        return _Watch(directory)
    except (ImportError, AttributeError, OSError):  # Python or its C library lacks something, or there are too many
        return None


class _Watch:
    """An inotify instance that tells of one directory, which is held open so that no other one takes its inode."""

    def __init__(self, directory: str) -> None:
        self._fd = self._held = -1
        import ctypes  # takes as long as opening a store
        from fcntl import ioctl  # these two are not everywhere
        from termios import FIONREAD

        self._changes = 0
        self._draining = threading.Lock()
        self._ask: Callable[[int, int, bytes], bytes] = ioctl
        self._unread = FIONREAD
        self._held = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        self._inode = inode_of(os.fstat(self._held))
        system = ctypes.CDLL(None, use_errno=True)
        self._fd = system.inotify_init1(os.O_NONBLOCK | os.O_CLOEXEC)
        if self._fd < 0 or system.inotify_add_watch(self._fd, b"/proc/self/fd/%d" % self._held, _EVENTS) < 0:
            raise OSError(ctypes.get_errno(), "inotify")

    def is_at(self, directory: str) -> bool:
        status = status_of(directory)
        return status is not None and inode_of(status) == self._inode

    def mark(self) -> int:
        if self._ask(self._fd, self._unread, _NOTHING) != _NOTHING:
            self._drain()
        return self._changes

    def _drain(self) -> None:
        """Take events out. Whoever asks meanwhile must not miss them: so the number changes before, and after too."""
        with self._draining:
            self._changes += 1
            with contextlib.suppress(BlockingIOError):
                os.read(self._fd, _EVENT_BYTES)
            self._changes += 1
