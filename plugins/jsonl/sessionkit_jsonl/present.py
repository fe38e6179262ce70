"""Which names of sessions there are in a directory."""

from __future__ import annotations

import os
import time
from collections.abc import Set
from pathlib import Path
from typing import Final, TypeAlias

from sessionkit_jsonl.directory import DATA_SUFFIX, META_SUFFIX
from sessionkit_jsonl.files import status_of
from sessionkit_jsonl.mounts import is_local

_TICK_NS: Final = 100_000_000
_COARSE_TICK_NS: Final = 2_500_000_000
"""How long a file system may give one and the same time, in nanoseconds: a tick of the kernel's clock, with plenty to
spare; or what it keeps at all, where that is seconds."""

_MOST_HELD: Final = 50_000
"""How many names of files are held for a look that may never come."""

Fingerprint: TypeAlias = tuple[int, ...]
"""Differs when a file or a directory differs; empty when there is none."""


def fingerprint(path: str) -> Fingerprint:
    """What tells whether something at a path is still the same."""
    status = status_of(path)
    return () if status is None else (status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


class Present:
    """The names that have a document or a log. The directory is read again only when something may have changed in it.

    Attributes:
        names: they, sorted, as of the last look; all of them are also ``in`` it.
    """

    def __init__(self, directory: str) -> None:
        self.names: list[str] = []
        self._directory = directory
        self._set: set[str] = set()
        self._seen: Fingerprint = ()
        self._held: tuple[Fingerprint, int, list[str]] | None = None
        self._is_local: bool | None = None

    def __contains__(self, name: str) -> bool:
        return name in self._set

    def files(self) -> list[str]:
        """What all files are called. A look that comes next does without reading them again if it can."""
        seen, moment = fingerprint(self._directory), time.time_ns()
        files = os.listdir(self._directory)
        if len(files) <= _MOST_HELD:
            self._held = seen, moment, files
        return files

    def look(self) -> Set[str]:
        """See which names there are now. Returns those of before that are gone."""
        seen = fingerprint(self._directory)
        if seen and seen == self._seen:
            return frozenset()
        held, self._held = self._held, None
        if held is not None and held[0] == seen and self._will_tell(seen, held[1]):
            _, moment, files = held
        else:
            moment = time.time_ns()
            files = os.listdir(self._directory)
        self._seen = seen if self._will_tell(seen, moment) else ()
        return self._take_in(files)

    def _take_in(self, files: list[str]) -> Set[str]:
        present = _sessions(files)
        gone = self._set - present
        if gone or len(present) != len(self._set):
            self.names = sorted(present)
            self._set = present
        return gone

    def _will_tell(self, seen: Fingerprint, moment: int) -> bool:
        """Whether each change of names from a moment on gives the directory another time, and not the very same.

        It does if the clock of the file system, which may stand still for a while, had gone on by then since the last
        change. The clock of another machine is none to compare with.
        """
        if not seen:
            return False
        if self._is_local is None:
            self._is_local = is_local(Path(self._directory))
        last = max(seen[2], seen[3])  # somebody may have set the one back, as copying a directory does
        tick = _COARSE_TICK_NS if last % 1_000_000 == 0 else _TICK_NS
        return self._is_local and last + tick < moment


def _sessions(files: list[str]) -> set[str]:
    """The names that have a document or a log. They are cut out of one text: a look at each would take twice as long.

    >>> sorted(_sessions(["b.jsonl", ".lock", "a.meta.json", "a.jsonl", "a.archive"]))
    ['a', 'b']
    """
    text = "/".join([*files, ""])  # neither a slash nor a NUL stands in a name
    ended = text.replace(f"{META_SUFFIX}/", "\0").replace(f"{DATA_SUFFIX}/", "\0").split("\0")
    ended.pop()  # what follows the last session
    names = set(ended)
    behind_others = [name for name in names if "/" in name]
    names.difference_update(behind_others)
    names.update(name.rpartition("/")[2] for name in behind_others)
    return names
