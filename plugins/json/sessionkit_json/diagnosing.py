"""In what state the directory of the documents is: rights and room, locks, and what else stands there."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from sessionkit.directory_checks import check_directory
from sessionkit.findings import Finding
from sessionkit.lock_checks import check_holders, check_locks
from sessionkit.sizes import size
from sessionkit_json import temporary
from sessionkit_json.directory import SUFFIX
from sessionkit_json.locks import FOLDER


def diagnose(path: Path, *, autosave: bool) -> Iterator[Finding]:
    """Look at the directory of a manager that is open."""
    yield from check_directory(path, temporary.fresh_name())
    yield check_locks(path, temporary.fresh_name(), _try_lock)
    yield check_holders(path, lambda: _held(path / FOLDER))
    if autosave:
        yield Finding.ok("durability", "autosave: each change is on the disk when it returns")
    else:
        yield Finding.ok("durability", "changes live in memory until save or close writes them")
    try:
        with os.scandir(path) as entries:
            sizes = {entry.name: _bytes(entry) for entry in entries}
    except OSError:
        return  # told already
    yield from _files(path, sizes)


def _files(path: Path, sizes: dict[str, int]) -> Iterator[Finding]:
    logs = [name for name in sizes if name.endswith((".jsonl", ".meta.json"))]
    documents = [name for name in sizes if name.endswith(SUFFIX) and name not in logs]
    total = sum(sizes[name] for name in documents)
    yield Finding.ok("sessions", f"{_counted(documents, 'document')} ({size(total)})")
    if logs:
        yield Finding.warning(
            "other format",
            f"{_counted(logs, 'file')} of the jsonl backend, such as {min(logs)}; none is read here",
            f"if the sessions are theirs, open jsonl:{path}",
        )
    left = [name for name in sizes if name.startswith(temporary.PREFIX) and name.endswith(temporary.SUFFIX)]
    if left:
        yield Finding.ok("temporary files", f"{_counted(left, 'file')} in use, or removed at the next opening")


def _counted(names: list[str], noun: str) -> str:
    return f"1 {noun}" if len(names) == 1 else f"{len(names):,} {noun}s"


def _bytes(entry: os.DirEntry[str]) -> int:
    with suppress(OSError):
        return entry.stat().st_size
    return 0


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _held(folder: Path) -> str | None:
    """A lock that somebody holds. Those that are free are held for the moment of the look."""
    try:
        files = sorted(folder.iterdir())
    except OSError:
        return None
    for file in files:
        with suppress(OSError), file.open("rb") as opened:
            if not _try_lock(opened.fileno()):
                return f"the lock {FOLDER}/{file.name}"
    return None
