"""Where in the directory a session's files are."""

from __future__ import annotations

import os

from msgspec import Struct

from sessionkit.filenames import NAME_BYTES, SUFFIX_BYTES, hashed_name, must_be_hashed, plain_name
from sessionkit_jsonl.files import OpenFile, inode_of, open_for_reading, status_of
from sessionkit_jsonl.meta import Meta

META_SUFFIX = ".meta.json"
DATA_SUFFIX = ".jsonl"
ARCHIVE_SUFFIX = ".archive"
DAMAGED_SUFFIX = ".damaged"
BAD_META_SUFFIX = ".badmeta"
BESIDE = (ARCHIVE_SUFFIX, DAMAGED_SUFFIX, BAD_META_SUFFIX)
"""What may stand beside a session's two files, and goes with them."""


class Found(Struct, frozen=True):
    """Where a session's files are (or would be made), and the document there.

    Attributes:
        base: the path without suffix.
        meta_file: the open document, None when there is none.
        meta: what it says.
        written: the size and the time of the document, for somebody may have written into it.
    """

    base: str
    meta_file: OpenFile | None
    meta: Meta
    written: tuple[int, int] = (0, 0)

    def is_current(self) -> bool:
        """Whether there was a document and it is still in place, as it was read."""
        status = status_of(self.base + META_SUFFIX) if self.meta_file else None
        return (
            status is not None
            and self.meta_file is not None
            and self.meta_file.inode == inode_of(status)
            and self.written == (status.st_size, status.st_mtime_ns)
        )


def find(directory: str, key: str) -> Found:
    """Find a session's files: those of the hashed name, else those of the plain name unless they have another owner."""
    hashed = os.path.join(directory, hashed_name(key))
    if _anything(hashed):
        return read_meta(hashed)
    plain = plain_name(key)
    if not _fits(plain):
        return Found(hashed, None, Meta.read(None))
    found = read_meta(os.path.join(directory, plain))
    return found if _may_be_of(key, found) else read_meta(hashed)


def leads_to(directory: str, key: str, name: str, found: Found) -> bool:
    """Whether :func:`find` finds what was found under a name, as long as nothing has the key's hashed name."""
    if name == hashed_name(key):
        return True
    if name == plain_name(key):
        return _fits(name) and _may_be_of(key, found)
    same = find(directory, key)  # a file system that normalises names may give them in another form
    return found.meta_file is not None and _inode(found) == _inode(same)


def _fits(plain: str) -> bool:
    return len(plain.encode()) <= NAME_BYTES - SUFFIX_BYTES


def _may_be_of(key: str, found: Found) -> bool:
    return found.meta.key == key or (found.meta.key is None and not must_be_hashed(key))


def _inode(found: Found) -> tuple[int, int] | None:
    return found.meta_file.inode if found.meta_file else None


def _anything(base: str) -> bool:
    return status_of(base + META_SUFFIX) is not None or status_of(base + DATA_SUFFIX) is not None


def read_meta(base: str) -> Found:
    """Open and read the document of a name."""
    file = open_for_reading(base + META_SUFFIX)
    if file is None:
        return Found(base, None, Meta.read(None))
    status = file.status()
    written = status.st_size, status.st_mtime_ns
    return Found(base, file, Meta.read(file.read(0, status.st_size)), written)
