"""The crash checker finds each mistake that a file backend can make, and none where there is none."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from sessionkit.hookspecs import Backend
from sessionkit.messages import Message
from sessionkit.store import SessionStore, open_store
from sessionkit.store.runtime import Recipe
from sessionkit.testing.crash import CrashChecker, Report, StepError, UnrecordedChangeError, checker

from .crash_stores import (
    CountedLog,
    DeferredDocument,
    DocumentBackend,
    ForgetfulDocument,
    ForgetfulLines,
    GluingLog,
    LaggingLog,
    LogBackend,
    PicoclawStore,
    UnsyncedDirectory,
    UnsyncedDocument,
    UnsyncedLines,
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


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


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


@pytest.mark.parametrize(
    ("operation", "found"),
    [
        pytest.param(
            lambda store: store.add_messages("direct", [_user("3"), _user("4")]), ["2", "3"], id="half a batch"
        ),
        pytest.param(lambda store: store.add_message("direct", "user", "3"), "has", id="glued to a torn one"),
        pytest.param(lambda store: store.set_history("direct", [_user("5")]), ["1", "2"], id="truncated ones are back"),
    ],
)
def test_the_mistakes_of_picoclaws_order_of_writes_are_found(
    operation: Callable[[SessionStore], object], found: str | list[str]
) -> None:
    given: list[Callable[[SessionStore], object]] = [
        lambda store: store.add_messages("direct", [_user("1"), _user("2")]),
        lambda store: store.truncate_history("direct", 1),
    ]
    report = CrashChecker(open=PicoclawStore, second_states=0).check([operation], given=given)
    told = found if isinstance(found, str) else f"{len(found)} messages {found}"
    assert any(told in violation.found for violation in report.violations), report


GIVEN: list[Callable[[SessionStore], object]] = [lambda store: store.add_message("direct", "user", "1")]


def test_messages_that_are_not_durable_may_be_found_without_earlier_ones_on_request() -> None:
    operations: list[Callable[[SessionStore], object]] = [
        lambda store: store.add_message("direct", "user", "2"),
        lambda store: store.add_message("direct", "user", "3"),
    ]

    def check(*, in_order: bool) -> Report:
        checker = CrashChecker(open=UnsyncedLines, acknowledged="save", in_order=in_order, second_states=0)
        return checker.check(operations, given=GIVEN)

    assert check(in_order=False).violations == ()
    assert any("2 messages ['1', '3']" in violation.found for violation in check(in_order=True).violations)


def test_what_is_durable_may_not_be_missing_in_any_order() -> None:
    operations: list[Callable[[SessionStore], object]] = [
        lambda store: store.add_message("direct", "user", "2"),
        lambda store: store.save("direct"),
    ]

    checker = CrashChecker(open=ForgetfulLines, acknowledged="save", in_order=False, second_states=0)
    report = checker.check(operations, given=GIVEN)
    assert {violation.operation for violation in report.violations} == {"save('direct')"}


def test_a_directory_may_be_given(tmp_path: Path) -> None:
    store = LogBackend(tmp_path / "given")
    store.sessionkit_add_messages("direct", [Message.simple("user", "1")], "")
    before = (tmp_path / "given" / "log").read_bytes()
    report = CrashChecker(open=UnsyncedLog, second_states=0).check(
        [lambda store: store.add_message("direct", "user", "2")], given=tmp_path / "given"
    )
    assert "session 'direct': 1 messages ['1']" in {violation.found for violation in report.violations}
    assert (tmp_path / "given" / "log").read_bytes() == before


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
