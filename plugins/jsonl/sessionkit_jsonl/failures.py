"""What the system's errors mean for a session."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from typing import Final

from sessionkit.errors import BackendUnavailableError, CorruptSessionError, OutcomeUnknownError

_STRUCTURE: Final = getattr(errno, "EUCLEAN", errno.EIO)
"""A file system that found itself damaged; only Linux tells that from other faults."""

_DAMAGED: Final = frozenset({errno.EIO, errno.EISDIR, errno.ELOOP, errno.ENOTDIR, _STRUCTURE})
_REMEDIES: Final = {
    errno.ENOSPC: "free some space, then try again",
    errno.EDQUOT: "the quota is used up; free some space, then try again",
    errno.EFBIG: "the file may not grow (ulimit -f, or the file system's limit)",
    errno.EACCES: "give this user access to it",
    errno.EPERM: "give this user access to it",
    errno.EROFS: "the file system is mounted read-only",
    errno.EMFILE: "this process has too many open files (ulimit -n)",
    errno.ENOENT: "the directory is gone; is its volume mounted?",
}


class Raced(Exception):  # noqa: N818 - never seen outside
    """A program that takes no locks changed the files in between: look again."""


def describe(error: OSError) -> str:
    """The file, what the system said, and what to do when that is known."""
    reason = error.strerror or os.strerror(error.errno) if error.errno else str(error)
    remedy = _REMEDIES.get(error.errno or 0)
    where = f"{os.fspath(error.filename)}: " if isinstance(error.filename, (str, os.PathLike)) else ""
    return f"{where}{reason}" + (f"; {remedy}" if remedy else "")


class _Turning:
    """A block whose errors are turned into others. A generator would take three times as long to go in and out."""

    __slots__ = ("_key",)

    def __init__(self, key: str) -> None:
        self._key = key

    def __enter__(self) -> None:
        pass


class reading(_Turning):  # noqa: N801 - used like a function
    """Turn the errors of a read into those of the store."""

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            kind = CorruptSessionError if error.errno in _DAMAGED else BackendUnavailableError
            raise kind(f"session {self._key!r} cannot be read: {describe(error)}") from error


class writing(_Turning):  # noqa: N801 - used like a function
    """Turn the errors of a write that did not happen into those of the store."""

    def __exit__(self, _: object, error: BaseException | None, traceback: object) -> None:
        if isinstance(error, OSError):
            raise not_changed(self._key, error) from error


def not_changed(key: str, error: OSError) -> BackendUnavailableError:
    """What a write that did not happen raises."""
    return BackendUnavailableError(f"session {key!r} was not changed: {describe(error)}")


@contextlib.contextmanager
def changed(key: str) -> Iterator[None]:
    """Turn the errors of a look at what a write has done into those of the store."""
    try:
        yield
    except OSError as error:
        raise OutcomeUnknownError(
            f"session {key!r} is changed, and what it is now cannot be told: {describe(error)}; look, then go on"
        ) from error


@contextlib.contextmanager
def committed(key: str) -> Iterator[None]:
    """Turn the errors after the point of no return into those of the store."""
    try:
        yield
    except OSError as error:
        raise OutcomeUnknownError(
            f"session {key!r} may or may not be changed after a power cut: {describe(error)}; look, then decide"
        ) from error
