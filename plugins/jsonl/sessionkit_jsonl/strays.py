"""Files of a directory that no session reaches, and how they become sessions again.

Which session a file belongs to is told by its name and its document together. When somebody renamed or copied files, or
a document was lost, that fits no more: the messages are there, and no key leads to them.
"""

from __future__ import annotations

import itertools
import os
import stat
from collections.abc import Iterator
from typing import Final

import attrs
from msgspec import Struct

from sessionkit.damage import Damage
from sessionkit.errors import InvalidKeyError
from sessionkit.filenames import hashed_name, must_be_hashed
from sessionkit.keys import check_key
from sessionkit_jsonl import failures
from sessionkit_jsonl.committing import Committer
from sessionkit_jsonl.directory import (
    BAD_META_SUFFIX,
    BESIDE,
    DATA_SUFFIX,
    META_SUFFIX,
    Found,
    leads_to,
    read_meta,
)
from sessionkit_jsonl.entry import Entries, Entry
from sessionkit_jsonl.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, inode_of, open_for_reading, status_of
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import fresh_token
from sessionkit_jsonl.meta import State
from sessionkit_jsonl.writing import Writer

UNREADABLE: Final = "unreadable"
STRAY_FILES: Final = "stray-files"
LOST_KEY: Final = "lost-key"
ORPHANED_DOCUMENT: Final = "orphaned-document"
TEMPORARY_FILES: Final = "temporary-files"
OTHER_FORMAT: Final = "other-format"

_RECOVERED: Final = "~recovered"
_SEPARATORS: Final = "_:/\\"
_MOST_GUESSED: Final = 6
"""For up to so many separators in a name, the key is looked for by trying all that they may have been."""


class Stray(Struct, frozen=True):
    """Files of a name that no session reaches.

    Attributes:
        name: their name without suffix.
        found: their document.
        key: the key that the document tells; None when it tells none that is one.
    """

    name: str
    found: Found
    key: str | None


class Strays(Struct, frozen=True):
    """Finds them in an open directory, and makes sessions of them."""

    writer: Writer
    committer: Committer
    entries: Entries

    def find(self) -> list[Damage]:
        """What there is, and what would be done."""
        return [damage for damage, _ in self._found()]

    def recover(self) -> list[Damage]:
        """Make a session of everything that can be one."""
        return [damage if stray is None else self._recover(damage, stray) for damage, stray in self._found()]

    def _found(self) -> Iterator[tuple[Damage, Stray | None]]:
        directory = self.writer.context.directory
        names = sorted(os.listdir(directory))
        bases = {
            name.removesuffix(suffix)
            for suffix in (META_SUFFIX, DATA_SUFFIX)
            for name in names
            if name.endswith(suffix)
        }
        for base in sorted(bases):
            yield from self._of_name(base, bases)
        for name in names:
            path = os.path.join(directory, name)
            if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX) and self._is_left(path):
                yield _temporary(path), None
            elif name.endswith(".json") and not name.endswith(META_SUFFIX) and os.path.isfile(path):
                yield _other_format(path), None

    def _is_left(self, path: str) -> bool:
        """Whether a temporary file's maker is gone. One that is empty may be just being made, and not held yet."""
        try:
            status = status_of(path)
            return status is not None and status.st_size > 0 and self.writer.context.files.claim(path)
        except OSError:
            return False

    def _of_name(self, name: str, names: set[str]) -> Iterator[tuple[Damage, Stray | None]]:
        directory = self.writer.context.directory
        base = os.path.join(directory, name)
        try:
            found = read_meta(base)
            _require_readable(base + DATA_SUFFIX)
        except OSError as error:
            yield _unreadable(base, error), None
            return
        key = _checked(found.meta.key)
        if found.meta.needs_data and status_of(base + DATA_SUFFIX) is None:
            yield _orphan(key, base), None
        elif key is None and (found.meta.key is not None or must_be_hashed(name)):
            yield _lost_key(base), Stray(name, found, None)
        elif key is not None and self._is_hidden(key, name, names, found):
            yield _stray(key, base), Stray(name, found, key)

    def _is_hidden(self, key: str, name: str, names: set[str], found: Found) -> bool:
        hashed = hashed_name(key)
        if name != hashed and hashed in names:
            return True
        return not leads_to(self.writer.context.directory, key, name, found)

    def _recover(self, damage: Damage, stray: Stray) -> Damage:
        """Let a key lead to what is stray: its own when that is free, else one that tells where it comes from."""
        key = stray.key or _guess(stray.name) or stray.name
        for number in itertools.count():
            wanted = f"{key}{_RECOVERED}{'' if number == 1 else f'-{number}'}" if number else key
            taken = self.committer.write(self.entries.get(wanted), lambda entry, look: self._take(entry, look, stray))
            if taken:
                break
        return attrs.evolve(damage, key=wanted, mended=True, remedy=f"they are the session {wanted!r} now")

    def _take(self, entry: Entry, look: Look, stray: Stray) -> bool:
        """Let the files be those of a session that is not there. False when there is one, of other files."""
        source = os.path.join(self.writer.context.directory, stray.name)
        if look.base == source:  # only the document was missing
            self.writer.documents.mend(entry, look)
            return True
        status = status_of(source + DATA_SUFFIX)
        if look.exists and (look.data is None or status is None or look.data.inode != inode_of(status)):
            return False
        files, context = self.writer.context.files, self.writer.context
        if not look.exists:
            self._begin(entry, look, stray, needs_data=status is not None)
            if status is not None:
                files.publish(source + DATA_SUFFIX, look.data_path)
                context.durability.replaced(look.data_path)
                files.sync_directory(context.directory)
        else:
            files.remove(source + DATA_SUFFIX)  # a second name of the log, of a recovery that was cut short
        for suffix in BESIDE:
            if status_of(source + suffix) is not None and status_of(look.base + suffix) is None:
                files.rename(source + suffix, look.base + suffix)
        self._retire(source, look, stray)
        files.sync_directory(context.directory)
        return True

    def _begin(self, entry: Entry, look: Look, stray: Stray, *, needs_data: bool) -> None:
        """Publish the document, which says that there is no session until its log is there."""
        draft = stray.found.meta.edit(look.key)
        draft.set_own(data=needs_data, rev=fresh_token(), gen=fresh_token())
        self.writer.documents.publish(entry, look, draft)

    def _retire(self, source: str, look: Look, stray: Stray) -> None:
        """Remove the old document, whose text is in the new one; keep one that could not be read."""
        files = self.writer.context.files
        if stray.found.meta.state is State.DAMAGED and status_of(look.base + BAD_META_SUFFIX) is None:
            files.rename(source + META_SUFFIX, look.base + BAD_META_SUFFIX)
        elif stray.found.meta.state is State.READ:
            files.remove(source + META_SUFFIX)


