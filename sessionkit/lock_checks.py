"""Whether locks on files keep others out, and whether somebody sits on one.

For the hook ``sessionkit_diagnose`` of backends that keep files.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from sessionkit.findings import Finding

_PAUSE: Final = 0.05

PATIENCE: Final = 2.0
"""Seconds that somebody may hold a lock, without anything in the directory changing, before it is told."""


def check_locks(path: Path, probe: str, try_lock: Callable[[int], bool]) -> Finding:
    """Lock a file, and see whether somebody else is kept out.

    Args:
        path: the directory.
        probe: the name of the file, which nobody else uses; it is removed again.
        try_lock: locks an open file without waiting, by its descriptor; False when somebody else has it.
    """
    file = path / probe
    descriptors: list[int] = []
    try:
        # Opened twice, as two processes would: what is locked through one is closed to the other.
        descriptors.append(os.open(file, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
        descriptors.append(os.open(file, os.O_RDWR))
        locked = [try_lock(descriptor) for descriptor in descriptors]
    except OSError as error:
        return Finding.problem(
            "locks",
            f"a file cannot be locked in {path}: {error.strerror or type(error).__name__}",
            "use a file system that has locks, such as that of a local disk",
        )
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
        with suppress(OSError):
            file.unlink()
    if locked == [True, False]:
        return Finding.ok("locks", "a lock keeps others out")
    return Finding.problem(
        "locks",
        "a file that is locked can be locked by somebody else: writers would overwrite each other",
        "use a file system whose locks hold, or let one process alone use the directory",
    )


def check_holders(path: Path, held: Callable[[], str | None], patience: float = PATIENCE) -> Finding:
    """Whether somebody sits on a lock and does nothing. A busy writer holds locks too, and changes files.

    Args:
        path: the directory.
        held: names a lock that somebody else holds at present; None when there is none.
        patience: seconds until it is told.
    """
    first = held()
    if first is None:
        return Finding.ok("lock holders", "nobody holds a lock at present")
    before = _newest(path)
    end = time.monotonic() + patience
    while time.monotonic() < end:
        time.sleep(_PAUSE)
        if held() != first:
            return Finding.ok("lock holders", "locks are held for a moment, as by writers at work")
    if _newest(path) != before:
        return Finding.ok("lock holders", "locks are held by writers at work")
    return Finding.warning(
        "lock holders",
        f"somebody has held {first} for {patience:g} s without writing anything; writers of its sessions wait",
        "see who it is (lslocks, or fuser on the lock file), and end it if it is stuck; a lock goes with its process",
    )


def _newest(path: Path) -> int:
    """When something in the directory was changed last."""
    times = [0]
    with suppress(OSError), os.scandir(path) as entries:
        for entry in entries:
            with suppress(OSError):
                times.append(entry.stat().st_mtime_ns)
    return max(times)
