"""The crash checker finds each mistake that a file backend can make, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sessionkit.hookspecs import Backend
from sessionkit.store import SessionStore, open_store
from sessionkit.store.runtime import Recipe
from sessionkit.testing.crash import CrashChecker, Report, StepError, UnrecordedChangeError, checker

from .crash_stores import (
    CountedLog,
    DeferredDocument,
    DocumentBackend,
    ForgetfulDocument,
    GluingLog,
    LaggingLog,
    LogBackend,
    UnsyncedDirectory,
    UnsyncedDocument,
    UnsyncedLog,
)

KEY = "cli:direct"
OPERATIONS: list[Callable[[SessionStore], object]] = [
    lambda store: store.add_message(KEY, "user", "one"),
    lambda store: store.add_messages(KEY, [{"role": "user", "content": "two"}, {"role": "user", "content": "3" * 600}]),
    lambda store: store.truncate_history(KEY, 1, summary="what was said"),
    lambda store: store.add_message("another", "user", "hello"),
    lambda store: store.fork_session(KEY, "a fork"),
    lambda store: store.delete_session(KEY),
]


def _check(make: Callable[[Path], Backend], *, second_states: int = 60) -> Report:
    return CrashChecker(open=make, second_states=second_states).check(OPERATIONS)


@pytest.mark.parametrize("make", [LogBackend, DocumentBackend])
def test_a_backend_that_keeps_its_promise_passes(make: Callable[[Path], Backend]) -> None:
    report = _check(make, second_states=200)
    assert report.violations == (), report
    assert report.states > 30
    assert report.second_states == 200


@pytest.mark.parametrize(
    ("make", "found"),
    [
        pytest.param(UnsyncedLog, "no such session", id="no sync"),
        pytest.param(LaggingLog, "0 messages|no such session", id="acknowledged before the sync"),
        pytest.param(CountedLog, "counts more records than there are", id="metadata before data"),
        pytest.param(UnsyncedDocument, "JSONDecodeError", id="rename of a file that is not synced"),
        pytest.param(UnsyncedDirectory, "no such session", id="no sync of the directory"),
        pytest.param(GluingLog, "instead of", id="record glued to a torn one"),
    ],
)
def test_a_mistake_is_found(make: Callable[[Path], Backend], found: str) -> None:
    report = _check(make, second_states=0)
    assert report.violations
    assert any(word in violation.found for violation in report.violations for word in found.split("|")), report


def test_a_violation_tells_what_happened() -> None:
    report = CrashChecker(open=UnsyncedLog, second_states=0).check([lambda store: store.add_message("k", "user", "a")])
    told = {str(violation) for violation in report.violations if violation.moment == "after it had returned"}
    assert any(
        text.startswith("add_message('k', 'user', 'a')\n  the power is cut after it had returned\n")
        and "bytes at 0 of log" in text
        and "store/log (0 bytes)" in text
        and "expected: session 'k': 1 messages ['a']" in text
        and "found: session 'k': no such session" in text
        for text in told
    ), report
    assert f"{len(report.violations)} violation" in str(report)


def test_a_second_cut_during_the_recovery_is_found() -> None:
    class Repairing(LogBackend):
        """Cuts a torn tail away by rewriting the log in place."""

        def append(self, record: bytes) -> None:
            log = self.path / "log"
            if log.exists() and not log.read_bytes().endswith(b"\n"):
                log.write_bytes(b"".join(line + b"\n" for line in self.lines()[:-1]))
            super().append(record)

    assert CrashChecker(open=Repairing, second_states=0).check(OPERATIONS[:2]).violations == ()
    report = CrashChecker(open=Repairing).check(OPERATIONS[:2])
    assert report.violations
    assert all("then, in the recovery," in str(violation) for violation in report.violations)


def test_what_is_not_saved_may_be_lost_where_only_save_acknowledges() -> None:
    operations = [*OPERATIONS, lambda store: store.save("another")]
    assert CrashChecker(open=DeferredDocument, acknowledged="save", second_states=60).check(operations).violations == ()
    assert CrashChecker(open=DeferredDocument, second_states=0).check(operations).violations


def test_a_save_that_does_nothing_is_found() -> None:
    operations = [OPERATIONS[0], lambda store: store.save(KEY)]
    report = CrashChecker(open=ForgetfulDocument, acknowledged="save", second_states=0).check(operations)
    assert {violation.operation for violation in report.violations} == {f"save({KEY!r})", "closing the store"}


def test_an_empty_session_is_allowed_only_on_request() -> None:
    class TwoSteps(LogBackend):
        """Makes a session before it puts anything into it."""

        def append(self, record: bytes) -> None:
            if not self.lines():
                head, _, _ = record.partition(b'"messages": [')
                _, _, tail = record.partition(b'], "summary"')
                super().append(head + b'"messages": [], "summary"' + tail)
            super().append(record)

    assert CrashChecker(open=TwoSteps, second_states=0).check(OPERATIONS[:2]).violations
    assert CrashChecker(open=TwoSteps, empty_first=True, second_states=0).check(OPERATIONS[:2]).violations == ()


def test_an_operation_that_fails_by_itself_is_no_finding() -> None:
    with pytest.raises(StepError, match=r"fork_session\('nobody', 'b'\): SessionNotFoundError"):
        CrashChecker(open=LogBackend).check([lambda store: store.fork_session("nobody", "b")])


def test_a_write_that_fails_is_no_finding() -> None:
    class Broken(LogBackend):
        def append(self, record: bytes) -> None:
            raise OSError("no disk")

    with pytest.raises(StepError, match="OSError: no disk"):
        CrashChecker(open=Broken).check(OPERATIONS[:1])


def test_a_write_that_a_store_holds_is_not_acknowledged() -> None:
    class Broken(LogBackend):
        def append(self, record: bytes) -> None:
            raise OSError("no disk")

    def logging_store(path: Path) -> SessionStore:
        return SessionStore(Recipe(name="broken", source="tests", backend=lambda: Broken(path)))

    with pytest.raises(StepError, match="OSError: no disk"):
        CrashChecker(open=logging_store).check(OPERATIONS[:1])


def test_a_store_may_be_given_in_place_of_a_backend() -> None:
    crashes = CrashChecker(open=lambda path: open_store("memory:"), acknowledged="save", second_states=0)
    found = {violation.found for violation in crashes.check(OPERATIONS[:1]).violations}
    assert "session 'cli:direct': no such session" in found


def test_changes_that_cannot_be_recorded_are_an_error() -> None:
    class Hidden(LogBackend):
        def append(self, record: bytes) -> None:
            import subprocess

            subprocess.run(["tee", self.path / "log"], input=record, check=True, capture_output=True)

    with pytest.raises(UnrecordedChangeError, match=r"store/log .* by the recorded calls .* store/"):
        CrashChecker(open=Hidden).check(OPERATIONS[:1])


def test_a_check_leaves_nothing_behind_and_finds_the_same_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checker, "_IN_MEMORY", tmp_path)
    first, second = _check(LogBackend, second_states=20), _check(LogBackend, second_states=20)
    assert (first.states, first.second_states) == (second.states, second.second_states)
    assert list(tmp_path.iterdir()) == []


def test_what_was_given_is_on_disk_and_must_stay() -> None:
    report = CrashChecker(open=UnsyncedLog, second_states=0).check(OPERATIONS[1:2], given=OPERATIONS[:1])
    running = [violation for violation in report.violations if violation.operation.startswith("add_messages")]
    assert running
    assert "opening the store" not in {violation.operation for violation in report.violations}
    assert "'one'" in running[0].expected
    assert CrashChecker(open=LogBackend, second_states=0).check([], given=OPERATIONS).states == 1
