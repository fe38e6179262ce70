"""What a killed process left behind."""

from __future__ import annotations

import os
import time
from collections.abc import Collection, Iterable
from typing import Final

from sessionkit_jsonl.directory import BESIDE, DATA_SUFFIX, META_SUFFIX
from sessionkit_jsonl.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, Files, status_of

_YOUNG_SECONDS: Final = 60
"""A file is in use from its creation, and known to be so a moment later; younger ones are left alone."""


def sweep(directory: str, names: Collection[str], files: Files) -> int:
    """Remove the temporary files that no living process uses. Returns how many.

    Who makes one locks it for as long as it is open. The lock goes with the process, and it is seen from other
    containers that share the directory, where a process id would mean nothing.
    """
    if not _occur((TEMPORARY_PREFIX,), names):
        return 0
    found = [name for name in names if name.startswith(TEMPORARY_PREFIX)]
    return sum(_remove_if_stale(os.path.join(directory, name), files) for name in found)


def half_deleted(names: Collection[str]) -> list[str]:
    """The names of sessions that may have been deleted but for what stands beside their logs.

    >>> half_deleted(["a.jsonl", "a.archive", "b.meta.json", "b.archive", "c.meta.json"])
    ['b']
    """
    if not _occur(BESIDE, names):
        return []
    beside = [name.removesuffix(suffix) for suffix in BESIDE for name in names if name.endswith(suffix)]
    present = set(names)
    return sorted({name for name in beside if name + DATA_SUFFIX not in present and name + META_SUFFIX in present})


def _occur(parts: Iterable[str], names: Iterable[str]) -> bool:
    """Whether any of these stands in any name, as a rule not: opening a large directory waits for no look at each."""
    text = "/".join(names)
    return any(part in text for part in parts)


def _remove_if_stale(path: str, files: Files) -> bool:
    if not path.endswith(TEMPORARY_SUFFIX):
        return False
    status = status_of(path)
    if status is None or time.time() - status.st_mtime < _YOUNG_SECONDS:
        return False
    return files.claim(path) and files.remove(path)
