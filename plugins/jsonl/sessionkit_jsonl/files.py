"""The thin layer over the operating system: every change to the directory goes through :class:`Files`.

Whoever wants to see each change in its order (a checker of what a crash may leave behind) passes a :class:`Files` of
their own.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path
from typing import Final

from sessionkit_jsonl import platforms
from sessionkit_jsonl.platforms import INHERIT_NOT, WAIT_NOT

TEMPORARY_PREFIX: Final = ".sessionkit-"
TEMPORARY_SUFFIX: Final = ".tmp"

_NEW: Final = os.O_RDWR | os.O_CREAT | os.O_EXCL | INHERIT_NOT
_PRIVATE_FILE: Final = 0o600
_PRIVATE_DIRECTORY: Final = 0o700
_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})


class OpenFile:
    """An open file. It closes when nobody holds it any more, so that no thread can close it under another one."""

    __slots__ = ("fd", "inode", "path", "writable")

    def __init__(self, path: str, fd: int, *, writable: bool) -> None:
        self.fd = fd  # first: whatever interrupts this closes it
        self.path = path
        self.writable = writable
        self.inode = inode_of(os.fstat(fd))

    def __del__(self) -> None:
        with contextlib.suppress(OSError, AttributeError):  # it has no descriptor if the very making was interrupted
            os.close(self.fd)

    def read(self, offset: int, size: int) -> bytes:
        """Read at a position: less than asked for only where the file ends."""
        with naming(self.path):
            data = os.pread(self.fd, size, offset)
            if len(data) == size or not data:
                return data
            parts = [data]
            while data and (missing := size - sum(map(len, parts))):
                data = os.pread(self.fd, missing, offset + size - missing)
                parts.append(data)
            return b"".join(parts)

    def status(self) -> os.stat_result:
        """What ``fstat`` says."""
        with naming(self.path):
            return os.fstat(self.fd)


class naming:  # noqa: N801 - used like a function; a generator would take three times as long to go in and out
    """Give errors of calls on a descriptor the name of the file."""

    __slots__ = ("_path",)

    def __init__(self, path: str) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError) and error.filename is None:
            error.filename = self._path


def inode_of(status: os.stat_result) -> tuple[int, int]:
    """What tells one file from another, as long as both are there or held open."""
    return status.st_dev, status.st_ino


def status_of(path: str) -> os.stat_result | None:
    """What ``stat`` says of a path, None when nothing is there."""
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def open_for_reading(path: str) -> OpenFile | None:
    """Open a file, None when there is none."""
    try:
        return OpenFile(path, os.open(path, os.O_RDONLY | INHERIT_NOT | WAIT_NOT), writable=False)
    except FileNotFoundError:
        return None


def temporary_name() -> str:
    """The name of a file that is not there for long; what a killed process leaves of such is swept."""
    return f"{TEMPORARY_PREFIX}{os.getpid()}-{os.urandom(8).hex()}{TEMPORARY_SUFFIX}"


class Files:
    """The calls that change something. Each raises ``OSError`` with the path in it."""

    def make_directory(self, path: Path) -> None:
        """Make a directory with its parents, private; one that is there keeps its mode."""
        if path.is_dir():
            return
        if path.parent != path:
            self.make_directory(path.parent)
        with contextlib.suppress(FileExistsError):
            os.mkdir(path, _PRIVATE_DIRECTORY)
            self.sync_directory(str(path.parent))
        if not path.is_dir():
            raise NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR), str(path))

    def create(self, path: str) -> OpenFile:
        """Create a private file for appending that was not there."""
        return OpenFile(path, os.open(path, _NEW | os.O_APPEND, _PRIVATE_FILE), writable=True)

    def open_for_appending(self, path: str) -> OpenFile:
        """Open a file that is there, for reading and appending."""
        return OpenFile(path, os.open(path, os.O_RDWR | os.O_APPEND | INHERIT_NOT), writable=True)

    def open_lock(self, path: str) -> OpenFile:
        """Open the lock file, creating it when it is not there."""
        return OpenFile(path, os.open(path, os.O_RDWR | os.O_CREAT | INHERIT_NOT, _PRIVATE_FILE), writable=True)

    def temporary(self, directory: str) -> OpenFile:
        """Create a private file that is known to be in use as long as it is open."""
        path = os.path.join(directory, temporary_name())
        file = OpenFile(path, os.open(path, _NEW, _PRIVATE_FILE), writable=False)
        with naming(file.path):
            platforms.current.hold(file.fd)
        return file

    def write(self, file: OpenFile, data: bytes) -> None:
        """Write at the end; one call as a rule. When it raises, a part may stand there."""
        try:
            written = os.write(file.fd, data)
            while written < len(data):
                written += os.write(file.fd, memoryview(data)[written:])
        except OSError as error:  # a context manager would take as long as the call
            error.filename = file.path
            raise

    def overwrite(self, file: OpenFile, offset: int, data: bytes) -> None:
        """Write over what stands in a temporary file."""
        with naming(file.path):
            os.pwrite(file.fd, data, offset)

    def truncate(self, file: OpenFile, size: int) -> None:
        """Cut a file back."""
        with naming(file.path):
            os.ftruncate(file.fd, size)

    def set_modified(self, file: OpenFile, moment_ns: int) -> None:
        """Set when a file was last written."""
        with naming(file.path):
            os.utime(file.fd, ns=(moment_ns, moment_ns))

    def sync_data(self, file: OpenFile) -> None:
        """Make durable what stands in a file, and its length."""
        try:
            platforms.current.sync_data(file.fd)
        except OSError as error:
            error.filename = file.path
            raise

    def sync(self, file: OpenFile) -> None:
        """Make a file durable, its times and mode too."""
        with naming(file.path):
            platforms.current.sync(file.fd)

    def sync_directory(self, path: str) -> None:
        """Make the names in a directory durable."""
        with naming(path):
            platforms.current.sync_directory(path)

    def rename(self, source: str, target: str) -> None:
        """Give a file its name, in place of whatever has it."""
        os.rename(source, target)

    def publish(self, source: str, target: str) -> None:
        """Give a temporary file its name, unless something has it.

        Raises:
            FileExistsError: something has it.
        """
        try:
            platforms.current.link(source, target)
        except OSError as error:
            if error.errno not in _NO_LINKS:
                raise
            if status_of(target) is not None:  # a file system without links: somebody without lock may get between
                raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), target) from None
            self.rename(source, target)
        else:
            with contextlib.suppress(OSError):  # it has its name: what is left of the other one is swept later
                self.remove(source)

    def keep(self, path: str, name: str) -> None:
        """Keep the file that is about to be replaced under another name too."""
        self.remove(name)
        with contextlib.suppress(FileNotFoundError):
            try:
                platforms.current.link(path, name)
            except OSError as error:
                if error.errno not in _NO_LINKS:
                    raise
                self._copy(path, name)

    def _copy(self, path: str, name: str) -> None:
        original = open_for_reading(path)
        if original is not None:
            copy = self.create(name)
            self.write(copy, original.read(0, original.status().st_size))
            self.sync(copy)

    def remove(self, path: str) -> bool:
        """Remove a file; whether it was there."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return False
        return True

    def claim(self, path: str) -> bool:
        """Whether nobody uses a temporary file: its maker is dead or has given it up."""
        file = open_for_reading(path)
        if file is None or not stat.S_ISREG(file.status().st_mode):
            return False
        return not platforms.current.is_held(file.fd)
