"""Copies of files that another program may be writing to, to read them without touching them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

from sessionkit.errors import FormatError

_Fingerprint: TypeAlias = "tuple[int, int, int]"

_ATTEMPTS = 4


@contextmanager
def copied_aside(name: str, select: Callable[[], Iterable[Path]]) -> Iterator[Path]:
    """A temporary directory with copies of some files as they all were at one moment.

    Args:
        name: what errors call the files.
        select: which files there are; asked again after they were copied.

    Raises:
        FormatError: they keep changing.
        OSError: they cannot be read or copied.
    """
    with tempfile.TemporaryDirectory(prefix="sessionkit-") as directory:
        copied: dict[Path, _Fingerprint] = {}
        for _ in range(_ATTEMPTS):
            present = {path: _fingerprint(path) for path in select()}
            if present == copied:
                break
            for path in present.keys() | copied.keys():
                copy = Path(directory, path.name)
                if path not in present:
                    copy.unlink()
                elif present[path] != copied.get(path):
                    shutil.copyfile(path, copy)
            copied = present
        else:
            raise FormatError(f"{name} keeps changing; stop the program that writes to it, and import it then")
        yield Path(directory)


def _fingerprint(path: Path) -> _Fingerprint:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
