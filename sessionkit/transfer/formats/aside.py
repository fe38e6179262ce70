"""Copies of files that another program may be writing to, to read them without touching them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
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
            with suppress(FileNotFoundError):  # one went away since it was selected: look again
                if not _follow(select(), copied, Path(directory)):
                    break
        else:
            raise FormatError(f"{name} keeps changing; stop the program that writes to it, and import it then")
        yield Path(directory)


def _follow(paths: Iterable[Path], copied: dict[Path, _Fingerprint], directory: Path) -> bool:
    """Make the copies what the files are; whether any was another."""
    present = {path: _fingerprint(path) for path in paths}
    changed = [path for path in present.keys() | copied.keys() if present.get(path) != copied.get(path)]
    for path in changed:
        copied.pop(path, None)
        Path(directory, path.name).unlink(missing_ok=True)
        if path in present:
            shutil.copyfile(path, Path(directory, path.name))
            copied[path] = present[path]
    return bool(changed)


def _fingerprint(path: Path) -> _Fingerprint:
    status = path.stat()
    return status.st_ino, status.st_size, status.st_mtime_ns
