"""``CrashChecker``: whether a store keeps its promises when the power is cut."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from sessionkit.testing.crash.cuts import Acknowledged, Allowed, Cut, Promise, cuts
from sessionkit.testing.crash.disk import State
from sessionkit.testing.crash.examining import Examiner, Outcome
from sessionkit.testing.crash.report import Report, Violation
from sessionkit.testing.crash.running import PLACE, Opener, Operation, Runner, open_store
from sessionkit.testing.crash.variants import Remains, remains
from sessionkit.testing.crash.views import Views, shown

_IN_MEMORY = Path("/dev/shm")

_FURTHER = 100
"""So many states of one moment are opened when one of them is a violation: the others tell the same as a rule."""


class CrashChecker:
    """Cuts the power after every call that a file backend makes, in every way, and looks at what is left.

    The real code runs, and what it does to its directory is recorded. From that come the states that a power cut
    may leave: synced changes are there, of the others any part. Each state is opened with the real code, which
    has to show the session before or after the running operation, with everything that was acknowledged; then one
    more message is added to each session, and has to be there too when the store is opened once more.

    Args:
        open: opens a store at a path that need not exist, or makes a backend.
        acknowledged: ``"write"``: a change is durable when the call returns; ``"save"``: when ``save`` or
            ``close`` does, and until then any of the changes since may be found.
        in_order: whether a message that is not durable yet may only be found with all those before it.
        empty_first: allow that an operation that creates a session is found half done, with the session there
            and nothing in it.
        second_states: at most so many states of a second cut, during the recovery from the first, are opened.
            Recoveries that make different calls come first.
    """

    def __init__(
        self,
        open: Opener,
        *,
        acknowledged: Acknowledged = "write",
        in_order: bool = True,
        empty_first: bool = False,
        second_states: int = 1000,
    ) -> None:
        self._open = open
        self._promise = Promise(acknowledged=acknowledged, in_order=in_order, empty_first=empty_first)
        self._second_states = second_states

    def check(self, operations: Iterable[Operation], *, given: Iterable[Operation] | Path = ()) -> Report:
        """Check operations, in their order and on one store.

        Args:
            operations: each makes one call of the store that it gets.
            given: what was done, saved and closed long before; or a directory, of which the store finds a copy.

        Raises:
            StepError: an operation failed without any power cut.
            UnrecordedChangeError: the backend changes files in a way that cannot be recorded.
        """
        with _room() as room:
            start = self._prepared(room / "given", given)
            runner = self._run(room / "run", start, operations)
            steps = runner.steps
            keys = sorted({key for step in steps for key in step.after})
            examiner = Examiner(self._open, room, keys, self._promise.acknowledged)
            search = _Search(examiner, self._promise)
            search.first_cuts(cuts(start, steps, steps[0].after, self._promise))
            states = len(examiner)
            search.second_cuts(self._second_states)
            return Report(
                calls=sum(len(step.calls) for step in steps),
                states=states,
                second_states=len(examiner) - states,
                violations=tuple(search.violations.values()),
            )

    def _prepared(self, root: Path, given: Iterable[Operation] | Path) -> State:
        if isinstance(given, Path):
            shutil.copytree(given, root / PLACE)
            return State.scan(root)
        operations = list(given)
        if not operations:
            return State()
        self._run(root, State(), operations)
        return State.scan(root)

    def _run(self, root: Path, start: State, operations: Iterable[Operation]) -> Runner:
        start.materialise(root)
        runner = Runner(partial(open_store, self._open), root, start)
        runner.run(operations)
        return runner


class _Search:
    """Looks for violations."""

    def __init__(self, examiner: Examiner, promise: Promise) -> None:
        self._examiner = examiner
        self._promise = promise
        self._good: dict[State, tuple[str, Outcome]] = {}
        self.violations: dict[tuple[str, ...], Violation] = {}

    def first_cuts(self, moments: Iterator[Cut]) -> None:
        for cut in moments:
            before = len(self.violations)
            for count, left in enumerate(remains(cut.disk)):
                if count > _FURTHER and len(self.violations) > before:
                    break
                outcome = self._judge(cut, left)
                if outcome is not None:
                    self._good.setdefault(left.state, (f"{cut.operation}, the power cut {cut.moment}", outcome))

    def second_cuts(self, limit: int) -> None:
        first = len(self._examiner)
        for state, story, outcome in self._by_shape():
            assert outcome.found is not None
            for cut in cuts(state, outcome.steps, outcome.found, self._promise):
                for left in remains(cut.disk):
                    if len(self._examiner) - first >= limit:
                        return
                    self._judge(cut, left, story)

    def _by_shape(self) -> Iterator[tuple[State, str, Outcome]]:
        """The states that were recovered from: one of each way to do that, then another of each, and so on."""
        shapes: dict[tuple[object, ...], list[tuple[State, str, Outcome]]] = {}
        for state, (story, outcome) in self._good.items():
            shapes.setdefault(outcome.shape, []).append((state, story, outcome))
        for position in range(max(map(len, shapes.values()), default=0)):
            for alike in shapes.values():
                if position < len(alike):
                    yield alike[position]

    def _judge(self, cut: Cut, left: Remains, earlier: str = "") -> Outcome | None:
        """What came of a state, None when it is a violation."""
        outcome = self._examiner.outcome(left.state)
        expected, found = self._difference(cut.allowed, outcome.found)
        if not found and not outcome.problem:
            return outcome
        violation = Violation(
            operation=cut.operation,
            moment=cut.moment,
            lost=left.lost,
            files=str(left.state),
            expected=expected or "the same after one more message",
            found=outcome.problem if outcome.found is None else found or outcome.problem,
            earlier=earlier,
        )
        self.violations.setdefault((earlier, violation.operation, violation.moment, violation.found), violation)
        return None

    def _difference(self, allowed: Allowed, found: Views | None) -> tuple[str, str]:
        """What should have been seen and what was; both are ``""`` when it is allowed."""
        if found is None:
            return "that the store opens and can be read", "it cannot"
        for key, view in found.items():
            choices = allowed.get(key, [None])
            if not self._promise.allows(view, choices):
                return f"session {key!r}: {' or '.join(map(shown, choices))}", f"session {key!r}: {shown(view)}"
        return "", ""


@contextmanager
def _room() -> Iterator[Path]:
    """A directory for the time of a check, in memory where there is such a place."""
    where = _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None
    room = Path(tempfile.mkdtemp(prefix="sessionkit-crashes-", dir=where)).resolve()
    try:
        yield room
    finally:
        shutil.rmtree(room)
