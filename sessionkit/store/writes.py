"""What becomes of a write that fails: the one place for the policy.

``log``: the failure is logged, the write is held, and later writes of the session queue behind it, so that what
is stored is always a prefix of what was written. Each later write, ``save`` and ``close`` try again, in order.
``raise``: the call raises and nothing is held.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, TypeAlias

from msgspec import Struct

from sessionkit import codec
from sessionkit.errors import (
    HeldWrite,
    HeldWritesFullError,
    InvalidMessageError,
    MessageTooLargeError,
    OutcomeUnknownError,
    SessionKitError,
    StoreClosedError,
    UnsupportedOperationError,
    VersionConflict,
    WriteFailedError,
)
from sessionkit.messages import Message
from sessionkit.sessions import Version
from sessionkit.store.activity import Activity

logger = logging.getLogger("sessionkit.writes")

OnWriteError: TypeAlias = Literal["log", "raise"]

MAX_HELD_WRITES: Final = 10_000
"""How many writes are held for a session at most."""

MAX_HELD_BYTES: Final = 64 * 1024 * 1024
"""How many bytes of JSON are held for a session at most."""

REFUSALS: Final = (
    VersionConflict,
    MessageTooLargeError,
    UnsupportedOperationError,
    StoreClosedError,
    HeldWritesFullError,
    InvalidMessageError,
)
"""Errors that say no to a write: raised at once under every policy, and not held."""


class Write(Struct, eq=False):
    """One write, ready to be done; repeating it uses the same ``write_id``.

    Attributes:
        run: does it, and answers the new version.
        conditional: its caller has to know how it ended: it raises under every policy and is never held.
    """

    key: str
    operation: str
    arguments: Mapping[str, Any]
    run: Callable[[], Version]
    conditional: bool = False
    error: BaseException | None = None

    def held(self) -> HeldWrite:
        """What callers are shown; changing its arguments changes nothing here."""
        return HeldWrite(key=self.key, operation=self.operation, arguments=dict(self.arguments), error=self.error)

    def size(self) -> int:
        """Bytes of JSON, near enough to bound a queue."""
        return sum(_size(value) for value in self.arguments.values())


class _Queue:
    """The writes that are held for one session, oldest first.

    It counts as long as it stands in the policy's dict: whoever has the lock looks there again.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.writes: deque[Write] = deque()
        self.bytes = 0
        self.repeating: Write | None = None

    def drop_oldest(self) -> None:
        self.bytes -= self.writes.popleft().size()
        self.repeating = None


