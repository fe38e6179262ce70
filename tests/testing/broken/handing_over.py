"""How a fault that needs bad luck gets it every time: threads and processes wait for each other at its worst moment.

Each waits once for each store, and never in the main thread: there nobody else is on the way.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeVar

_T = TypeVar("_T")

_PATIENCE: Final = 20
"""Seconds after which a store goes on by itself, so that a test that does not meet its fault ends, and fails."""


class Meeting:
    """Two threads come to the same place before either goes on."""

    def __init__(self) -> None:
        self._barrier = threading.Barrier(2)
        self._held = threading.Event()

    def wait(self) -> None:
        """Wait for the other thread, the first time."""
        if threading.current_thread() is threading.main_thread() or self._held.is_set():
            return
        with suppress(threading.BrokenBarrierError):
            self._barrier.wait(_PATIENCE)
        self._held.set()
        self._barrier.abort()  # a third one does not wait for a fourth


class HalfDone:
    """A write stops half-way until somebody has come by."""

    def __init__(self) -> None:
        self._turn = threading.Lock()
        self._stopped = threading.Event()
        self._passed = threading.Event()

    def after(self, half: Callable[[], _T]) -> _T:
        """Do the first half of a write, and wait until somebody has passed by, the first time."""
        with self._turn:
            result = half()
            stops = threading.current_thread() is not threading.main_thread() and not self._stopped.is_set()
            if stops:
                self._stopped.set()
        if stops:
            self._passed.wait(_PATIENCE)
        return result

    @contextmanager
    def passing(self, *, wait: bool = False) -> Iterator[None]:
        """What is done inside is done while the write stands still, or before, or after: with ``wait``, not before."""
        if wait and threading.current_thread() is not threading.main_thread():
            self._stopped.wait(_PATIENCE)
        with self._turn:
            yield
            if self._stopped.is_set():
                self._passed.set()


def meet_another_process(directory: Path) -> None:
    """Wait until a second process has come here."""
    (directory / f"waiting-{os.getpid()}").touch()
    end = time.monotonic() + _PATIENCE
    while len(list(directory.glob("waiting-*"))) < 2 and time.monotonic() < end:
        continue
