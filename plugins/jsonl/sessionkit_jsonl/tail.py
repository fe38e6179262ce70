"""What an append left behind, so that the next one need not look for it."""

from __future__ import annotations

import os

from msgspec import Struct

from sessionkit_jsonl.directory import Found
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.marks import Header


class Tail(Struct, eq=False):
    """The end of a data file to which the next record can be appended as it is.

    The session is there, its document is in order, the last line ends in a newline, and the name of the file is
    durable. All that stays true as long as :meth:`holds`, however long the history is.

    Attributes:
        file: the data file, open for appending.
        size: how long it is.
        header: what it says of itself.
        found: the session's document; held open, as the data file is, so that no other file takes its inode.
        revision: the document's part of the session's version.
        lock: the lock file that was in its place.
        mark: the names of the directory, as they were when the places of the lock file and the document were seen.
        modified_ns: when the file was last written; None when nobody looked since.
        synced: whether all of the file is on disk: it is after an append that was synced, up to ``size``.
        at_rest: whether a save found nothing to do but to sync. Appends leave it at that: they add no garbage.
    """

    file: OpenFile
    size: int
    header: Header
    found: Found
    revision: str
    lock: OpenFile
    mark: int
    modified_ns: int | None
    synced: bool = False
    at_rest: bool = False

    def covers(self, file: OpenFile, size: int) -> bool:
        """Whether all of a file of this length is known to be on disk."""
        return self.synced and self.file.inode == file.inode and self.size == size

    def holds(self) -> bool:
        """Whether the path names the same file still, and nobody else appended to it."""
        try:
            status = os.stat(self.file.path)
        except FileNotFoundError:
            return False
        return status.st_size == self.size and (status.st_dev, status.st_ino) == self.file.inode
