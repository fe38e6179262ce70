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
        return self._run(key, lambda unsure: call(), lambda error: None)

    def write(self, key: str, write_id: str, call: Callable[[int], _T]) -> _T:
        """Write something: ``call`` gets the milliseconds since an attempt that may have been executed, else 0.

        Raises:
            BackendUnavailableError: nothing was written.
            OutcomeUnknownError: an attempt may have been executed; repeating the write with its id is safe.
        """
        begin = time.monotonic()

        def attempt(unsure: bool) -> _T:
            first = self._unknown.get(write_id, begin if unsure else None)
            return call(0 if first is None else int((time.monotonic() - first) * 1000) + 1)

        def doubt(error: StoreError) -> StoreError:
            return OutcomeUnknownError(f"{error}; the write may or may not be done", repeatable=True)

        try:
            result = self._run(key, attempt, doubt)
        except OutcomeUnknownError:
            if write_id not in self._unknown and len(self._unknown) >= _REMEMBERED:
                self._unknown.pop(next(iter(self._unknown)), None)
            self._unknown.setdefault(write_id, begin)
            raise
        if self._unknown:
            self._unknown.pop(write_id, None)
        return result

    def _run(self, key: str | None, call: Callable[[bool], _T], doubt: Callable[[StoreError], StoreError | None]) -> _T:
        begin = time.monotonic()
        pause = _FIRST_PAUSE
        unsure = False
        failed: Exception | None = None
        while True:
            try:
                result = call(unsure)
            except failures.FAILURES as error:
                failed = error
                unsure = unsure or not failures.was_refused(error)
                rest = self.deadline - (time.monotonic() - begin)
                if rest <= 0 or not failures.may_pass(error) or self.stopping.wait(min(pause, rest)):
                    told = failures.explain(key, self.server, error)
                    raise (doubt(told) if unsure else None) or told from error
            except OutcomeUnknownError:  # done, but not on enough replicas
                self._tell_of_a_stall(failed, begin)
                raise
            else:
                self._tell_of_a_stall(failed, begin)
                return result
            try:
                self.recover()
            except StoreError as told:
                raise (doubt(told) if unsure else None) or told from failed
            pause = min(pause * 2, _LONGEST_PAUSE) * random.uniform(0.8, 1.2)

    def _tell_of_a_stall(self, failed: Exception | None, begin: float) -> None:
        if failed is None:
            return
        seconds = time.monotonic() - begin
        log.warning("%s; a call was answered after %.1f s", failures.explain(None, self.server, failed), seconds)
