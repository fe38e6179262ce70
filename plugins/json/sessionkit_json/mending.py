"""Damaged documents, and documents that no session reaches: finding them, and making sessions of them again.

What is replaced is kept beside it as ``NAME.json.damaged``, which no session is read from.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from sessionkit import codec
from sessionkit.damage import Damage
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.filenames import must_be_hashed
from sessionkit.keys import check_key
from sessionkit.sessions import ABSENT, now
from sessionkit_json import temporary
from sessionkit_json.directory import SUFFIX, File, SessionDirectory, read, unavailable
from sessionkit_json.document import Document
from sessionkit_json.salvage import bad_fields, salvage

DAMAGED_SUFFIX: Final = ".damaged"

_META_SUFFIX: Final = ".meta.json"
_RECOVERED: Final = "~recovered"


@attrs.frozen
class Mending:
    """The documents of a directory.

    Attributes:
        directory: where they are.
        fresh: makes a token that no state of any session ever had.
    """

    directory: SessionDirectory
    fresh: Callable[[], str]

    def of_session(self, key: str, *, repairs: bool) -> list[Damage]:
        """What is damaged in a session's document; the caller saved it."""
        file = self.directory.find(key)
        if file is None:
            return []
        damage = _of_fields(file)
        if damage is None:
            return []
        if not repairs:
            return [damage]
        with self.directory.locked(key):
            data = file.path.read_bytes()
            found = salvage(data, named=key)
            if found is not None and data:
                self._set_aside(file.path)
                self._write(file.path, found)
        return [attrs.evolve(damage, mended=found is not None)]

    def of_directory(self, *, repairs: bool) -> list[Damage]:
        """What no session reaches, and what cannot be read."""
        return list(self._of_directory(repairs=repairs))

    def _of_directory(self, *, repairs: bool) -> Iterator[Damage]:
        with unavailable(f"the sessions in {self.directory.path} cannot be listed"):
            paths = sorted(self.directory.files())
        for path in paths:
            if path.name.endswith(_META_SUFFIX):
                continue  # the metadata of a jsonl session
            try:
                file = read(path)
                stray = file is not None and self._is_stray(file)
            except CorruptSessionError as error:
                damage = _bad_document(path, str(error.__cause__))
                yield self._recover_damaged(path, damage) if repairs else damage
                continue
            except OSError as error:
                yield _unreadable(path, error)
                continue
            if file is not None and stray:
                damage = _stray(file)
                yield self._recover_stray(file, damage) if repairs else damage
        yield from _temporary_files(self.directory.path)

    def _is_stray(self, file: File) -> bool:
        try:
            found = self.directory.find(file.document.session.key)
        except CorruptSessionError:  # what hides it is told by itself
            return True
        return found is None or not found.path.samefile(file.path)

    def _recover_damaged(self, path: Path, damage: Damage) -> Damage:
        """Write a document of what can be read of a damaged one, which is kept aside."""
        with unavailable(f"{path} could not be repaired"):
            found = salvage(path.read_bytes(), named=_stem(path))
            aside = self._set_aside(path)
        if found is None:
            with unavailable(f"{path} could not be set aside"):
                path.unlink()
                temporary.sync_directory(self.directory.path)
            return attrs.evolve(damage, mended=True, remedy=f"nothing can be read of it; it is kept as {aside}")
        key = self._take(found, path)
        count = found.session.count
        told = f"what can be read of it ({count:,} messages) is the session {key!r} now; it is kept as {aside}"
        return attrs.evolve(damage, key=key, mended=True, remedy=told)

    def _recover_stray(self, file: File, damage: Damage) -> Damage:
        key = self._take(file.document, file.path)
        return attrs.evolve(damage, key=key, mended=True, remedy=f"it is the session {key!r} now")

    def _take(self, document: Document, path: Path) -> str:
        """Let what a document says be a session: of its own key, or of one that tells where it comes from.

        The file that it was in goes when the session has another one. Returns the key.
        """
        own = document.session.key
        for number in itertools.count():
            key = check_key(f"{own}{_RECOVERED}{'' if number == 1 else f'-{number}'}" if number else own)
            with self.directory.locked(key):
                there = self._readable(key)
                if there is not None and not _same(there.document, document):
                    continue
                if there is None:
                    target = path if self._belongs(path, key) else self.directory.vacant_path(key)
                    self._write(target, document, key=key)
                else:
                    target = there.path
                if target != path:
                    path.unlink()
                    self.directory.sync(f"session {key!r} was recovered")
                return key
        raise AssertionError("numbers never end")

    def _readable(self, key: str) -> File | None:
        try:
            return self.directory.find(key)
        except CorruptSessionError:
            return None

    def _belongs(self, path: Path, key: str) -> bool:
        """Whether a document of this key may stand in a file of this name."""
        return path in self.directory.paths(key) and not (must_be_hashed(key) and path == self.directory.paths(key)[1])

    def _write(self, path: Path, document: Document, *, key: str | None = None) -> None:
        session = attrs.evolve(
            document.session,
            key=document.session.key if key is None else key,
            created=document.session.created or now(),  # as the next write would set it
            version=self.fresh(),
            generation=self.fresh() if document.session.generation in ("", ABSENT) else document.session.generation,
        )
        self.directory.replace(path, Document(session, document.extra))
        self.directory.sync(f"session {session.key!r} was repaired")

    def _set_aside(self, path: Path) -> Path:
        """Keep a file under another name too, durably; what was kept before is not lost."""
        for number in itertools.count(1):
            aside = path.with_name(f"{path.name}{DAMAGED_SUFFIX}{'' if number == 1 else f'-{number}'}")
            if not aside.exists():
                temporary.keep(path, aside)
                return aside
            if aside.read_bytes() == path.read_bytes():  # by a repair that was cut short
                return aside
        raise AssertionError("numbers never end")


