"""What an open backend remembers of a session, and how it looks at the files without a lock."""

from __future__ import annotations

import logging
import os
import threading
from collections import OrderedDict, deque
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

from msgspec.structs import replace

from sessionkit.messages import Message
from sessionkit_jsonl import directory
from sessionkit_jsonl.cache import Cache
from sessionkit_jsonl.collector import resting
from sessionkit_jsonl.files import OpenFile, inode_of, open_for_reading, status_of
from sessionkit_jsonl.group import Queue
from sessionkit_jsonl.headers import find_header
from sessionkit_jsonl.index import Index
from sessionkit_jsonl.locks import slot_of
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import Header
from sessionkit_jsonl.meta import State
from sessionkit_jsonl.stretch import Last, Stretch
from sessionkit_jsonl.tail import Tail

log: Final = logging.getLogger("sessionkit.jsonl")

_OPEN_SESSIONS: Final = 128
"""How many sessions keep their two files open."""

_REMEMBERED_SESSIONS: Final = 4096
"""How many sessions keep their index."""

Appended: TypeAlias = tuple[OpenFile, int, int, int, Last, Sequence[Message]]
"""A file, where in it what was appended, how many bytes and messages, where the last ends; they, if such are kept."""

_LARGE_READ: Final = 1 << 20
_MANY: Final = 1000
"""From how many bytes or messages on a read is large."""