class WritePolicy:
    """Runs writes, and keeps those that failed until they are stored or given up."""

    def __init__(self, policy: OnWriteError, activity: Activity) -> None:
        self._logs = policy == "log"
        self._activity = activity
        self._lock = threading.Lock()
        self._queues: dict[str, _Queue] = {}
        self._unknown: dict[str, deque[HeldWrite]] = {}

    def perform(
        self,
        key: str,
        operation: str,
        arguments: Mapping[str, Any],
        run: Callable[[], Version],
        conditional: bool = False,
    ) -> Version | None:
        """Do a write, behind those that are held for its session. The arguments are those of :class:`Write`.

        Returns:
            The new version; None when the write is held, or its outcome is unknown and was logged.
        """
        ticket = self._activity.enter(key)
        try:
            while queue := self._queues.get(key):
                with queue.lock:
                    if self._queues.get(key) is queue:
                        return self._perform_behind(queue, Write(key, operation, arguments, run, conditional))
            try:
                return run()
            except Exception as error:  # whatever a backend raises
                self._failed(Write(key, operation, arguments, run, conditional), error)
                return None
        finally:
            self._activity.leave(ticket)

    def settle(self, key: str) -> None:
        """Wait for writes in flight and do what is held.

        Raises:
            WriteFailedError: some is still held, or the outcome of some is not known.
        """
        self._activity.wait_for_writes(key)
        if queue := self._queues.get(key):
            with queue.lock:
                self._replay(queue, key)
        self._raise_for([key])

    def settle_all(self) -> None:
        """The same for every session; the error names them all."""
        for key, queue in list(self._queues.items()):
            with queue.lock:
                self._replay(queue, key)
        self._raise_for(sorted({*self._queues, *self._unknown}))

    def held(self, key: str) -> tuple[HeldWrite, ...]:
        """What is held for a session, oldest first."""
        if queue := self._queues.get(key):
            with queue.lock:
                return tuple(write.held() for write in queue.writes)
        return ()

    def waiting(self) -> dict[str, int]:
        """How many writes are held for each session that has some."""
        return {key: len(queue.writes) for key, queue in list(self._queues.items())}

    def discard(self, key: str) -> tuple[HeldWrite, ...]:
        """Give up what is held for a session; it is returned and never stored."""
        if queue := self._queues.get(key):
            with queue.lock:
                begun = [write for write in queue.writes if write is queue.repeating]  # too late for that one
                given_up = tuple(write.held() for write in queue.writes if write not in begun)
                queue.writes = deque(begun)
                queue.bytes = sum(write.size() for write in begun)
                self._remove_if_empty(queue, key)
                return given_up
        return ()

    def _failed(self, write: Write, error: Exception) -> None:
        """Hold a write that is not stored, or raise its error."""
        if not self._logs or write.conditional or isinstance(error, REFUSALS):
            raise error
        if isinstance(error, OutcomeUnknownError) and not error.repeatable:
            self._note_unknown(write, error)
            return
        write.error = error
        self._hold(write)

    def _perform_behind(self, queue: _Queue, write: Write) -> Version | None:
        self._replay(queue, write.key)
        if not queue.writes:
            try:
                return write.run()
            except Exception as error:  # whatever a backend raises
                self._failed(write, error)
                return None
        if write.conditional:
            raise _failure(*self._untold([write.key]), f"{write.operation} was not tried")
        self._push(queue, write)
        return None

    def _replay(self, queue: _Queue, key: str) -> None:
        """Do the held writes in order, as far as it goes. The queue's lock is held.

        An observer of the write that is being repeated may come here again: it finds that write still held.
        """
        if queue.repeating is not None:
            return
        stored = 0
        try:
            while queue.writes:
                write = queue.repeating = queue.writes[0]
                try:
                    write.run()
                except OutcomeUnknownError as error:
                    if error.repeatable:
                        write.error = error
                        break
                    queue.drop_oldest()
                    self._note_unknown(write, error)
                except Exception as error:  # still failing, for whatever reason: everything behind it waits
                    write.error = error
                    break
                except BaseException as error:  # interrupted in the middle: it may be stored, and is not repeated
                    queue.drop_oldest()
                    self._note_unknown(write, error)
                    raise
                else:
                    queue.drop_oldest()
                    stored += 1
        finally:
            queue.repeating = None
            self._remove_if_empty(queue, key)
        if stored:
            logger.info("session %r: %d held writes are stored now, %d are left", key, stored, len(queue.writes))

    def _hold(self, write: Write) -> None:
        while True:
            with self._lock:
                queue = self._queues.setdefault(write.key, _Queue())
            with queue.lock:
                if self._queues.get(write.key) is queue:
                    self._push(queue, write)
                    return

    def _push(self, queue: _Queue, write: Write) -> None:
        size = write.size()
        if len(queue.writes) >= MAX_HELD_WRITES or (queue.writes and queue.bytes + size > MAX_HELD_BYTES):
            raise HeldWritesFullError(
                f"session {write.key!r}: {len(queue.writes):,} writes ({queue.bytes:,} bytes) wait already for a "
                f"storage that keeps failing, and this {write.operation} was not taken; mend the cause and call "
                "save(), or give the held writes up with discard_held()"
            ) from write.error
        queue.writes.append(write)
        queue.bytes += size
        if len(queue.writes) == 1:
            self._log_failure(write)  # when it is held already: handlers and filters of logs are anybody's code

    def _remove_if_empty(self, queue: _Queue, key: str) -> None:
        if queue.writes:
            return
        with self._lock:
            if self._queues.get(key) is queue:
                del self._queues[key]

    def _log_failure(self, write: Write) -> None:
        """Once for each time that a session begins to fail; what queues up behind is not logged again."""
        error = write.error
        expected = isinstance(error, (SessionKitError, OSError))
        logger.error(
            "session %r: %s failed and is held, later writes wait behind it (%s: %s)",
            write.key,
            write.operation,
            type(error).__name__,
            error,
            exc_info=None if expected else error,
        )

    def _note_unknown(self, write: Write, error: BaseException) -> None:
        write.error = error
        with self._lock:
            # Of a session that nobody saves, only the last ones are kept to be told; all are logged.
            self._unknown.setdefault(write.key, deque(maxlen=MAX_HELD_WRITES)).append(write.held())
        logger.error(
            "session %r: nobody knows whether %s was stored; it is not repeated (%s)", write.key, write.operation, error
        )

    def _raise_for(self, keys: list[str]) -> None:
        held, unknown = self._untold(keys)
        if held or unknown:
            raise _failure(held, unknown)

    def _untold(self, keys: list[str]) -> tuple[list[HeldWrite], list[HeldWrite]]:
        """What is held, and what is unknown and was not told before."""
        held = [write for key in keys for write in self.held(key)]
        with self._lock:
            return held, [write for key in keys for write in self._unknown.pop(key, ())]


def _failure(held: Sequence[HeldWrite], unknown: Sequence[HeldWrite], also: str = "") -> WriteFailedError:
    failed = sorted({write.key for write in (*held, *unknown)})
    told = [f"{len(held)} held writes are not stored"] if held else []
    told += [f"the outcome of {len(unknown)} writes is not known"] if unknown else []
    told += [also] if also else []
    cause = next((write.error for write in (*held, *unknown) if write.error is not None), None)
    reason = f" ({type(cause).__name__}: {cause})" if cause is not None else ""
    which = f"session {failed[0]!r}" if len(failed) == 1 else f"{len(failed)} sessions"
    error = WriteFailedError(
        f"{which}: {', '.join(told)}{reason}; see held(), mend the cause and call save() again, "
        "or give up with discard_held()",
        held=held,
        unknown=unknown,
    )
    error.__cause__ = cause
    return error


def _size(value: Any) -> int:
    if isinstance(value, (tuple, list)):
        return sum(_size(item) for item in value)
    if isinstance(value, Message):
        return len(value.to_json())
    if isinstance(value, (str, dict)):
        return len(codec.encode(value))
    return 8
