"""In what state the directory is: rights and room, locks, and what stands there beside sessions."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from sessionkit.directory_checks import check_directory
from sessionkit.findings import Finding
from sessionkit.lock_checks import check_holders, check_locks
from sessionkit.sizes import size
from sessionkit_jsonl import platforms
from sessionkit_jsonl.directory import ARCHIVE_SUFFIX, BAD_META_SUFFIX, DAMAGED_SUFFIX, DATA_SUFFIX, META_SUFFIX
from sessionkit_jsonl.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, open_for_reading, status_of, temporary_name
from sessionkit_jsonl.locks import LOCK_NAME
from sessionkit_jsonl.options import JSONLOptions
from sessionkit_jsonl.sweep import half_deleted

_DURABILITY: Final = {
    "always": "each write is on the disk when it returns",
    "interval": "a power cut loses what was appended in the last moments before it, see the option interval",
    "os": "a power cut loses what was appended since save was called last, or more",
}


def diagnose(options: JSONLOptions) -> Iterator[Finding]:
    """Look at the directory of a backend that is open."""
    path = options.path
    yield from check_directory(path, temporary_name())
    yield check_locks(path, temporary_name(), platforms.current.try_lock)
    yield check_holders(path, lambda: _held(path))
    yield Finding.ok("durability", f"{options.durability}: {_DURABILITY[options.durability]}")
    try:
        names = os.listdir(path)
    except OSError:
        return  # told already
    yield from _sessions(path, names)
    yield from _left(names)
    yield from _set_aside(path, names)


def _held(path: Path) -> str | None:
    """A lock that somebody holds."""
    file = open_for_reading(os.fspath(path / LOCK_NAME))
    slot = platforms.current.held_slot(file.fd) if file else None
    return None if slot is None else f"the lock {slot} of {LOCK_NAME}"


def _sessions(path: Path, names: list[str]) -> Iterator[Finding]:
    logs = [name for name in names if name.endswith(DATA_SUFFIX)]
    archives = [name for name in names if name.endswith(ARCHIVE_SUFFIX)]
    beside = f", and {_files(archives)} with archived messages ({_size(path, archives)})" if archives else ""
    yield Finding.ok("sessions", f"{_files(logs)} with messages ({_size(path, logs)}){beside}")
    documents = [name for name in names if name.endswith(".json") and not name.endswith(META_SUFFIX)]
    if documents:
        yield Finding.warning(
            "other format",
            f"{_files(documents)} may be sessions of the json backend, such as {min(documents)}; none is read here",
            f"turn them into sessions of this backend with sessionkit migrate {path}",
        )


def _left(names: list[str]) -> Iterator[Finding]:
    """What a killed process left; the opening of the store has removed what nobody uses."""
    temporary = [name for name in names if name.startswith(TEMPORARY_PREFIX) and name.endswith(TEMPORARY_SUFFIX)]
    if temporary:
        yield Finding.ok(
            "temporary files", f"{_files(temporary)} in use, or left a moment ago and removed at the next opening"
        )
    if half := half_deleted(names):
        yield Finding.warning(
            "half deleted",
            f"the deletion of {half[0]} was cut short" + (f", and {len(half) - 1:,} more" if len(half) > 1 else ""),
            "open the store for writing, which finishes them; if that does not help, look at the log of sessionkit",
        )


def _set_aside(path: Path, names: list[str]) -> Iterator[Finding]:
    damaged = [name for name in names if name.endswith((DAMAGED_SUFFIX, BAD_META_SUFFIX))]
    if damaged:
        yield Finding.warning(
            "set aside",
            f"{_files(damaged)} hold what could not be read and was put aside ({_size(path, damaged)}), such as "
            f"{min(damaged)}",
            "see what is damaged now with sessionkit verify; remove these files when nothing in them is missed",
        )


def _files(names: list[str]) -> str:
    return "1 file" if len(names) == 1 else f"{len(names):,} files"


def _size(path: Path, names: list[str]) -> str:
    found = (status_of(os.fspath(path / name)) for name in names)
    return size(sum(status.st_size for status in found if status is not None))
