"""Keeping the garbage collector out of bulk decoding.

Ten thousand messages are ten thousand new objects, none of which is garbage. The collector runs after every few hundred
of them, looks at all of them again and again, and takes a third of the time of decoding.

It can only be switched off for the whole process, so it is done for large reads alone, and for as long as they last.
Reads may overlap: the last one that ends switches it on again, if it was on.
"""

from __future__ import annotations

import contextlib
import gc
import os
import threading
from collections.abc import Iterator


class _Pause:
    """How many reads want the collector to rest at this moment."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._wanted = 0
        self._resume = False

    def begin(self) -> None:
        with self._lock:
            if not self._wanted:
                self._resume = gc.isenabled()
                gc.disable()
            self._wanted += 1

    def end(self) -> None:
        with self._lock:
            self._wanted -= 1
            if not self._wanted and self._resume:
                gc.enable()

    def reset(self) -> None:
        """In a forked child: the reads of other threads do not exist there, and never end."""
        if self._wanted and self._resume:
            gc.enable()
        self.__init__()  # type: ignore[misc]


_pause = _Pause()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pause.reset)


@contextlib.contextmanager
def resting(*, when: bool) -> Iterator[None]:
    """Keep the collector from running meanwhile, when it is worthwhile."""
    if not when:
        yield
        return
    _pause.begin()
    try:
        yield
    finally:
        _pause.end()
