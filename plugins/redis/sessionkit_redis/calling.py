"""Calls of the server: tried again while that can help, and told apart when nobody knows how they ended.

The driver's own repetition is off: it would send a write again without a word, and a message whose reply was lost
would be there twice. Here each write has an id, which the scripts know again.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from sessionkit.errors import OutcomeUnknownError, StoreError
from sessionkit_redis import failures

log: Final = logging.getLogger("sessionkit.redis")

_T = TypeVar("_T")

_FIRST_PAUSE: Final = 0.02
_LONGEST_PAUSE: Final = 0.5


_REMEMBERED: Final = 100_000


@attrs.frozen
class Caller:
    """Repeats calls that fail for a moment.

    Attributes:
        server: what the server is called in errors.
        deadline: seconds after which a call gives up.
        recover: called before a call is tried again; raises ``StoreError`` when that is no use.
        stopping: set when the store closes: nothing is tried again then.
    """

    server: str
    deadline: float
    recover: Callable[[], None]
    stopping: threading.Event = attrs.field(factory=threading.Event)
    _unknown: dict[str, float] = attrs.field(factory=dict)

    def read(self, key: str | None, call: Callable[[], _T]) -> _T:
        """Read something, again and again until it succeeds or the time is over.

        Raises:
            BackendUnavailableError: the server cannot be reached, or refuses.
            CorruptSessionError: what is there is not ours.
        """
        begin = time.monotonic()
        try:
            return call()
        except failures.FAILURES as error:
            return self._repeat(key, begin, error, lambda unsure: call(), lambda told: told)

    def write(self, key: str, write_id: str, call: Callable[[int], _T]) -> _T:
        """Write something: ``call`` gets the milliseconds since an attempt that may have been executed, else 0.

        Raises:
            BackendUnavailableError: nothing was written.
            OutcomeUnknownError: an attempt may have been executed; repeating the write with its id is safe.
        """
        begin = time.monotonic()
        first = self._unknown.get(write_id) if self._unknown else None

        def attempt(unsure: bool) -> _T:
            since = begin if first is None and unsure else first
            return call(0 if since is None else int((time.monotonic() - since) * 1000) + 1)

        try:
            try:
                result = attempt(False)
            except failures.FAILURES as error:
                result = self._repeat(key, begin, error, attempt, _in_doubt)
        except OutcomeUnknownError:
            self._remember(write_id, begin)
            raise
        if first is not None:
            self._unknown.pop(write_id, None)
        return result

    def _remember(self, write_id: str, begin: float) -> None:
        """Note that nobody knows whether a write was done, since when."""
        if write_id not in self._unknown and len(self._unknown) >= _REMEMBERED:
            self._unknown.pop(next(iter(self._unknown)), None)
        self._unknown.setdefault(write_id, begin)

    def _repeat(
        self,
        key: str | None,
        begin: float,
        failed: Exception,
        call: Callable[[bool], _T],
        doubt: Callable[[StoreError], StoreError],
    ) -> _T:
        """Try again what failed, with growing pauses; ``call`` is told whether an attempt may have been executed."""
        pause = _FIRST_PAUSE
        unsure = False
        while True:
            unsure = unsure or not failures.was_refused(failed)
            rest = self.deadline - (time.monotonic() - begin)
            if rest <= 0 or not failures.may_pass(failed) or self.stopping.wait(min(pause, rest)):
                told = failures.explain(key, self.server, failed)
                raise (doubt(told) if unsure else told) from failed
            try:
                self.recover()
            except StoreError as told:
                raise (doubt(told) if unsure else told) from failed
            pause = min(pause * 2, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)
            try:
                result = call(unsure)
            except failures.FAILURES as error:
                failed = error
            except OutcomeUnknownError:  # done, but not on enough replicas
                self._tell_of_a_stall(failed, begin)
                raise
            else:
                self._tell_of_a_stall(failed, begin)
                return result

    def _tell_of_a_stall(self, failed: Exception, begin: float) -> None:
        seconds = time.monotonic() - begin
        log.warning("%s; a call was answered after %.1f s", failures.explain(None, self.server, failed), seconds)


def _in_doubt(error: StoreError) -> StoreError:
    return OutcomeUnknownError(f"{error}; the write may or may not be done", repeatable=True)
