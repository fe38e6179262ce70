"""Writers of one process that come to the same session while another one writes: they go on together.

The first one leads: it writes what it brought, and whoever comes meanwhile waits. Then the one that has waited longest
leads, and takes along what all the others brought. So there is one write and one sync for all of them, and each waits
for two syncs at most, however many they are.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from sessionkit.errors import OutcomeUnknownError
from sessionkit.messages import Message

GROUP_BYTES: Final = 4 * 1024 * 1024
"""How much is written at once, about; one unit may be larger."""


class Unit(msgspec.Struct, eq=False):
    """What one writer brings: messages that are written together or not at all.

    Attributes:
        records: the messages, encoded.
        messages: the same decoded, for whoever keeps them so.
        version: the version of the session with them, once they are stored.
        error: why they are not, once that is known.
        taken: whether its outcome is the leader's to tell.
        gate: what its writer waits at while another one leads; None for who need not wait.
    """

    records: Sequence[bytes]
    messages: Sequence[Message] = ()
    version: str | None = None
    error: BaseException | None = None
    taken: bool = False
    gate: Any = None  # a lock; msgspec knows no such type

    @property
    def settled(self) -> bool:
        """Whether its outcome is known."""
        return self.version is not None or self.error is not None

    def close_gate(self) -> None:
        """Let the writer wait at the gate."""
        self.gate = threading.Lock()
        self.gate.acquire()

    def open_gate(self) -> None:
        """Let the writer through."""
        if self.gate is not None and self.gate.locked():
            self.gate.release()

    def wait(self) -> None:
        """Wait at the gate until somebody opens it."""
        self.gate.acquire()


class Queue:
    """The units that writers bring to one session, in their order."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._known = False
        self._reset()

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._waiting: deque[Unit] = deque()
        self._taken: list[Unit] = []
        self._leader: Unit | None = None

    def write(self, unit: Unit, lead: Callable[[Unit], None]) -> str:
        """Have a unit written, alone or with others; returns the new version.

        Args:
            unit: what is to be written.
            lead: called by one writer at a time. It has to :meth:`take` its unit, and may take others with it, and
                to settle all of them. What it raises is told to its own caller.
        """
        if not self._known:
            self._known = True
            _all.add(self)
        try:
            with self._lock:
                if self._leader is None:
                    self._leader = unit
                else:
                    self._waiting.append(unit)
                    unit.close_gate()
            if self._leader is not unit:
                self._follow(unit)
            if unit.version is None and unit.error is None:
                lead(unit)
        finally:
            if self._leader is unit or not unit.settled:
                try:
                    self._leave(unit)
                except BaseException:  # an interrupt: whatever happens, the others must not wait for ever
                    self._leave(unit)
                    raise
        if unit.error is not None:
            raise unit.error
        assert unit.version is not None
        return unit.version

    def take(self, unit: Unit, limit: int = GROUP_BYTES) -> list[Unit]:
        """Take the leader's unit and those behind it, up to so many bytes. From here on they have to be settled."""
        with self._lock:
            if self._waiting and self._waiting[0] is unit:  # it waited before it led
                self._waiting.popleft()
            unit.taken = True
            self._taken = [unit]
            if self._waiting and limit:
                room = limit - sum(map(len, unit.records))
                while self._waiting and room > 0:
                    following = self._waiting.popleft()
                    following.taken = True
                    self._taken.append(following)
                    room -= sum(map(len, following.records))
            return self._taken

    def _follow(self, unit: Unit) -> None:
        """Wait until a unit is settled or has to lead. Who is interrupted leaves, unless the unit is being written."""
        interrupt: BaseException | None = None
        while True:
            try:
                unit.wait()
                break
            except BaseException as error:  # an interrupt, wherever it came: first see what becomes of the unit
                with self._lock:
                    if not unit.taken:
                        self._waiting.remove(unit)
                        raise
                interrupt = error
        if interrupt is not None:
            raise interrupt

    def _leave(self, unit: Unit) -> None:
        """End a writer's part. Who led settles what is left, wakes its writers, and lets the next one lead."""
        with self._lock:
            if self._waiting and not unit.taken and unit in self._waiting:
                self._waiting.remove(unit)
            if self._leader is unit:
                for taken in self._taken:
                    if taken.version is None and taken.error is None:
                        taken.error = self._unknown()
                    if taken is not unit:
                        taken.open_gate()
                self._taken = []
                self._leader = self._waiting[0] if self._waiting else None
            if self._leader is not None:
                self._leader.open_gate()

    def _unknown(self) -> OutcomeUnknownError:
        return OutcomeUnknownError(
            f"session {self._key!r}: the last messages may or may not be stored: the thread that wrote them together "
            "with its own was interrupted; look, then decide"
        )


_all: weakref.WeakSet[Queue] = weakref.WeakSet()


def _reset_in_child() -> None:
    """The threads that lead and wait do not exist in a forked child."""
    for queue in list(_all):
        queue._reset()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_reset_in_child)
