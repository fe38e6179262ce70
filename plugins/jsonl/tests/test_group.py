"""Those who come while somebody writes wait for their turn, and go on together."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sessionkit_jsonl.group import Queue, Unit

from sessionkit.errors import OutcomeUnknownError


class Writing:
    """What a leader does: it writes the units that it takes, and stops on the way when it is told to."""

    def __init__(self, queue: Queue) -> None:
        self.queue = queue
        self.written: list[list[bytes]] = []
        self.entered = threading.Event()
        self.goes_on = threading.Event()

    def __call__(self, unit: Unit) -> None:
        units = self.queue.take(unit)
        self.written.append([record for taken in units for record in taken.records])
        for taken in units:
            taken.version = taken.records[0].decode()

    def slowly(self, unit: Unit) -> None:
        """Write only the first one, and that takes its time."""
        self.queue.take(unit, 0)
        self.entered.set()
        assert self.goes_on.wait(10)
        self.written.append(list(unit.records))
        unit.version = "slow"


@pytest.fixture
def queue() -> Queue:
    return Queue("k")


@pytest.fixture
def writing(queue: Queue) -> Iterator[Writing]:
    made = Writing(queue)
    yield made
    made.goes_on.set()


def led_by_another(writing: Writing, threads: Any, lead: Callable[[Unit], None] | None = None) -> None:
    """Let another thread lead, and be in the middle of it."""
    threads.start("leader", lambda: writing.queue.write(Unit([b"1"]), lead or writing.slowly))
    assert writing.entered.wait(10)


def test_who_comes_alone_writes_alone(queue: Queue, writing: Writing) -> None:
    assert queue.write(Unit([b"1"]), writing) == "1"
    assert queue.write(Unit([b"2", b"3"]), writing) == "2"
    assert writing.written == [[b"1"], [b"2", b"3"]]


def test_those_who_come_meanwhile_are_written_together_in_their_order(
    queue: Queue, writing: Writing, threads: Any, waiting: threading.Semaphore
) -> None:
    led_by_another(writing, threads)
    for name in "234":
        threads.start(name, lambda name=name: queue.write(Unit([name.encode()]), writing))
        assert waiting.acquire(timeout=10)
    writing.goes_on.set()
    threads.join()
    assert writing.written == [[b"1"], [b"2", b"3", b"4"]]
    assert threads.outcomes == {"leader": "slow", "2": "2", "3": "3", "4": "4"}


def test_a_group_is_bounded_and_the_next_one_leads_the_rest(
    queue: Queue, writing: Writing, threads: Any, waiting: threading.Semaphore, monkeypatch: pytest.MonkeyPatch
) -> None:
    led_by_another(writing, threads)
    monkeypatch.setattr(Queue, "take", lambda self, unit, take=Queue.take: take(self, unit, 2))
    for name in "234":
        threads.start(name, lambda name=name: queue.write(Unit([name.encode()]), writing))
        assert waiting.acquire(timeout=10)
    writing.goes_on.set()
    threads.join()
    assert writing.written == [[b"1"], [b"2", b"3"], [b"4"]]


def test_a_leader_that_fails_before_it_takes_lets_the_next_one_try(
    queue: Queue, writing: Writing, threads: Any, waiting: threading.Semaphore
) -> None:
    def fail(unit: Unit) -> None:
        writing.entered.set()
        assert writing.goes_on.wait(10)
        raise OSError("no lock")

    led_by_another(writing, threads, fail)
    threads.start("2", lambda: queue.write(Unit([b"2"]), writing))
    assert waiting.acquire(timeout=10)
    writing.goes_on.set()
    threads.join()
    assert isinstance(threads.outcomes["leader"], OSError)
    assert threads.outcomes["2"] == "2"
    assert writing.written == [[b"2"]]


def test_what_a_leader_took_is_settled_when_it_is_interrupted(
    queue: Queue, writing: Writing, threads: Any, waiting: threading.Semaphore
) -> None:
    def interrupted(unit: Unit) -> None:
        queue.take(unit)
        raise KeyboardInterrupt

    led_by_another(writing, threads)
    for name, lead in (("2", interrupted), ("3", writing), ("4", writing)):
        threads.start(name, lambda name=name, lead=lead: queue.write(Unit([name.encode()]), lead))
        assert waiting.acquire(timeout=10)
    writing.goes_on.set()
    threads.join()
    assert isinstance(threads.outcomes["2"], KeyboardInterrupt)
    for name in "34":
        with pytest.raises(OutcomeUnknownError, match=r"'k'.*may or may not be stored.*interrupted"):
            raise threads.outcomes[name]
    assert queue.write(Unit([b"5"]), writing) == "5"


@pytest.fixture
def interrupt() -> Iterator[Callable[[], None]]:
    """Interrupts this thread once. A signal that comes just before it waits does not wake it: then another follows."""
    me, handled = threading.get_ident(), threading.Event()

    def handle(number: int, frame: object) -> None:
        if not handled.is_set():
            handled.set()
            raise KeyboardInterrupt

    def send() -> None:
        while not handled.wait(0.01):
            signal.pthread_kill(me, signal.SIGUSR1)

    before = signal.signal(signal.SIGUSR1, handle)
    yield send
    signal.signal(signal.SIGUSR1, before)


def test_who_is_interrupted_while_waiting_leaves_and_nothing_is_written(
    queue: Queue,
    writing: Writing,
    threads: Any,
    waiting: threading.Semaphore,
    interrupt: Callable[[], None],
) -> None:
    def when_it_waits() -> None:
        assert waiting.acquire(timeout=10)
        interrupt()

    led_by_another(writing, threads)
    threads.start("interrupt", when_it_waits)
    with pytest.raises(KeyboardInterrupt):
        queue.write(Unit([b"2"]), writing)
    writing.goes_on.set()
    assert queue.write(Unit([b"3"]), writing) == "3"
    threads.join()
    assert writing.written == [[b"1"], [b"3"]]


def test_who_is_interrupted_while_it_is_written_waits_for_the_end(
    queue: Queue,
    writing: Writing,
    threads: Any,
    waiting: threading.Semaphore,
    interrupt: Callable[[], None],
) -> None:
    mine, both = Unit([b"2"]), threading.Event()

    def lead(unit: Unit) -> None:
        writing.entered.set()
        assert waiting.acquire(timeout=10)
        assert queue.take(unit) == [unit, mine]
        both.set()
        assert waiting.acquire(timeout=10)  # it was interrupted, and waits again
        unit.version = mine.version = "done"

    def when_it_is_taken() -> None:
        assert both.wait(10)
        interrupt()

    led_by_another(writing, threads, lead)
    threads.start("interrupt", when_it_is_taken)
    with pytest.raises(KeyboardInterrupt):
        queue.write(mine, writing)
    assert mine.version == "done"


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_waits_for_no_thread_of_its_parent(queue: Queue, writing: Writing, threads: Any) -> None:
    led_by_another(writing, threads)
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        os._exit(0 if queue.write(Unit([b"2"]), writing) == "2" else 1)
    assert os.waitpid(child, 0)[1] == 0
    writing.goes_on.set()
