"""Messages that are kept decoded, so that a history that was read is not read again.

What is kept of a session belongs to the index of its data file and goes with it: the index knows when the file was
replaced or cut. Messages are immutable, so that all readers can have the same ones; the lists are not handed out.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sessionkit.messages import Message
from sessionkit_jsonl.index import Index

_MESSAGE_BYTES: Final = 400
"""What a message takes in memory beside its bytes, about: objects, and the names of fields."""


class Kept(Struct, eq=False):
    """The messages of a data file from one on, up to the last or nearly.

    Attributes:
        index: of the data file.
        first: which one is the first, as the index counts them.
        messages: they.
        position: where in the file they end.
        size: how much memory they take, about.
    """

    index: Index
    first: int
    messages: list[Message]
    position: int
    size: int

    @property
    def end(self) -> int:
        """The position after the last one."""
        return self.first + len(self.messages)


class Cache:
    """What an open store keeps, within a limit: the sessions that were read last.

    Args:
        limit: in bytes, as messages take them in the log and :data:`_MESSAGE_BYTES` more for each; 0 keeps nothing.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._kept: OrderedDict[str, Kept] = OrderedDict()
        self._size = 0

    def takes(self, count: int, size: int) -> bool:
        """Whether so many messages of so many bytes can be kept."""
        return size + count * _MESSAGE_BYTES <= self._limit

    def get(self, key: str, index: Index) -> Kept | None:
        """What is kept of a session, if it is of this index."""
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept.index is not index:
            self.drop(key)
            return None
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
        return kept

    def put(self, key: str, index: Index, first: int, messages: list[Message], position: int) -> None:
        """Keep the messages of a session that stand in its file from a position on."""
        size = index.end - position + len(messages) * _MESSAGE_BYTES
        kept = Kept(index, first, messages, index.end, size)
        with self._lock:
            self._remove(key)
            if kept.size > self._limit:
                return
            self._kept[key] = kept
            self._size += kept.size
            self._shrink()

    def extend(self, key: str, kept: Kept, messages: Sequence[Message], position: int) -> None:
        """Keep the messages that follow what is kept of a session, up to a position."""
        kept.messages += messages
        more = position - kept.position + len(messages) * _MESSAGE_BYTES
        kept.position = position
        with self._lock:
            if self._kept.get(key) is not kept:
                return
            if kept.size + more > self._limit:
                self._remove(key)
                return
            kept.size += more
            self._size += more
            self._shrink()

    def drop(self, key: str) -> None:
        """Keep nothing of a session any more."""
        with self._lock:
            self._remove(key)

    def clear(self) -> None:
        """Keep nothing any more."""
        with self._lock:
            self._kept.clear()
            self._size = 0

    def _remove(self, key: str) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self._size -= kept.size

    def _shrink(self) -> None:
        while self._size > self._limit:
            self._remove(next(iter(self._kept)))
