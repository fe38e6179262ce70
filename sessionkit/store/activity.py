"""Who is inside a store at this moment: so that ``save`` waits for writes in flight, and ``close`` for all."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from itertools import count

from sessionkit.errors import StoreClosedError


class Activity:
    """The operations that are running. Entering and leaving take no lock: single dict operations are atomic."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._tickets = count()
        self._running: dict[int, tuple[int, str | None]] = {}
        self._closed = False
        self._waiting = 0
        self._changed = threading.Condition(threading.Lock())

    def during(self, write_to: str | None = None) -> AbstractContextManager[None]:
        """Be inside for a while; as a writer to a session when its key is given."""
        return _Visit(self, write_to)

    def enter(self, write_to: str | None = None) -> int:
        """Go in.

        Raises:
            StoreClosedError: the store was closed.
        """
        ticket = next(self._tickets)
        self._running[ticket] = (threading.get_ident(), write_to)
        if self._closed:  # looked at after going in: closing either sees the ticket or is seen here
            self.leave(ticket)
            raise StoreClosedError(f"the {self._name} store is closed; open another one with open_store()")
        return ticket

    def leave(self, ticket: int) -> None:
        """Go out, and wake whoever waits for it."""
        del self._running[ticket]
        if self._waiting:
            with self._changed:
                self._changed.notify_all()

    @property
    def closed(self) -> bool:
        """Whether nobody is let in any more."""
        return self._closed

    def abandon(self) -> None:
        """Let nobody in any more, without waiting: in a forked child, where those inside do not exist."""
        self._closed = True

    def wait_for_writes(self, key: str) -> None:
        """Wait for the writes to a session that are in flight now.

        Not when called inside a write, by an observer: those others may wait for this very one.
        """
        me = threading.get_ident()
        running = self._running.copy().values()
        if any(thread == me and writing is not None for thread, writing in running):
            return
        if any(thread != me and writing == key for thread, writing in running):
            self._wait_for(lambda thread, writing: writing == key)

    def close(self) -> bool:
        """Let nobody in any more and wait until all are out; False when that was done before.

        When the waiting is interrupted, the doors are open again, so that it can be done once more.
        """
        with self._changed:
            if self._closed:
                return False
            self._closed = True
        try:
            self._wait_for(lambda thread, writing: True)
        except BaseException:  # an interrupt of the waiting is not a close
            self._closed = False
            raise
        return True

    def _wait_for(self, concerns: Callable[[int, str | None], bool]) -> None:
        me = threading.get_ident()
        with self._changed:
            self._waiting += 1
            try:
                awaited = {
                    ticket
                    for ticket, (thread, writing) in self._running.copy().items()
                    if thread != me and concerns(thread, writing)
                }
                self._changed.wait_for(lambda: awaited.isdisjoint(self._running.copy()))
            finally:
                self._waiting -= 1


class _Visit(AbstractContextManager[None]):
    """A block inside. It goes in and out in half the time of a generator."""

    __slots__ = ("_activity", "_ticket", "_write_to")

    def __init__(self, activity: Activity, write_to: str | None) -> None:
        self._activity = activity
        self._write_to = write_to

    def __enter__(self) -> None:
        self._ticket = self._activity.enter(self._write_to)

    def __exit__(self, *error: object) -> None:
        self._activity.leave(self._ticket)