class Entry:
    """One session. Everything here is used with ``mutex`` held, but for ``queue`` and what is the lock holder's.

    Attributes:
        durable: the data file whose name is known to be durable, as long as it is held open.
        tail: what the last append left, for whoever holds the session's lock.
        news: what this process appended since the last look, for the index; whoever appends adds to it without
            ``mutex``.
        queue: those who append.
        keeps: whether what was read last is kept decoded: then what is appended may be, too.
    """

    def __init__(self, path: str, key: str, cache: Cache | None = None, found: directory.Found | None = None) -> None:
        self.key = key
        self.slot = slot_of(key)
        self.mutex = threading.Lock()
        self.durable: tuple[int, int] | None = None
        self.tail: Tail | None = None
        self.queue = Queue(key)
        self.news: deque[Appended] = deque()
        self.keeps = False
        self._directory = path
        self._cache = cache or Cache(0)
        self._found = found
        self._data: OpenFile | None = None
        self._header: Header | None = None
        self._index = Index(0)
        self._data_inode: tuple[int, int] | None = None
        self._warned = False
        self._last: Look | None = None
        self._is_steady = False
        self._collected: list[Message] | None = None

    def look(self, *, collect: bool = False) -> Look:
        """See what the session is now.

        Args:
            collect: keep the messages that are decoded on the way, for the :meth:`messages` that follow.
        """
        if self.news:
            self.take_in_news()
        last, self._last = self._last, None
        self._collected = None
        self._is_steady = False
        found = self._find()
        status = self._open_data(found.base + directory.DATA_SUFFIX)
        if self._data is None or status is None:
            return self._warn(Look(key=self.key, base=found.base, meta_file=found.meta_file, meta=found.meta))
        size = status.st_size
        if last is not None and last.data is self._data and size == self._index.end:
            self._last = self._again(last, found, status)
            self._is_steady = last.size == size or self._last is not None
            if self._last is not None:
                return self._last
        if size < self._index.end:
            self._index = Index(0)
        if self._header is None:
            self._header = find_header(self._data, size)
        meta = found.meta.effective(self._header.nonce) if self._header else found.meta
        self._index = self._index.following(self._data, meta.skip)
        rest = self._advance(self._data, size, collect=collect)
        self._last = Look(
            key=self.key,
            base=found.base,
            meta_file=found.meta_file,
            meta=meta,
            data=self._data,
            header=self._header,
            size=size,
            modified_ns=status.st_mtime_ns,
            index=self._index,
            rest=rest,
        )
        return self._warn(self._last)

    def _again(self, last: Look, found: directory.Found, status: os.stat_result) -> Look | None:
        """The last look, if nothing is new but what the index knows that this process appended; else None."""
        if last.meta_file is not found.meta_file:
            return None
        if last.size == status.st_size:
            return last if last.modified_ns == status.st_mtime_ns else None
        if last.index is not self._index or last.rest.size:
            return None
        return replace(last, size=status.st_size, modified_ns=status.st_mtime_ns)

    def _advance(self, file: OpenFile, size: int, *, collect: bool) -> Stretch:
        """Take in what was appended; its messages are decoded when they are wanted at once, or kept."""
        index = self._index
        start, kept = index.end, self._cache.get(self.key, index)
        if kept is not None and kept.end != index.seen:
            kept = None
        if kept is None and not (collect and not index.seen):
            return index.advance(file, size)
        with resting(when=size - start > _LARGE_READ):
            found: list[dict[str, Any]] = []
            rest = index.advance(file, size, found)
            messages = Message.adopt_all(found)
        if kept is not None:
            self._cache.extend(self.key, kept, messages, index.end)
        else:
            self._collected = messages
            self._cache.put(self.key, index, 0, messages, start)
        return rest

    def _find(self) -> directory.Found:
        found = self._found
        if found is None or not found.is_current():
            found = directory.find(self._directory, self.key)
            self._found = found
        return found

    def unread_log(self) -> OpenFile | None:
        """See :meth:`Entries.unread_log`."""
        with self.mutex:
            return None if self._index.end else open_for_reading(self._find().base + directory.DATA_SUFFIX)

    def _open_data(self, path: str) -> os.stat_result | None:
        """See to it that the open data file is the one of a path, and what it is; None when there is none."""
        status = status_of(path)
        held = self._data
        if held is not None and held.path == path and status is not None and inode_of(status) == held.inode:
            return status
        self._data = open_for_reading(path)
        if self._data is None or self._data.inode != self.durable:
            self.durable = None
        if self._data is None:
            self._forget_data()
            return None
        status = self._data.status()
        if self._data.inode != self._data_inode or not self._is_remembered(self._data, status.st_size):
            self._forget_data()
            self._data_inode = self._data.inode
        return status

    def _is_remembered(self, file: OpenFile, size: int) -> bool:
        """Whether a file is the one that the index speaks of: a file's number alone may be another's by now."""
        header = self._header
        return header is not None and header.written and self._index.end <= size and header == find_header(file, size)

    def _forget_data(self) -> None:
        self._header = None
        self._index = Index(0)
        self._data_inode = None

    def is_current(self, look: Look) -> bool:
        """Whether what a look saw of both files fits together: they were there at one moment.

        The document was read first. If the data file was known before that and did not change up to the end of the
        look, it was the same when the document was read. Else the document has to be in place still.

        A log without document counts only if it still has its name when there still is no document. Otherwise the
        document may have come after the look and gone before now, with the session, which may have been another key's.
        """
        if self._is_steady:
            return True
        if look.meta_file is None:
            return status_of(look.meta_path) is None and (look.data is None or _is_at(look.data, look.data_path))
        return _is_at(look.meta_file, look.meta_path)

    def messages(self, look: Look, first: int, last: int) -> list[Message]:
        """The messages from one position up to before another one, in a list of the caller's."""
        index = look.index
        start, end = index.hidden + first, index.hidden + last
        found = self._settled(look, start, min(end, index.seen)) if start < index.seen else []
        self.keeps = self._cache.get(self.key, index) is not None
        self._collected = None
        rest = look.rest.values[max(start - index.seen, 0) : max(end - index.seen, 0)]
        return found + Message.adopt_all(rest) if rest else found

    def _settled(self, look: Look, first: int, last: int) -> list[Message]:
        index, file = look.index, look.data
        if first >= last or file is None:
            return []
        if self._collected is not None:
            return self._collected[first:last]
        kept = self._cache.get(self.key, index)
        if kept is not None and kept.first <= first:
            if kept.end < last:  # this process appended something
                new = Message.adopt_all(index.new_values(file, kept.position))
                self._cache.extend(self.key, kept, new, index.end)
            return kept.messages[first - kept.first : last - kept.first]
        begin, offset = index.checkpoint(first)
        keep = last == index.seen and self._cache.takes(last - begin, index.end - offset)
        begin = begin if keep else first
        with resting(when=last - begin > _MANY):
            messages = Message.adopt_all(index.values(file, begin, last))
        if keep:
            self._cache.put(self.key, index, begin, messages, offset)
        return messages[first - begin :]

    def use(self, look: Look, file: OpenFile) -> None:
        """Use a file that was opened for appending in place of the one for reading."""
        if look.data is self._data:
            self._data = file

    def found(self, look: Look) -> directory.Found | None:
        """The document that a look saw; None when another one was found since."""
        found = self._found
        return found if found is not None and found.meta_file is look.meta_file else None

    def take_in_news(self) -> None:
        """Take in what this process appended, as far as that is where the index ends.

        A message is what its bytes say, so that those that are kept are the very ones that were appended.
        """
        while self.news:
            file, start, size, count, last, messages = self.news.popleft()
            if self._data is not file or not self._index.note_append(start, size, count, last) or not messages:
                continue
            kept = self._cache.get(self.key, self._index)
            if kept is not None and kept.position == start:
                self._cache.extend(self.key, kept, messages, self._index.end)

    def release(self) -> None:
        """Close the files; what is known of them stays."""
        self.tail = None
        self.news.clear()
        self._found = None
        self._data = None
        self._last = None
        self._collected = None
        self.durable = None

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

    def __init__(self, path: str, cache: Cache) -> None:
        self._directory = path
        self._cache = cache
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, Entry] = OrderedDict()
        self._open: OrderedDict[str, Entry] = OrderedDict()
        self._latest: Entry | None = None

    def get(self, key: str) -> Entry:
        """A session's entry."""
        latest = self._latest
        if latest is not None and latest.key == key:
            return latest
        with self._lock:
            entry = self._entries.get(key)
            if entry is None:
                entry = self._entries[key] = Entry(self._directory, key, self._cache)
                if len(self._entries) > _REMEMBERED_SESSIONS:
                    self._entries.popitem(last=False)
            self._entries.move_to_end(key)
            self._open[key] = entry
            self._open.move_to_end(key)
            self._latest = entry
            idle = self._open.popitem(last=False)[1] if len(self._open) > _OPEN_SESSIONS else None
        if idle is not None and idle.mutex.acquire(blocking=False):  # one in use is released when it comes round again
            try:
                idle.release()
            finally:
                idle.mutex.release()
        return entry

    def passing(self, key: str, found: directory.Found) -> Entry:
        """A session's entry, for one look that leaves no trace: a listing must not displace the sessions in use.

        Args:
            key: the session.
            found: its document.
        """
        with self._lock:
            entry = self._entries.get(key)
        return entry or Entry(self._directory, key, found=found)

    def unread_log(self, key: str) -> OpenFile | None:
        """A session's data file, if nothing of it was read yet; for those who can do with its bytes."""
        with self._lock:
            entry = self._entries.get(key)
        if entry is not None:
            return entry.unread_log()
        return open_for_reading(directory.find(self._directory, key).base + directory.DATA_SUFFIX)

    def clear(self) -> None:
        """Forget everything; files close when nobody uses them any more."""
        with self._lock:
            self._entries.clear()
            self._open.clear()
            self._latest = None
        self._cache.clear()
