"""What an open backend remembers of a session, and how it looks at the files without a lock."""

from __future__ import annotations

import logging
import threading
from collections import OrderedDict
from typing import Any, Final

from sessionkit_jsonl import directory
from sessionkit_jsonl.files import OpenFile, inode_of, open_for_reading, status_of
from sessionkit_jsonl.group import Queue
from sessionkit_jsonl.headers import find_header
from sessionkit_jsonl.index import Index
from sessionkit_jsonl.locks import slot_of
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import Header
from sessionkit_jsonl.meta import State
from sessionkit_jsonl.stretch import Last
from sessionkit_jsonl.tail import Tail

log: Final = logging.getLogger("sessionkit.jsonl")

_OPEN_SESSIONS: Final = 128
"""How many sessions keep their two files open."""

_REMEMBERED_SESSIONS: Final = 4096
"""How many sessions keep their index."""


class Entry:
    """One session. Everything here is used with ``mutex`` held, but for ``queue`` and what is the lock holder's.

    Attributes:
        durable: the data file whose name is known to be durable, as long as it is held open.
        tail: what the last append left, for whoever holds the session's lock.
        queue: those who append.
    """

    def __init__(self, path: str, key: str) -> None:
        self.key = key
        self.slot = slot_of(key)
        self.mutex = threading.Lock()
        self.durable: tuple[int, int] | None = None
        self.tail: Tail | None = None
        self.queue = Queue(key)
        self._directory = path
        self._found: directory.Found | None = None
        self._data: OpenFile | None = None
        self._header: Header | None = None
        self._index = Index(0)
        self._data_inode: tuple[int, int] | None = None
        self._warned = False
        self._collected: list[dict[str, Any]] | None = None

    def look(self, *, collect: bool = False) -> Look:
        """See what the session is now.

        Args:
            collect: keep the messages that are decoded on the way, for the :meth:`values` that follow.
        """
        found = self._find()
        self._open_data(found.base + directory.DATA_SUFFIX)
        self._collected = None
        if self._data is None:
            return self._warn(Look(key=self.key, base=found.base, meta_file=found.meta_file, meta=found.meta))
        status = self._data.status()
        if status.st_size < self._index.end:
            self._index = Index(0)
        if self._header is None:
            self._header = find_header(self._data, status.st_size)
        meta = found.meta.effective(self._header.nonce) if self._header else found.meta
        self._index = self._index.following(self._data, meta.skip)
        if collect and not self._index.seen:
            self._collected = []
        rest = self._index.advance(self._data, status.st_size, self._collected)
        return self._warn(
            Look(
                key=self.key,
                base=found.base,
                meta_file=found.meta_file,
                meta=meta,
                data=self._data,
                header=self._header,
                size=status.st_size,
                modified_ns=status.st_mtime_ns,
                index=self._index,
                rest=rest,
            )
        )

    def _find(self) -> directory.Found:
        found = self._found
        if found is None or not found.is_current():
            found = directory.find(self._directory, self.key)
            self._found = found
        return found

    def _open_data(self, path: str) -> None:
        if self._data is not None and self._data.path == path and _is_at(self._data, path):
            return
        self._data = open_for_reading(path)
        if self._data is None or self._data.inode != self.durable:
            self.durable = None
        if self._data is None:
            self._forget_data()
        elif self._data.inode != self._data_inode or not self._is_remembered(self._data):
            self._forget_data()
            self._data_inode = self._data.inode

    def _is_remembered(self, file: OpenFile) -> bool:
        """Whether a file is the one that the index speaks of: a file's number alone may be another's by now."""
        size = file.status().st_size
        header = self._header
        return header is not None and header.written and self._index.end <= size and header == find_header(file, size)

    def _forget_data(self) -> None:
        self._header = None
        self._index = Index(0)
        self._data_inode = None

    def is_current(self, look: Look) -> bool:
        """Whether the document that a look saw is still in place, so that what it saw of both files fits together.

        A log without document counts only if it still has its name when there still is no document. Otherwise the
        document may have come after the look and gone before now, with the session, which may have been another key's.
        """
        if look.meta_file is None:
            return status_of(look.meta_path) is None and (look.data is None or _is_at(look.data, look.data_path))
        return _is_at(look.meta_file, look.meta_path)

    def values(self, look: Look, first: int, last: int) -> list[dict[str, Any]]:
        """The messages from one position up to before another one, decoded. They are the caller's."""
        index = look.index
        known = index.seen - index.hidden
        rest = look.rest.values[max(first - known, 0) : max(last - known, 0)]
        collected, self._collected = self._collected, None
        if look.data is None:
            return []
        if collected is not None and len(collected) == known and not index.hidden:
            return collected[first:last] + rest
        return index.values(look.data, index.hidden + first, index.hidden + min(last, known)) + rest

    def use(self, look: Look, file: OpenFile) -> None:
        """Use a file that was opened for appending in place of the one for reading."""
        if look.data is self._data:
            self._data = file

    def found(self, look: Look) -> directory.Found | None:
        """The document that a look saw; None when another one was found since."""
        found = self._found
        return found if found is not None and found.meta_file is look.meta_file else None

    def note_append(self, file: OpenFile, start: int, size: int, count: int, last: Last) -> None:
        """Take in what this process appended, if that is where the index ends."""
        if self._data is file:
            self._index.note_append(start, size, count, last)

    def release(self) -> None:
        """Close the files; what is known of them stays."""
        self.tail = None
        self._found = None
        self._data = None
        self.durable = None
        self._collected = None

    def _warn(self, look: Look) -> Look:
        """Say once what is wrong with the files. Contents never appear in a log."""
        if self._warned:
            return look
        dead = look.index.dead + look.rest.dead
        if dead:
            log.warning("session %r: %d damaged lines in %s are passed over", self.key, dead, look.data_path)
        if look.meta.state is State.DAMAGED:
            log.warning("session %r: %s cannot be read; it is made anew at the next write", self.key, look.meta_path)
        self._warned = bool(dead) or look.meta.state is State.DAMAGED
        return look


def _is_at(file: OpenFile, path: str) -> bool:
    status = status_of(path)
    return status is not None and inode_of(status) == file.inode


class Entries:
    """The entries of a backend: the sessions used last keep their files open, and more of them their index."""

    def __init__(self, path: str) -> None:
        self._directory = path
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._open: OrderedDict[str, Entry] = OrderedDict()

    def get(self, key: str) -> Entry:
        """A session's entry."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(self._directory, key)
                if len(self._entries) > _REMEMBERED_SESSIONS:
                    self._entries.popitem(last=False)
            self._entries.move_to_end(key)
            self._open[key] = entry
            self._open.move_to_end(key)
            idle = self._open.popitem(last=False)[1] if len(self._open) > _OPEN_SESSIONS else None
        if idle is not None and idle.mutex.acquire(blocking=False):  # one in use is released when it comes round again
            try:
                idle.release()
            finally:
                idle.mutex.release()
        return entry

    def passing(self, key: str) -> Entry:
        """A session's entry, for one look that leaves no trace: a listing must not displace the sessions in use."""
        with self._lock:
            entry = self._entries.get(key)
        return entry or Entry(self._directory, key)

    def clear(self) -> None:
        """Forget everything; files close when nobody uses them any more."""
        with self._lock:
            self._entries.clear()
            self._open.clear()
