"""``SharedConnection``: one connection of a backend, for all threads, which no fork takes along.

Most drivers ask that a connection is used by one thread at a time, and on one side of a fork. SQLite asks for more: a
child that inherits an open database takes locks for its own that it does not hold, so that another process may remove
the log that the child writes to.
"""

from __future__ import annotations

import os
import threading
import weakref
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Generic, Protocol, TypeVar


class Closable(Protocol):
    """Something that is open until it is closed."""

    def close(self) -> object:
        """Release it."""


C = TypeVar("C", bound=Closable)


class SharedConnection(Generic[C]):
    """A connection on which threads take turns; it opens when it is first used.

    It is closed while the process forks: the fork waits for the turn of another thread to end. Parent and child each
    open one of their own when they next need it. (A fork inside a turn would wait for itself.)

    >>> import sqlite3
    >>> shared = SharedConnection(lambda: sqlite3.connect(":memory:", check_same_thread=False))
    >>> with shared.turn() as connection:
    ...     connection.execute("SELECT 1").fetchone()
    (1,)
    >>> shared.close()
    """

    def __init__(self, connect: Callable[[], C], prepare: Callable[[C], object] | None = None) -> None:
        """
        Args:
            connect: opens a connection.
            prepare: does what each new connection needs first; when it raises, the connection is closed.
        """
        self._connect = connect
        self._prepare = prepare
        self._lock = threading.Lock()
        self._connection: C | None = None
        with _forking:
            _all.add(self)

    @contextmanager
    def turn(self) -> Iterator[C]:
        """The connection, for this thread alone while the ``with`` block lasts.

        Raises:
            Exception: what ``connect`` and ``prepare`` raise; the next turn tries again.
        """
        with self._lock:
            if self._connection is None:
                self._connection = self._open()
            yield self._connection

    def close(self) -> None:
        """Close the connection, after the present turn. Another turn would open it again."""
        with self._lock:
            self._disconnect()

    def _open(self) -> C:
        connection = self._connect()
        with ExitStack() as undo:
            undo.callback(connection.close)
            if self._prepare is not None:
                self._prepare(connection)
            undo.pop_all()
        return connection

    def _disconnect(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()


_all: weakref.WeakSet[SharedConnection[Any]] = weakref.WeakSet()
_forking = threading.Lock()  # one fork at a time, and no new connection meanwhile
_held = ExitStack()


def _before_fork() -> None:
    _forking.acquire()
    _held.callback(_forking.release)
    with ExitStack() as closing:  # each is closed, also when the close of another one fails
        for shared in list(_all):
            _held.enter_context(shared._lock)
            closing.callback(shared._disconnect)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_held.close, after_in_child=_held.close)
