"""``ScheduleChecker``: whether what processes see of each other is what some order of their operations gives."""

from __future__ import annotations

import gc
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from random import Random

import attrs

from sessionkit.testing.schedules.drawing import Schedule, draw
from sessionkit.testing.schedules.histories import Event, Kind, Operation, Outcome, explained
from sessionkit.testing.schedules.playing import Log, Opener, Plan, Player
from sessionkit.testing.schedules.stage import Chances, Stage

_IN_MEMORY = Path("/dev/shm")


@attrs.frozen
class Violation:
    """A schedule that went wrong.

    Attributes:
        seed: makes it again.
        reason: what is wrong.
        events: what was asked and answered.
        trace: the last calls of the actors.
    """

    seed: int
    reason: str
    events: tuple[Event, ...]
    trace: tuple[str, ...]

    def __str__(self) -> str:
        lines = [f"seed {self.seed}: {self.reason}", *map(str, self.events), "the last calls:", *self.trace]
        return "\n".join(line if len(line) < 400 else line[:400] + "…" for line in lines)


@attrs.frozen
class Report:
    """What was checked.

    Attributes:
        schedules: how many were run.
        turns: how many calls were made in them.
        killed: how many operations ended with their process.
        failed: how many failed because a call did.
        violations: those that went wrong.
    """

    schedules: int
    turns: int
    killed: int
    failed: int
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        told = (
            f"{self.schedules} schedules with {self.turns} calls, {self.killed} operations killed, "
            f"{self.failed} failed, {len(self.violations)} violations"
        )
        return "\n".join([told, *map(str, self.violations)])


class ScheduleChecker:
    """Lets processes write and read one directory in random order, with turns at every call, and checks what they see.

    Two of them write and one reads, each with a backend of its own; in some schedules writers are killed or their
    calls fail. In the end a new process reads everything. Each session's operations must be explained by an order in
    which each takes effect at a moment between its call and its return.

    Args:
        open: opens the backend at a path.
    """

    def __init__(self, open: Opener) -> None:
        self._open = open

    def check(self, seeds: Iterable[int]) -> Report:
        """Run schedules.

        Args:
            seeds: one for each. The first violation ends it.
        """
        violations: list[Violation] = []
        stage = Stage()
        schedules = killed = failed = 0
        in_memory = _IN_MEMORY if _IN_MEMORY.is_dir() else None
        with tempfile.TemporaryDirectory(dir=in_memory) as room, stage.open(), _collecting_only_between():
            for seed in seeds:
                schedules += 1
                log, reason = self._run(stage, seed, Path(room, "run"))
                gc.collect()
                outcomes = [event.outcome for event in log.events]
                killed += outcomes.count(Outcome.KILLED)
                failed += outcomes.count(Outcome.FAILED) + outcomes.count(Outcome.UNKNOWN)
                if reason:
                    violations.append(self._again(seed, Path(room, "run"), log, reason))
                    break
        return Report(schedules, stage.turns, killed, failed, tuple(violations))

    def _again(self, seed: int, path: Path, log: Log, reason: str) -> Violation:
        """The same with a trace."""
        stage = Stage(tracing=True)
        with stage.open():
            traced, repeated = self._run(stage, seed, path)
        if not repeated:
            return Violation(seed, f"{reason} (not when it was run again)", tuple(log.events), ())
        return Violation(seed, repeated, tuple(traced.events), tuple(stage.trace))

    def _run(self, stage: Stage, seed: int, path: Path) -> tuple[Log, str]:
        """Run one schedule. Returns what was done, and what is wrong with it."""
        random = Random(seed)
        schedule = draw(random)
        log = Log(schedule.keys)
        try:
            self._play(stage, schedule, random, log, path)
        except Exception as error:  # whatever it is, the seed has to be told
            return log, f"{type(error).__name__}: {error}"
        finally:
            shutil.rmtree(path, ignore_errors=True)
        for key in schedule.keys:
            if not explained([event for event in log.events if event.operation.key == key]):
                return log, f"no order of the operations explains what was seen of session {key!r}"
        return log, ""

    def _play(self, stage: Stage, schedule: Schedule, random: Random, log: Log, path: Path) -> None:
        def task(plans: tuple[Plan, ...]) -> Callable[..., None]:
            reopen = frozenset(number for number in range(len(plans)) if random.random() < 0.1)
            player = Player(log, self._open, path, plans, again=random.random() < 0.5, reopen=reopen)
            return partial(player.play, live=stage.end_of_life)

        last = [Plan(Operation(kind=Kind.DESCRIBE, key=key)) for key in schedule.keys]
        last += [Plan(Operation(kind=Kind.LIST, key="")), *last]
        calm = Chances(stay=1.0)
        stage.run([("given", task(schedule.given))], random, calm)
        stage.run([(name, task(plans)) for name, plans in schedule.actors], random, schedule.chances)
        stage.run([("last", task(tuple(last)))], random, calm)


@contextmanager
def _collecting_only_between() -> Iterator[None]:
    """Leave the garbage of a schedule, and the files that it holds open, to ``gc.collect`` after it.

    When the collector runs is no matter of the seed, and what it closes may give others their turn. Nor does it know of
    descriptors: there may be none left before it thinks that it is time. What was there before is not looked at.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        if was_enabled:
            gc.enable()
