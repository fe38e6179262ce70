"""Actors that take turns at every call that touches a file, as processes on one machine may.

Each actor is a thread, and one of them runs at a time: whoever is about to make a call to the system first asks
whose turn it is. The answers come from a random number generator with a seed, so that a run can be repeated. An actor
may be killed at such a point: nothing that it does from then on has an effect, its locks are released, its
files stay. Calls may also fail.
"""

from __future__ import annotations

import errno
import fcntl
import os
import struct
import threading
from _thread import allocate_lock, get_ident
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from random import Random
from typing import Any, Final

import attrs

_CALLS: Final = (
    "fstat", "ftruncate", "link", "listdir", "lstat", "mkdir", "open", "pread", "preadv", "pwrite", "read", "readlink",
    "remove", "rename", "replace", "rmdir", "scandir", "stat", "truncate", "unlink", "utime", "writev",
)  # fmt: skip
"""Calls of :mod:`os` that are made as they are. Those that are treated in another way have a method."""

_SET: Final[int] = getattr(fcntl, "F_OFD_SETLK", -1)
_SET_AND_WAIT: Final[int] = getattr(fcntl, "F_OFD_SETLKW", -2)
_TRACED: Final = 400
_TEARING: Final = 15
"""How much likelier it is to be killed in a write, which leaves a part of it."""


class KilledError(BaseException):
    """Ends what a killed process was doing."""


class DeadlockError(Exception):
    """Everybody waits for a lock."""


@attrs.frozen
class Chances:
    """What may happen to an actor at a call, each with a probability.

    Attributes:
        stay: it goes on, and nobody else has a turn.
        kill: it is killed.
        fail: a write fills the disk, or a sync fails.
        part: a write stores less than it was given.
    """

    stay: float = 0.5
    kill: float = 0.0
    fail: float = 0.0
    part: float = 0.0


@attrs.define(eq=False)
class Actor:
    """One of those who take turns.

    Attributes:
        mortal: whether it may be killed, and whether its calls may fail.
        failed: how many of its calls failed.
    """

    name: str
    baton: Any = attrs.field(factory=allocate_lock, repr=False)
    mortal: bool = False
    dead: bool = False
    failed: int = 0


Task = Callable[[Actor], None]