def _stem(path: Path) -> str:
    return path.name.removesuffix(SUFFIX)


def _same(there: Document, found: Document) -> bool:
    """Whether a document was made of another one by a repair that was cut short."""
    names = ("messages", "summary", "metadata", "aliases")
    return all(getattr(there.session, name) == getattr(found.session, name) for name in names)


def _of_fields(file: File) -> Damage | None:
    try:
        fields = codec.decode(file.path.read_bytes())
    except (OSError, DecodeError):
        return None
    bad = bad_fields(fields) if isinstance(fields, dict) else []
    if not bad:
        return None
    return Damage(
        kind="bad-fields",
        key=file.document.session.key,
        place=str(file.path),
        problem=f"the document has no good value for {', '.join(bad)}",
        remedy=f"it is written anew without; the old one is kept as {file.path}{DAMAGED_SUFFIX}",
    )


def _bad_document(path: Path, reason: str) -> Damage:
    remedy = f"a session is made of what can be read of it; it is kept as {path}{DAMAGED_SUFFIX}"
    return Damage(kind="bad-document", place=str(path), problem=f"it is no document: {reason}", remedy=remedy)


def _unreadable(path: Path, error: OSError) -> Damage:
    problem = f"it cannot be read: {error.strerror}"
    remedy = "let this user read it, or restore it from a backup"
    return Damage(kind="unreadable", place=str(path), problem=problem, remedy=remedy, mendable=False)


def _stray(file: File) -> Damage:
    key = file.document.session.key
    return Damage(
        kind="stray-files",
        key=key,
        place=str(file.path),
        problem=f"it is a document of the session {key!r}, and that is not read from it",
        remedy=f"it becomes that session, or {key + _RECOVERED!r} when there is one already",
    )


def _temporary_files(directory: Path) -> Iterator[Damage]:
    for name in sorted(os.listdir(directory)):
        if name.startswith(temporary.PREFIX) and name.endswith(temporary.SUFFIX):
            yield Damage(
                kind="temporary-files",
                place=str(directory / name),
                problem="a temporary file that is in use, or was left since the store was opened",
                remedy="it is removed when a store is opened and nobody uses it",
                mendable=False,
                harmless=True,
            )