def _checked(key: str | None) -> str | None:
    try:
        return None if key is None else check_key(key)
    except InvalidKeyError:
        return None


def _require_readable(path: str) -> None:
    file = open_for_reading(path)
    if file is not None and not stat.S_ISREG(file.status().st_mode):
        file.read(0, 1)  # which says what it is


def _guess(name: str) -> str | None:
    """The key of a hashed name, if one is found whose hash it has."""
    readable = name.rpartition("~")[0]
    count = readable.count("_")
    if not must_be_hashed(name) or count > _MOST_GUESSED:
        return None
    parts = readable.split("_")
    for separators in itertools.product(_SEPARATORS, repeat=count):
        key = parts[0] + "".join(map("".join, zip(separators, parts[1:], strict=True)))
        if key and hashed_name(key) == name:
            return key
    return None


def _unreadable(base: str, error: OSError) -> Damage:
    return Damage(
        kind=UNREADABLE,
        place=base,
        problem=f"its files cannot be read: {failures.describe(error)}",
        remedy="let this user read them, or restore them from a backup",
        mendable=False,
    )


def _lost_key(base: str) -> Damage:
    problem = "no document tells whose these files are, and their name does not either"
    return Damage(kind=LOST_KEY, place=base, problem=problem, remedy="they become a session that is listed")


def _stray(key: str, base: str) -> Damage:
    problem = f"no key leads to these files, which say that they are of the session {key!r}"
    remedy = f"they become that session, or {key + _RECOVERED!r} when there is one already"
    return Damage(kind=STRAY_FILES, key=key, place=base, problem=problem, remedy=remedy)


def _orphan(key: str | None, base: str) -> Damage:
    problem = "the log of this document is gone: its session was deleted, or somebody removed the log"
    return _harmless(
        ORPHANED_DOCUMENT, base + META_SUFFIX, problem, "restore the log from a backup, or remove the document", key
    )


def _temporary(path: str) -> Damage:
    remedy = "it is removed when a store is opened, once it is a minute old"
    return _harmless(TEMPORARY_FILES, path, "a temporary file of a process that has ended", remedy)


def _other_format(path: str) -> Damage:
    problem = "it may be a session of the json backend, which this store does not read"
    return _harmless(OTHER_FORMAT, path, problem, "sessionkit migrate makes it one of this store")


def _harmless(kind: str, place: str, problem: str, remedy: str, key: str | None = None) -> Damage:
    return Damage(kind=kind, key=key, place=place, problem=problem, remedy=remedy, mendable=False, harmless=True)
