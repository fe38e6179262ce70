"""The directory of the documents: which file is a session's, and reading, replacing and removing it."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

import attrs

from sessionkit.errors import BackendUnavailableError, CorruptSessionError, DecodeError, OutcomeUnknownError
from sessionkit.filenames import hashed_name, must_be_hashed, plain_name
from sessionkit_json import document, locks, temporary
from sessionkit_json.document import Document
from sessionkit_json.temporary import Fingerprint

SUFFIX: Final = ".json"


@attrs.frozen
class File:
    """A file that was read.

    Attributes:
        checksum: of its bytes, for this process alone: the fingerprint may be another file's, too.
    """

    path: Path
    fingerprint: Fingerprint
    checksum: int
    document: Document


class SessionDirectory:
    """Keeps documents in files. It knows which file is whose, and nothing of what sessions mean."""

    def __init__(self, path: Path) -> None:
        """Make the directory, if need be, and sweep it.

        Raises:
            BackendUnavailableError: there is no such directory and none can be made.
        """
        self.path = path
        with unavailable(f"the directory {path} of the json backend cannot be used"):
            _make_directory(path)
            temporary.sweep(path)

    @contextmanager
    def locked(self, key: str) -> Iterator[None]:
        """Hold off every other writer of the session, and of those that may want its file. Not reentrant.

        Raises:
            BackendUnavailableError: the directory cannot be written to, or its file system has no locks.
        """
        with ExitStack() as stack:
            with unavailable(f"session {key!r} cannot be locked in {self.path}"):
                stack.enter_context(locks.slot_locked(self.path, key))
            yield

    def find(self, key: str) -> File | None:
        """The session's file, None when it has none.

        Raises:
            CorruptSessionError: the file that may be the session's is not a document.
            BackendUnavailableError: it cannot be read now.
        """
        for path in self.paths(key):
            with unavailable(f"session {key!r} cannot be read from {path}"):
                file = read(path)
            if file is not None and file.document.session.key == key:
                return file
        return None

    def paths(self, key: str) -> tuple[Path, Path]:
        """Where a session's document may be: the place that is its own, and the one that others may want too."""
        return self._path(hashed_name(key)), self._path(plain_name(key))

    def vacant_path(self, key: str) -> Path:
        """Where the first document of a session that has no file goes.

        Raises:
            CorruptSessionError: even the name that is the session's alone is taken.
        """
        plain, hashed = self._path(plain_name(key)), self._path(hashed_name(key))
        if not must_be_hashed(key) and not os.path.lexists(plain):
            return plain
        if os.path.lexists(hashed):
            raise CorruptSessionError(
                f"session {key!r} cannot be saved: {hashed} is its file by name and another's by content; move it away"
            )
        return hashed

    def files(self) -> list[Path]:
        """Every file that may be a session's by its name."""
        with os.scandir(self.path) as entries:
            return [self.path / entry.name for entry in entries if entry.name.endswith(SUFFIX)]

    def replace(self, path: Path, written: Document) -> File:
        """Write a document in place of a file, in one step. It is durable after :meth:`sync`.

        Raises:
            BackendUnavailableError: it cannot be written; the file is as it was.
        """
        data = document.encode(written)
        with unavailable(f"session {written.session.key!r} could not be saved, {path} is as it was"):
            written_as = temporary.replace(path, data)
        return File(path, written_as, _checksum(data), written)

    def remove(self, key: str) -> None:
        """Remove every file of a session. It is durable after :meth:`sync`.

        Raises:
            CorruptSessionError: a file cannot be read, so that nobody knows whose it is.
            BackendUnavailableError: nothing or not everything is removed.
        """
        while (file := self.find(key)) is not None:
            with unavailable(f"session {key!r} cannot be deleted: {file.path}"):
                file.path.unlink()

    def sync(self, what: str) -> None:
        """Make durable which documents there are.

        Raises:
            OutcomeUnknownError: what was done is visible, and may not outlive a power cut.
        """
        try:
            temporary.sync_directory(self.path)
        except OSError as error:
            raise OutcomeUnknownError(
                f"{what}, but the directory {self.path} could not be synced ({error.strerror}): "
                "it may not outlive a power cut"
            ) from error

    def _path(self, name: str) -> Path:
        return self.path / f"{name}{SUFFIX}"


def read(path: Path) -> File | None:
    """Read a file; None when it is missing, or is no session's document.

    Raises:
        CorruptSessionError: it is damaged.
        OSError: it cannot be read now.
    """
    found = _load(path)
    if found is None:
        return None
    loaded_as, data = found
    try:
        content = document.decode(data)
    except DecodeError as error:
        raise CorruptSessionError(
            f"{path} is not the document of a session: {error}; repair it or move it away (nothing overwrites it)"
        ) from error
    return None if content is None else File(path, loaded_as, _checksum(data), content)


def fingerprint(path: Path) -> Fingerprint | None:
    """The present fingerprint of a file, None when it is gone.

    Raises:
        OSError: it cannot be looked at now.
    """
    try:
        return Fingerprint.of(path.stat())
    except FileNotFoundError:
        return None


def checksum(path: Path) -> int | None:
    """The checksum of a file's present bytes, None when it is gone.

    Raises:
        OSError: it cannot be read now.
    """
    found = _load(path)
    return None if found is None else _checksum(found[1])


@contextmanager
def unavailable(what: str) -> Iterator[None]:
    """Turn an ``OSError`` into a :class:`BackendUnavailableError` that says what could not be done."""
    try:
        yield
    except OSError as error:
        raise BackendUnavailableError(f"{what}: {error.strerror}") from error


def _load(path: Path) -> tuple[Fingerprint, bytes] | None:
    try:
        # Without O_NONBLOCK, a pipe in the directory would be waited for.
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        if error.errno == errno.ENAMETOOLONG:
            return None
        raise
    try:
        status = os.fstat(descriptor)  # before reading: what is written meanwhile must look new afterwards
        if not stat.S_ISREG(status.st_mode):
            return None
        with open(descriptor, "rb", closefd=False) as file:
            return Fingerprint.of(status), file.read()
    finally:
        os.close(descriptor)


def _checksum(data: bytes) -> int:
    return hash(data)  # 64 bits, keyed by the process; it takes half the time of a SHA-256, or less


def _make_directory(path: Path) -> None:
    """Make a directory with what leads to it, durably; one that exists is left as it is."""
    if path.is_dir():
        return
    if not path.parent.is_dir():
        _make_directory(path.parent)
    with suppress(FileExistsError):  # made by another process just now, or a file: sweeping it will tell
        path.mkdir(mode=0o700)
    temporary.sync_directory(path.parent)