class Stage:
    """Runs tasks in turns. Between :meth:`open` and its end, the functions of :mod:`os` and :mod:`fcntl` are replaced.

    Attributes:
        turns: how many calls were made, in all runs.
        trace: the last calls, when ``tracing``.
    """

    def __init__(self, *, tracing: bool = False) -> None:
        self.turns = 0
        self.trace: deque[str] = deque(maxlen=_TRACED)
        self._tracing = tracing
        self._random = Random(0)
        self._chances = Chances()
        self._ready: list[Actor] = []
        self._waiting: list[Actor] = []
        self._hopeless = False
        self._actors: dict[int, Actor] = {}
        self._locked: dict[int, tuple[Actor, bool]] = {}
        self._over = allocate_lock()
        self._over.acquire()
        self._error: BaseException | None = None
        self._real_write = os.write
        self._real_close = os.close

    @contextmanager
    def open(self) -> Iterator[None]:
        """Replace the calls as long as the block runs. Who is no actor makes them as ever."""
        replaced: list[tuple[Any, str, Any]] = [(os, name, self._plain(name, getattr(os, name))) for name in _CALLS]
        replaced += [(os, name, self._sync(name)) for name in ("fsync", "fdatasync")]
        replaced += [(os, "write", self._write), (os, "close", self._close), (os, "urandom", self._urandom)]
        replaced += [(fcntl, "fcntl", self._fcntl), (fcntl, "flock", self._flock)]
        replaced += [(fcntl, "ioctl", self._plain("ioctl", fcntl.ioctl))]
        originals = [(module, name, getattr(module, name)) for module, name, _ in replaced]
        try:
            for module, name, function in replaced:
                setattr(module, name, function)
            yield
        finally:
            for module, name, function in originals:
                setattr(module, name, function)

    def run(self, tasks: Sequence[tuple[str, Task]], random: Random, chances: Chances) -> None:
        """Run tasks, each by an actor, until all are done or killed.

        Args:
            tasks: names and what is done; those whose name begins with ``w`` may be killed.
            random: decides.
            chances: how.

        Raises:
            DeadlockError: all wait for each other.
            Exception: whatever a task raises.
        """
        self._random, self._chances, self._error, self._hopeless = random, chances, None, False
        actors = [Actor(name, mortal=name.startswith("w")) for name, _ in tasks]
        self._ready, self._waiting = list(actors), []
        threads = [
            threading.Thread(target=self._perform, args=(actor, task), daemon=True)
            for actor, (_, task) in zip(actors, tasks, strict=True)
        ]
        for actor in actors:
            actor.baton.acquire()
        for thread in threads:
            thread.start()
        self._next(None).baton.release()
        self._over.acquire()
        for thread in threads:
            thread.join()
        if self._error is not None:
            raise self._error

    def _perform(self, actor: Actor, task: Task) -> None:
        actor.baton.acquire()
        self._actors[get_ident()] = actor
        try:
            task(actor)
        except BaseException as error:  # the thread that runs the tasks raises it
            if self._error is None:
                self._error = error
        del self._actors[get_ident()]
        self._leave(actor)

    def _leave(self, actor: Actor) -> None:
        for group in (self._ready, self._waiting):
            if actor in group:
                group.remove(actor)
        self._wake()
        if self._ready:
            self._next(None).baton.release()
        else:
            self._over.release()

    # --- turns

    def _next(self, actor: Actor | None) -> Actor:
        ready = self._ready
        if actor in ready and self._random.random() < self._chances.stay:
            return actor
        return ready[int(self._random.random() * len(ready))]

    def _turn(self, actor: Actor, call: str, *arguments: Any) -> None:
        """Let others go first, perhaps; and be killed, perhaps."""
        if actor.dead:
            raise KilledError
        chosen = self._next(actor)
        if chosen is not actor:
            chosen.baton.release()
            actor.baton.acquire()
        if self._error is not None:
            raise KilledError
        self.turns += 1
        if self._tracing:
            self.trace.append(f"{actor.name} {call} {' '.join(map(_short, arguments))}")
        kill = self._chances.kill * (_TEARING if call == "write" else 1)
        if actor.mortal and kill and self._random.random() < kill:
            self._kill(actor, call, arguments)
            raise KilledError

    def _kill(self, actor: Actor, call: str, arguments: tuple[Any, ...]) -> None:
        if call == "write" and self._random.random() < 0.5:
            descriptor, data = arguments
            self._real_write(descriptor, data[: int(self._random.random() * len(data))])
        self.trace.append(f"{actor.name} is killed")
        actor.dead = True
        self._release(actor)
        self._wake()

    def _release(self, actor: Actor) -> None:
        """Release the locks of a process that is gone."""
        for descriptor in list(self._locked):  # no pairs, whose making may collect garbage, which closes files
            owner, ranges = self._locked.get(descriptor, (None, False))
            if owner is not actor:
                continue
            with suppress(OSError):
                if ranges:
                    _real_fcntl(descriptor, _SET, _whole_file(fcntl.F_UNLCK))
                else:
                    _real_flock(descriptor, fcntl.LOCK_UN)
            self._locked.pop(descriptor, None)

    def _wait(self, actor: Actor) -> None:
        """Somebody else has the lock: no turn before one is released."""
        self._ready.remove(actor)
        self._waiting.append(actor)
        if not self._ready:
            if self._hopeless:
                raise DeadlockError(", ".join(waiting.name for waiting in self._waiting))
            self._wake()
            self._hopeless = True

    def _wake(self) -> None:
        self._hopeless = False
        if self._waiting:
            self._ready += self._waiting
            self._waiting.clear()

    def end_of_life(self, actor: Actor) -> None:
        """A killed actor becomes a new process."""
        actor.dead = False

    # --- calls

    def _plain(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        actors, turn = self._actors, self._turn

        def call(*arguments: Any, **options: Any) -> Any:
            actor = actors.get(get_ident())
            if actor is not None:
                turn(actor, name, *arguments)
            return real(*arguments, **options)

        return call

    def _sync(self, name: str) -> Callable[[Any], None]:
        real = getattr(os, name)

        def call(descriptor: Any) -> None:
            actor = self._actors.get(get_ident())
            if actor is None:
                real(descriptor)
                return
            self._turn(actor, name, descriptor)  # who goes on running needs no disk
            self._fail(actor, errno.EIO)

        return call

    def _fail(self, actor: Actor, number: int) -> None:
        if actor.mortal and self._chances.fail and self._random.random() < self._chances.fail:
            actor.failed += 1
            self.trace.append(f"{actor.name}: that fails")
            raise OSError(number, os.strerror(number))

    def _write(self, descriptor: int, data: Any) -> int:
        actor = self._actors.get(get_ident())
        if actor is None:
            return self._real_write(descriptor, data)
        self._turn(actor, "write", descriptor, data)
        try:
            self._fail(actor, errno.ENOSPC)
        except OSError:
            self._real_write(descriptor, data[: int(self._random.random() * len(data))])
            self._turn(actor, "the rest of the write")
            raise
        if self._chances.part and self._random.random() < self._chances.part:
            data = data[: 1 + int(self._random.random() * len(data))]
        return self._real_write(descriptor, data)

    def _close(self, descriptor: int) -> None:
        self._locked.pop(descriptor, None)
        if self._waiting:
            self._wake()
        self._real_close(descriptor)

    def _urandom(self, size: int) -> bytes:
        if get_ident() in self._actors:
            return self._random.randbytes(size)
        return _real_urandom(size)

    def _fcntl(self, descriptor: int, command: int, argument: Any = 0) -> Any:
        actor = self._actors.get(get_ident())
        if actor is None:
            return _real_fcntl(descriptor, command, argument)
        if command == _SET_AND_WAIT:
            return self._acquire(actor, descriptor, lambda: _real_fcntl(descriptor, _SET, argument), ranges=True)
        self._turn(actor, "fcntl", descriptor, command)
        done = _real_fcntl(descriptor, command, argument)
        if command == _SET:
            self._locked[descriptor] = actor, True
            self._wake()
        return done

    def _flock(self, descriptor: int, operation: int) -> None:
        actor = self._actors.get(get_ident())
        if actor is None:
            _real_flock(descriptor, operation)
        elif operation & (fcntl.LOCK_NB | fcntl.LOCK_UN):
            self._turn(actor, "flock", descriptor, operation)
            _real_flock(descriptor, operation)
            self._locked[descriptor] = actor, False
            self._wake()
        else:
            self._acquire(actor, descriptor, lambda: _real_flock(descriptor, operation | fcntl.LOCK_NB), ranges=False)

    def _acquire(self, actor: Actor, descriptor: int, attempt: Callable[[], Any], *, ranges: bool) -> Any:
        while True:
            self._turn(actor, "lock", descriptor)
            try:
                done = attempt()
            except (BlockingIOError, PermissionError):
                self._wait(actor)
                continue
            self._hopeless = False
            self._locked[descriptor] = actor, ranges
            return done


_real_fcntl = fcntl.fcntl
_real_flock = fcntl.flock
_real_urandom = os.urandom


def _whole_file(kind: int) -> bytes:
    return struct.pack("@hhqqi4x", kind, os.SEEK_SET, 0, 0, 0)


def _short(value: Any) -> str:
    if isinstance(value, (bytes, memoryview)):
        return repr(bytes(value[:40]))
    return str(value).rpartition("/")[2]
