"""Appends of several threads to one session: one write and one sync for all that came meanwhile."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions
from sessionkit_jsonl.files import Files, OpenFile

from sessionkit.errors import BackendUnavailableError, OutcomeUnknownError
from sessionkit.messages import Message
from sessionkit.testing.crash.calls import Synced, Wrote
from sessionkit.testing.crash.cuts import Promise, cuts
from sessionkit.testing.crash.disk import State
from sessionkit.testing.crash.examining import Examiner
from sessionkit.testing.crash.running import PLACE, Runner, open_store
from sessionkit.testing.crash.variants import remains

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


class Gated(Files):
    """Files whose next sync waits at a gate, and on which calls fail when they are told to.

    Attributes:
        calls: what was called, with the bytes that were written.
        gated: whether the next sync has to wait; ``entered`` and ``gate``: that it does, and that it may go on.
        faults: for a call, the errors that it raises next.
        poison: a write of these bytes does not fit.
    """

    calls: list[str]
    gated: list[str]
    entered: threading.Event
    gate: threading.Event
    faults: dict[str, list[BaseException]]
    poison: list[bytes]

    def __init__(self) -> None:
        for name in ("calls", "gated", "poison"):
            object.__setattr__(self, name, [])
        object.__setattr__(self, "entered", threading.Event())
        object.__setattr__(self, "gate", threading.Event())
        object.__setattr__(self, "faults", {})

    def _fail(self, call: str) -> None:
        self.calls.append(call)
        if self.faults.get(call) and not self.gated:
            raise self.faults[call].pop(0)

    def write(self, file: OpenFile, data: bytes) -> None:
        self._fail("write")
        if any(bad in data for bad in self.poison):
            super().write(file, data[: len(data) * 2 // 3])
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), file.path)
        super().write(file, data)

    def sync_data(self, file: OpenFile) -> None:
        if os.path.basename(file.path) in self.gated:
            self.gated.clear()
            self.entered.set()
            assert self.gate.wait(10)
        else:
            self._fail("sync_data")
        super().sync_data(file)

    def sync(self, file: OpenFile) -> None:
        self._fail("sync")
        super().sync(file)


@pytest.fixture
def files() -> Iterator[Gated]:
    made = Gated()
    yield made
    made.gate.set()


def failure(number: int) -> OSError:
    return OSError(number, os.strerror(number))


def add(backend: JSONLBackend, *contents: str, key: str = "k") -> str:
    return backend.sessionkit_add_messages(key, [Message.simple("user", text) for text in contents], "")


def texts(backend: JSONLBackend, key: str = "k") -> list[str]:
    return [message.text for message in backend.sessionkit_get_history(key, 0, None).messages]


class Crowd:
    """Threads that append while another one syncs.

    Args:
        backend: has a session ``k`` already.
        files: its files.
        threads: runs them.
        waiting: counts those who wait.
    """

    def __init__(self, backend: JSONLBackend, files: Gated, threads: Any, waiting: threading.Semaphore) -> None:
        self.backend = backend
        self._files = files
        self._threads = threads
        self._waiting = waiting

    def gather(self, *batches: tuple[str, ...]) -> None:
        """The first one syncs, and the others wait behind it, in this order."""
        self._files.gated.append("k.jsonl")
        self._start(batches[0])
        assert self._files.entered.wait(10)
        for batch in batches[1:]:
            self._start(batch)
            assert self._waiting.acquire(timeout=10)

    def _start(self, batch: tuple[str, ...]) -> None:
        self._threads.start(batch[0], lambda: add(self.backend, *batch))

    def go(self) -> dict[str, Any]:
        """Let them go on; what came of each, by its first text."""
        self._files.calls.clear()
        self._files.gate.set()
        self._threads.join()
        return dict(self._threads.outcomes)


@pytest.fixture
def crowd(open_backend: OpenBackend, files: Gated, threads: Any, waiting: threading.Semaphore) -> Crowd:
    backend = open_backend(files)
    add(backend, "0")
    return Crowd(backend, files, threads, waiting)


def test_those_who_came_during_a_sync_have_one_write_and_one_sync(crowd: Crowd, files: Gated) -> None:
    crowd.gather(("1",), ("2",), ("3", "4"), ("5",))
    versions = crowd.go()
    assert files.calls == ["write", "sync_data"]
    assert texts(crowd.backend) == ["0", "1", "2", "3", "4", "5"]
    assert len(set(versions.values())) == 4
    assert crowd.backend.sessionkit_get_session("k", 0).version == versions["5"]


def test_each_one_of_a_group_gets_the_version_that_it_would_have_alone(
    crowd: Crowd, open_backend: OpenBackend, directory: Path
) -> None:
    crowd.gather(("1",), ("2", "3"), ("4",))
    versions = crowd.go()
    data = (directory / "k.jsonl").read_bytes()
    for first, count in (("1", 2), ("2", 4), ("4", 5)):
        (directory / "k.jsonl").write_bytes(b"".join(data.splitlines(keepends=True)[:count]))
        assert open_backend().sessionkit_get_session("k", 0).version == versions[first]


def test_a_group_that_does_not_fit_is_tried_one_by_one(crowd: Crowd, files: Gated, open_backend: OpenBackend) -> None:
    files.poison.append(b"large")
    crowd.gather(("1",), ("2",), ("large", "3"), ("4",))
    outcomes = crowd.go()
    with pytest.raises(BackendUnavailableError, match=r"'k' was not changed: .*No space left"):
        raise outcomes.pop("large")
    assert texts(crowd.backend) == texts(open_backend()) == ["0", "1", "2", "4"]
    assert crowd.backend.sessionkit_get_session("k", 0).version == outcomes["4"]
    add(crowd.backend, "5")
    assert texts(open_backend()) == ["0", "1", "2", "4", "5"]


def test_a_group_whose_sync_fails_is_written_anew_one_by_one(
    crowd: Crowd, files: Gated, open_backend: OpenBackend
) -> None:
    files.faults["sync_data"] = [failure(errno.EIO), failure(errno.EIO)]
    crowd.gather(("1",), ("2",), ("3",), ("4",))
    outcomes = crowd.go()
    with pytest.raises(BackendUnavailableError, match="Input/output error"):
        raise outcomes.pop("2")  # the second failure was its own
    assert texts(crowd.backend) == texts(open_backend()) == ["0", "1", "3", "4"]
    assert crowd.backend.sessionkit_get_session("k", 0).version == outcomes["4"]


def test_of_a_group_that_cannot_be_put_right_nobody_knows_the_outcome(crowd: Crowd, files: Gated) -> None:
    files.faults["sync_data"] = [failure(errno.EIO)]
    files.faults["sync"] = [failure(errno.EIO)]
    crowd.gather(("1",), ("2",), ("3",))
    outcomes = crowd.go()
    assert isinstance(outcomes["1"], str)
    for name in "23":
        with pytest.raises(OutcomeUnknownError, match=r"'k'.*may or may not be stored"):
            raise outcomes[name]
    assert add(crowd.backend, "4")


def test_an_interrupt_of_the_one_who_writes_leaves_nobody_waiting(crowd: Crowd, files: Gated) -> None:
    files.faults["sync_data"] = [KeyboardInterrupt()]
    crowd.gather(("1",), ("2",), ("3",))
    outcomes = crowd.go()
    assert isinstance(outcomes["2"], KeyboardInterrupt)
    assert isinstance(outcomes["3"], OutcomeUnknownError)
    add(crowd.backend, "4")
    assert texts(crowd.backend) == ["0", "1", "2", "3", "4"]


def test_beside_a_foreign_writer_each_one_writes_alone(
    open_backend: OpenBackend, files: Gated, threads: Any, waiting: threading.Semaphore
) -> None:
    crowd = Crowd(open_backend(files, foreign_writers=True), files, threads, waiting)
    add(crowd.backend, "0")
    crowd.gather(("1",), ("2",), ("3",))
    crowd.go()
    assert files.calls == ["write", "sync_data", "write", "sync_data"]


def test_a_write_to_another_session_waits_for_no_sync(crowd: Crowd) -> None:
    add(crowd.backend, "0", key="other")
    crowd.gather(("1",))
    add(crowd.backend, "1", key="other")
    assert texts(crowd.backend, "other") == ["0", "1"]
    crowd.go()


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_child_that_is_forked_during_a_sync_can_write(crowd: Crowd, directory: Path) -> None:
    crowd.gather(("1",))
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        add(crowd.backend, "child")
        os._exit(0)
    crowd.go()
    assert os.waitpid(child, 0)[1] == 0
    assert texts(crowd.backend) == ["0", "1", "child"]


@pytest.mark.slow
def test_a_power_cut_leaves_each_one_of_a_group_whole_or_not_at_all(
    tmp_path: Path, threads: Any, waiting: threading.Semaphore
) -> None:
    files = Gated()
    backend = JSONLBackend(JSONLOptions(path=tmp_path / "run" / PLACE), files)
    batches = ("1",), ("2",), ("3", "3" * 700, "3"), ("4",)

    def together(store: object) -> None:
        crowd = Crowd(backend, files, threads, waiting)
        crowd.gather(*batches)
        crowd.go()

    start = State.scan(tmp_path / "run")
    runner = Runner(lambda place: open_store(lambda place: backend, place), tmp_path / "run", start)
    runner.run([lambda store: store.add_message("k", "user", "0"), together])
    examiner = Examiner(lambda path: JSONLBackend(JSONLOptions(path=path)), tmp_path, ["k"], "write")
    steps = runner.steps[:3]
    assert [type(call) for call in steps[2].calls] == [Wrote, Synced, Wrote, Synced]
    moments = 0
    for cut in cuts(start, steps, {}, Promise()):
        if len(cut.allowed["k"]) == 1 or None in cut.allowed["k"]:
            continue  # before them, or after all of them
        moments += 1
        for left in remains(cut.disk):
            outcome = examiner.outcome(left.state)
            assert outcome.found is not None
            assert outcome.found["k"] is not None
            assert not outcome.problem
            found = [message.text for message in outcome.found["k"].messages]
            stored = [batch for batch in batches if batch[0] in found]
            assert found == ["0", *[text for batch in stored for text in batch]], left
            assert moments == 1 or batches[0] in stored
            assert moments < 4 or len(stored) == 4
    assert moments == 4
