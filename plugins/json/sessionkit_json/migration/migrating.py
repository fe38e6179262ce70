"""Each document becomes a session of a store, durably, and is renamed only then."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs

from sessionkit.errors import (
    CorruptSessionError,
    DecodeError,
    InvalidKeyError,
    InvalidMessageError,
    MessageTooLargeError,
    MissingTransformError,
    VersionConflict,
)
from sessionkit.sessions import ABSENT, UNCHANGED, Session, Version
from sessionkit.store import SessionStore
from sessionkit.transfer import SessionDocument
from sessionkit_json import document, temporary
from sessionkit_json.directory import SUFFIX, SessionDirectory, unavailable
from sessionkit_json.document import Document

MIGRATED: Final = ".migrated"
"""What is put behind the name of a document that is a session of the store now."""

_META_SUFFIX: Final = ".meta.json"
_HASHED: Final = re.compile(r"~[0-9a-f]{32}\Z")
_ATTEMPTS: Final = 5
_REFUSALS: Final = (
    DecodeError,
    InvalidKeyError,
    InvalidMessageError,
    MessageTooLargeError,
    CorruptSessionError,
    MissingTransformError,
    VersionConflict,
)


@attrs.frozen(kw_only=True)
class Left:
    """A document that was left as it was, and why. Contents of conversations are not quoted."""

    file: str
    key: str | None = None
    reason: str

    def __str__(self) -> str:
        key = "" if self.key is None else f", session {self.key!r}"
        return f"{self.file}{key}: {self.reason}"


@attrs.define(kw_only=True)
class MigrationReport:
    """What became of the documents of a directory.

    Attributes:
        migrated: documents that became sessions.
        already_there: documents whose session had all that is in them; they were renamed as well.
        messages: how many messages the migrated ones have.
        left: documents that could not be migrated, and why. They keep their names.
        other_files: names of ``.json`` files that are no session's; they were left alone.
        unknown_fields: fields of documents that no session has, which are in the renamed file alone: name → how often.
    """

    migrated: int = 0
    already_there: int = 0
    messages: int = 0
    left: list[Left] = attrs.Factory(list)
    other_files: list[str] = attrs.Factory(list)
    unknown_fields: Counter[str] = attrs.Factory(Counter)

    @property
    def complete(self) -> bool:
        """Whether every document of the directory is in the store now."""
        return not self.left


def migrate_documents(
    path: Path | str,
    store: SessionStore,
    *,
    dry_run: bool = False,
    report: MigrationReport | None = None,
    progress: Callable[[int], None] | None = None,
) -> MigrationReport:
    """Make a session of each document in a directory, and rename the document to ``….json.migrated``.

    The session is stored durably before the document is renamed; ended in between, by whatever, the next run finds
    it there and renames the document. A session that has other messages is never overwritten: its document is left
    and told. One that begins with the document's messages was migrated before, and went on.

    The store may keep its sessions in the same directory. Nobody else may have it open for json meanwhile: what is
    unsaved there would be saved to a new document.

    Args:
        path: the directory.
        store: where the sessions go.
        dry_run: report what would be done, and do nothing.
        report: counts as the migration goes on; give one to know how far it came when it raises.
        progress: is called with 1 for each file that is done with.

    Returns:
        The report. A document that cannot be migrated is told there, and the migration goes on.

    Raises:
        StoreError: the store failed, or the directory cannot be changed.
    """
    report = MigrationReport() if report is None else report
    directory = SessionDirectory(Path(path).absolute())
    for file in document_files(directory.path):
        migration = _Migration(directory, file, store, report, dry_run)
        try:
            migration.run()
        except _REFUSALS as error:
            report.left.append(Left(file=file.name, key=migration.key, reason=str(error)))
        if progress is not None:
            progress(1)
    return report


def document_files(directory: Path) -> list[Path]:
    """The files that may be documents by their name; those of a hashed name first, whose key they have for sure."""
    with unavailable(f"the documents in {directory} cannot be listed"):
        files = [path for path in directory.iterdir() if path.name.endswith(SUFFIX) and path.is_file()]
    return sorted(files, key=lambda path: (_HASHED.search(path.stem) is None, path.name))


@attrs.define
class _Migration:
    """The migration of one file."""

    directory: SessionDirectory
    path: Path
    store: SessionStore
    report: MigrationReport
    dry_run: bool
    key: str | None = None

    def run(self) -> None:
        """Migrate the file, and look again when it was changed while its session was not locked."""
        for _ in range(_ATTEMPTS):
            data = self._read()
            if data is None:
                return
            found = self._decode(data)
            if found is None:
                self.report.other_files.append(self.path.name)
                return
            if self.path.name.endswith(_META_SUFFIX):
                self._refuse_meta(found)
                return
            self.key = found.session.key
            if self.dry_run:
                self._count(found, self._compare(found))
                return
            with self.directory.locked(found.session.key):
                if self._read() == data:
                    self._migrate(found)
                    return
        raise VersionConflict("it keeps changing; migrate it when nobody writes to it")

    def _read(self) -> bytes | None:
        try:
            return self.path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            self.report.left.append(Left(file=self.path.name, reason=error.strerror or type(error).__name__))
            return None

    def _decode(self, data: bytes) -> Document | None:
        try:
            return document.decode(data, named=self.path.name.removesuffix(SUFFIX))
        except DecodeError:
            if self.path.name.endswith(_META_SUFFIX):  # damaged metadata of a jsonl session: its backend's affair
                return None
            raise

    def _refuse_meta(self, found: Document) -> None:
        """A file of this name is the metadata of a jsonl session, whatever stands in it."""
        if not found.session.messages:
            self.report.other_files.append(self.path.name)
            return
        reason = (
            f"it has messages, but {_META_SUFFIX} is the name of a jsonl session's metadata; rename it to migrate it"
        )
        self.report.left.append(Left(file=self.path.name, key=found.session.key, reason=reason))

    def _migrate(self, found: Document) -> None:
        new = self._put(found)
        if new is None:
            return
        self.store.save(found.session.key)
        self._retire()
        self._count(found, new)

    def _put(self, found: Document) -> bool | None:
        """Store the session; whether it is new. None when another one is there, which is told."""
        for _ in range(_ATTEMPTS):
            try:
                self._write(found.session, ABSENT)
            except VersionConflict:
                new = self._compare(found)
            else:
                return True
            if not new:
                return new
            there = self.store.get_session(found.session.key, limit=0)
            if there.exists and _is_empty(there):
                try:
                    self._write(found.session, there.version)
                except VersionConflict:
                    continue
                return True
        raise VersionConflict("its session keeps changing; migrate it when nobody writes to it")

    def _compare(self, found: Document) -> bool | None:
        """True when there is no such session yet, False when it has all of the document, None (told) when not."""
        there = self.store.get_session(found.session.key)
        if not there.exists or (_is_empty(there) and not _is_empty(found.session)):
            return True
        if _holds(there, found.session):
            return False
        reason = "a session of this key is there with other content, which is never overwritten"
        self.report.left.append(Left(file=self.path.name, key=found.session.key, reason=reason))
        return None

    def _write(self, session: Session, if_version: Version) -> None:
        self.store.update_session(
            session.key,
            messages=session.messages,
            summary=session.summary,
            metadata=session.metadata,
            aliases=session.aliases,
            created=session.created or UNCHANGED,
            updated=session.updated or UNCHANGED,
            if_version=if_version,
        )

    def _retire(self) -> None:
        with unavailable(f"{self.path} is in the store, and could not be renamed; migrate again to rename it"):
            self.path.rename(next(_free_names(self.path)))
            temporary.sync_directory(self.directory.path)

    def _count(self, found: Document, new: bool | None) -> None:
        if new is None:
            return
        self.report.migrated += new
        self.report.already_there += not new
        self.report.messages += found.session.count if new else 0
        self.report.unknown_fields.update(list(found.extra))


def _free_names(path: Path) -> Iterator[Path]:
    """``x.json.migrated``, and others when that is there: what was migrated before is never overwritten."""
    number = 1
    while True:
        name = path.with_name(f"{path.name}{MIGRATED}{'' if number == 1 else f'-{number}'}")
        if not name.exists():
            yield name
        number += 1


def _is_empty(session: Session) -> bool:
    return not (session.count or session.summary or session.metadata or session.aliases)


def _holds(there: Session, migrated: Session) -> bool:
    """Whether a session has all that another one has: it may have gone on since."""
    begun = attrs.evolve(
        there,
        messages=there.messages[: migrated.count],
        summary=there.summary if migrated.summary else "",
        metadata=there.metadata if migrated.metadata else {},
        aliases=there.aliases if migrated.aliases else (),
    )
    return SessionDocument.from_session(migrated).same_content(begun)
