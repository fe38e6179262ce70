"""Temporary files that a killed process left behind."""

from __future__ import annotations

import os
import time
from typing import Final

from sessionkit_jsonl.files import TEMPORARY_PREFIX, TEMPORARY_SUFFIX, Files, status_of

_YOUNG_SECONDS: Final = 60
"""A file is in use from its creation, and known to be so a moment later; younger ones are left alone."""


def sweep(directory: str, files: Files) -> int:
    """Remove the temporary files that no living process uses. Returns how many.

    Who makes one locks it for as long as it is open. The lock goes with the process, and it is seen from other
    containers that share the directory, where a process id would mean nothing.
    """
    with os.scandir(directory) as entries:
        names = [entry.name for entry in entries if entry.name.startswith(TEMPORARY_PREFIX)]
    return sum(_remove_if_stale(os.path.join(directory, name), files) for name in names)


def _remove_if_stale(path: str, files: Files) -> bool:
    if not path.endswith(TEMPORARY_SUFFIX):
        return False
    status = status_of(path)
    if status is None or time.time() - status.st_mtime < _YOUNG_SECONDS:
        return False
    return files.claim(path) and files.remove(path)
