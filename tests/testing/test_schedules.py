"""What explains the answers that processes got, and what does not."""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from sessionkit.memory import MemoryBackend
from sessionkit.testing.schedules import ScheduleChecker
from sessionkit.testing.schedules.histories import Answer, Event, Kind, Operation, Outcome, explained
from sessionkit.testing.schedules.stage import Actor, Chances, DeadlockError, Stage


def append(text: str, called: int, returned: int, outcome: Outcome = Outcome.DONE) -> Event:
    operation = Operation(kind=Kind.APPEND, key="k", texts=(text,))
    return Event(actor="w", operation=operation, called=called, returned=returned, outcome=outcome)


def read(texts: str, called: int, returned: int, version: str | None = None) -> Event:
    return Event(
        actor="r",
        operation=Operation(kind=Kind.READ, key="k"),
        called=called,
        returned=returned,
        outcome=Outcome.DONE,
        answer=Answer(texts=tuple(texts), total=len(texts), version=version),
    )


def test_what_was_acknowledged_before_a_read_began_must_be_in_it() -> None:
    assert explained([append("a", 1, 2), read("a", 3, 4)])
    assert not explained([append("a", 1, 2), read("", 3, 4)])


def test_what_is_written_during_a_read_may_be_in_it_or_not() -> None:
    assert explained([append("a", 1, 4), read("", 2, 3)])
    assert explained([append("a", 1, 4), read("a", 2, 3)])


def test_what_was_seen_once_stays() -> None:
    assert explained([append("a", 1, 6), read("", 2, 3), read("a", 4, 5)])
    assert not explained([append("a", 1, 6), read("a", 2, 3), read("", 4, 5)])


def test_nothing_is_doubled_and_nothing_changes_places() -> None:
    writes = [append("a", 1, 2), append("b", 3, 4)]
    assert explained([*writes, read("ab", 5, 6)])
    assert not explained([*writes, read("ba", 5, 6)])
    assert not explained([*writes, read("abb", 5, 6)])


def test_a_write_that_failed_may_have_been_seen_before_it_was_taken_back() -> None:
    failed = append("a", 1, 4, Outcome.FAILED)
    assert explained([failed, read("a", 2, 3), read("", 5, 6)])
    assert not explained([failed, read("a", 5, 6)])


def test_a_write_of_a_killed_process_is_there_or_not() -> None:
    killed = append("a", 1, 2, Outcome.KILLED)
    assert explained([killed, read("a", 3, 4), read("a", 5, 6)])
    assert explained([killed, read("", 3, 4), read("", 5, 6)])
    assert not explained([killed, read("", 3, 4), read("a", 5, 6)])


def test_a_version_stands_for_one_state() -> None:
    assert explained([append("a", 1, 2), read("a", 3, 4, "v"), read("a", 5, 6, "v")])
    assert not explained([append("a", 1, 2), read("a", 3, 4, "v"), append("b", 5, 6), read("ab", 7, 8, "v")])
    assert not explained([append("a", 1, 2), read("a", 3, 4, "v"), read("a", 5, 6, "w")])


def test_a_condition_is_refused_only_when_something_changed() -> None:
    operation = Operation(kind=Kind.APPEND, key="k", texts=("b",), version="v")
    refused = Event(actor="w", operation=operation, called=7, returned=8, outcome=Outcome.REFUSED)
    given = [append("a", 1, 2), read("a", 3, 4, "v")]
    assert not explained([*given, refused])
    assert explained([*given, append("c", 5, 6), refused])


def test_actors_that_wait_for_each_other_are_found(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "other"]

    def lock(first: Path, second: Path) -> Callable[[Actor], None]:
        def task(actor: Actor) -> None:
            files = [os.open(path, os.O_RDWR | os.O_CREAT) for path in (first, second)]
            for file in files:
                fcntl.flock(file, fcntl.LOCK_EX)
            for file in files:
                os.close(file)

        return task

    def run(stage: Stage) -> None:
        for seed in range(100):
            tasks = [("a", lock(*paths)), ("b", lock(*reversed(paths)))]
            stage.run(tasks, Random(seed), Chances(stay=0.0))

    stage = Stage()
    with stage.open(), pytest.raises(DeadlockError):
        run(stage)


def test_backends_that_do_not_see_each_other_are_found() -> None:
    report = ScheduleChecker(lambda path: MemoryBackend()).check(range(50))
    assert "no order of the operations explains" in str(report)


def test_one_backend_for_all_is_explained() -> None:
    shared: list[MemoryBackend] = []

    def open_shared(path: Path) -> MemoryBackend:
        with contextlib.suppress(FileExistsError):
            path.mkdir()
            shared.append(MemoryBackend())
        return shared[-1]

    report = ScheduleChecker(open_shared).check(range(50))
    assert not report.violations, report
    assert report.schedules == len(shared) == 50


class Garbage:
    """Has a file open, and refers to itself, so that the collector alone finds out that nobody needs it."""

    alive = 0

    def __init__(self) -> None:
        self.itself = self
        self.file = os.open(os.devnull, os.O_RDONLY)
        Garbage.alive += 1

    def __del__(self) -> None:
        os.close(self.file)
        Garbage.alive -= 1


def test_what_a_schedule_left_open_is_closed_before_the_next_one() -> None:
    backends: dict[Path, MemoryBackend] = {}
    left: list[int] = []

    def open_shared(path: Path) -> MemoryBackend:
        Garbage()
        return backends.setdefault(path, MemoryBackend())

    def seeds() -> Iterator[int]:
        for seed in range(20):
            backends.clear()
            left.append(Garbage.alive)
            yield seed

    report = ScheduleChecker(open_shared).check(seeds())
    assert not report.violations, report
    assert left == [0] * 20
    assert gc.isenabled()
