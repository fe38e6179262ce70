"""Opening what a power cut left with the real code."""

from __future__ import annotations

import itertools
import logging
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import attrs

from sessionkit.messages import Message
from sessionkit.store import SessionStore
from sessionkit.testing.crash.calls import Renamed, Synced
from sessionkit.testing.crash.cuts import Acknowledged
from sessionkit.testing.crash.disk import State
from sessionkit.testing.crash.running import PLACE, Opener, Operation, Runner, Step, StepError, open_directly
from sessionkit.testing.crash.views import View, Views, read, shown

_NEXT = Message.simple("user", "one more")


@attrs.frozen
class Outcome:
    """What came of opening a state and adding one more message to each session.

    Attributes:
        found: what was seen first; None when not even that succeeded.
        problem: what went wrong then, ``""`` when nothing did.
        steps: what the store did.
    """

    found: Views | None
    problem: str
    steps: Sequence[Step] = ()

    @property
    def shape(self) -> tuple[object, ...]:
        """Which calls were made, whatever the names and contents: alike for recoveries that went the same way."""
        ranks: dict[int, int] = {}
        shape: list[object] = []
        for step in self.steps:
            shape.append(None)
            for call in step.calls:
                match call:
                    case Renamed():
                        numbers = [number for _, number in call.added]
                        shape.append((call.new, len(call.removed), *(ranks.setdefault(n, len(ranks)) for n in numbers)))
                    case Synced():
                        shape.append(("sync", ranks.setdefault(call.number, len(ranks))))
                    case _:
                        shape.append((type(call).__name__, ranks.setdefault(call.file, len(ranks))))
        return tuple(shape)


class Examiner:
    """Opens states, each only once.

    Args:
        opener: opens the store.
        room: a directory to make states in.
        keys: the sessions to look at and to add a message to.
        acknowledged: when a write is durable.
    """

    def __init__(self, opener: Opener, room: Path, keys: Sequence[str], acknowledged: Acknowledged) -> None:
        self._opener = opener
        self._room = room
        self._keys = keys
        self._acknowledged = acknowledged
        self._names = itertools.count(1)
        self._outcomes: dict[State, Outcome] = {}

    def __len__(self) -> int:
        """How many states were opened."""
        return len(self._outcomes)

    def outcome(self, state: State) -> Outcome:
        """What comes of a state."""
        outcome = self._outcomes.get(state)
        if outcome is None:
            with self.made(state) as root, _quiet():
                outcome = self._outcomes[state] = self._open(state, root)
        return outcome

    @contextmanager
    def made(self, state: State) -> Iterator[Path]:
        """A directory that holds a state, for as long as the block runs."""
        root = self._room / str(next(self._names))
        state.materialise(root)
        try:
            yield root
        finally:
            shutil.rmtree(root)

    def _open(self, state: State, root: Path) -> Outcome:
        runner = Runner(partial(open_directly, self._opener), root, state, self._keys)
        try:
            runner.run(self._addition(key) for key in self._keys)
        except StepError as error:
            return Outcome(runner.steps[0].after if runner.steps else None, str(error))
        problem = self._problem(runner.steps) or self._problem_of_reopening(runner.steps[-1].after, root)
        return Outcome(runner.steps[0].after, problem, runner.steps)

    def _addition(self, key: str) -> Operation:
        def add(store: SessionStore) -> None:
            store.add_full_message(key, _NEXT)
            if self._acknowledged == "save":
                store.save(key)

        return add

    def _problem(self, steps: Sequence[Step]) -> str:
        for key, step in zip(self._keys, steps[1:-1], strict=True):
            for other, view in step.after.items():
                before = step.before.get(other)
                if other == key:
                    before = (before or View(created=view.created if view else "")).followed_by(_NEXT)
                if before != view:
                    return f"after {step.name}, session {other!r} has {shown(view)} instead of {shown(before)}"
        return ""

    def _problem_of_reopening(self, expected: Views, root: Path) -> str:
        try:
            store = open_directly(self._opener, root / PLACE)
            try:
                found = read(store, expected)
            finally:
                store.close()
        except Exception as error:  # whatever the store raises is the finding
            return f"opened again after one more message, it raised {type(error).__name__}: {error}"
        for key, view in found.items():
            if view != expected.get(key):
                return (
                    f"opened again after one more message, session {key!r} has {shown(view)} instead of "
                    f"{shown(expected.get(key))}"
                )
        return ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Stores log what they find damaged, and here they find nothing else."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)
