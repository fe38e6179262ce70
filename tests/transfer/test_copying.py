"""Copying between stores: lossless, each session once, nothing overwritten unasked, never a half for a whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import SessionStore, open_store
from sessionkit.errors import BackendUnavailableError, CorruptSessionError, MessageTooLargeError
from sessionkit.transfer import UNFINISHED, Cause, CopyReport, copy_sessions, export_sessions
from sessionkit.transfer.batches import BATCH_BYTES, BATCH_MESSAGES

KEY = "cli:direct"
LONG = 2 * BATCH_MESSAGES + 500
FULL: dict[str, Any] = {
    "messages": [{"role": "user", "content": None, "x-trace": [1, 1.0, True, "\ud800"]}, {}, {"role": "tool"}],
    "summary": "Greetings.",
    "metadata": {"scope": None, "n": {"a": [1]}},
    "aliases": ["direct", "d"],
    "created": "2026-01-01T00:00:00.100Z",
    "updated": "2026-01-02T00:00:00+02:00",
}


def numbered(count: int, first: int = 0) -> list[dict[str, Any]]:
    return [{"role": "user", "content": str(number)} for number in range(first, first + count)]


def long_session(store: SessionStore, count: int = LONG) -> None:
    store.update_session(KEY, **{**FULL, "messages": numbered(count)})


def texts(store: SessionStore) -> list[str]:
    return [message.text for message in store.get_history(KEY)]


def same(source: SessionStore, target: SessionStore) -> bool:
    return list(export_sessions(source)) == list(export_sessions(target))


class Intruder:
    """A store in which something happens just before a call: what, is a function for the number of the call."""

    def __init__(self, store: SessionStore, call: str, happens: Callable[[int], object]) -> None:
        self._store = store
        self._call = call
        self._happens = happens
        self.calls = 0

    def __getattr__(self, name: str) -> Any:
        if name == self._call:
            self.calls += 1
            self._happens(self.calls)
        return getattr(self._store, name)


def intruded(store: SessionStore, call: str, happens: Callable[[int], object]) -> Any:
    return Intruder(store, call, happens)


class KilledError(BaseException):
    """Stands for the end of the process."""


def dying(store: SessionStore, call: str, number: int) -> Any:
    """A store whose process dies before a certain call."""

    def die(count: int) -> None:
        if count == number:
            raise KilledError

    return Intruder(store, call, die)


def begun(source: SessionStore, target: SessionStore) -> None:
    """Leave an unfinished copy of a long session."""
    long_session(source)
    with pytest.raises(KilledError):
        copy_sessions(source, dying(target, "add_messages", 2))


# -- what arrives


def test_a_session_arrives_with_all_its_fields_and_times(source: SessionStore, target: SessionStore) -> None:
    source.update_session(KEY, **FULL)
    report = copy_sessions(source, target)
    assert (report.copied, report.messages, report.complete) == (1, 3, True)
    assert list(export_sessions(target)) == [{"key": KEY, **FULL}]


@pytest.mark.parametrize("count", [0, 1, BATCH_MESSAGES - 1, BATCH_MESSAGES, BATCH_MESSAGES + 1, LONG])
def test_a_session_of_any_length_arrives_whole(source: SessionStore, target: SessionStore, count: int) -> None:
    long_session(source, count)
    assert copy_sessions(source, target).messages == count
    assert same(source, target)


def test_all_sessions_are_copied_or_those_that_are_named(source: SessionStore, target: SessionStore) -> None:
    for key in ("a", "b", "c"):
        source.add_message(key, "user", key)
    assert copy_sessions(source, target, ["b"]).copied == 1
    assert [info.key for info in target.list_sessions()] == ["b"]
    assert copy_sessions(source, target).copied == 2
    assert same(source, target)


def test_an_empty_session_is_a_session_too(source: SessionStore, target: SessionStore) -> None:
    source.update_session(KEY)
    assert copy_sessions(source, target).copied == 1
    assert same(source, target)


def test_large_messages_go_a_few_at_a_time(source: SessionStore, target: SessionStore) -> None:
    source.add_messages(KEY, [{"role": "user", "content": "x" * (BATCH_BYTES // 4)}] * 14)
    done: list[int] = []
    copy_sessions(source, target, progress=done.append)
    assert same(source, target)
    assert max(done) <= 6


# -- what is there already


def test_copying_again_does_nothing(source: SessionStore, target: SessionStore) -> None:
    long_session(source)
    copy_sessions(source, target)
    version = target.get_session(KEY).version
    report = copy_sessions(source, target)
    assert (report.copied, report.already_there, report.messages, report.complete) == (0, 1, 0, True)
    assert target.get_session(KEY).version == version


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"messages": numbered(3)}, "message 1 of 3 differs"),
        ({"messages": numbered(1)}, "3 messages here, 1 there"),
        ({"summary": "mine"}, "the summaries differ"),
        ({"metadata": {"mine": 1}}, "the metadata differ"),
        ({"aliases": []}, "the aliases differ"),
    ],
)
def test_a_session_of_other_content_is_left_alone_and_told(
    source: SessionStore, target: SessionStore, change: dict[str, Any], reason: str
) -> None:
    source.update_session(KEY, **FULL)
    version = target.update_session(KEY, **{**FULL, **change})
    report = copy_sessions(source, target)
    (skipped,) = report.skipped
    assert (skipped.key, skipped.cause, skipped.reason) == (KEY, Cause.DIFFERENT, reason)
    assert (report.copied, report.complete) == (0, False)
    assert target.get_session(KEY).version == version


@pytest.mark.parametrize("count", [3, LONG])
def test_with_replace_it_gets_the_content_of_the_source(source: SessionStore, target: SessionStore, count: int) -> None:
    long_session(source, count)
    target.update_session(KEY, messages=numbered(7, 100), summary="mine", metadata={"mine": 1}, aliases=["mine"])
    report = copy_sessions(source, target, replace=True)
    assert (report.copied, report.replaced, report.complete) == (0, 1, True)
    assert same(source, target)


def test_a_session_that_is_there_without_content_is_filled(source: SessionStore, target: SessionStore) -> None:
    source.update_session(KEY, **FULL)
    target.get_or_create(KEY)
    assert copy_sessions(source, target).copied == 1
    assert same(source, target)


def test_a_dry_run_tells_the_same_and_writes_nothing(source: SessionStore, target: SessionStore) -> None:
    for key in ("there", "other", "new"):
        source.add_message(key, "user", key)
    target.add_message("there", "user", "there")
    target.add_message("other", "user", "mine")
    before = list(export_sessions(target))
    planned = copy_sessions(source, target, dry_run=True)
    assert list(export_sessions(target)) == before
    assert planned == copy_sessions(source, target)
    assert (planned.copied, planned.already_there, len(planned.skipped), planned.messages) == (1, 1, 1, 1)


# -- what cannot be copied


def test_a_named_session_that_is_not_there_is_told(source: SessionStore, target: SessionStore) -> None:
    (skipped,) = copy_sessions(source, target, ["nobody"]).skipped
    assert (skipped.key, skipped.cause) == ("nobody", Cause.MISSING)


def test_a_session_that_is_deleted_after_it_was_listed_is_no_failure(
    source: SessionStore, target: SessionStore
) -> None:
    source.add_message(KEY, "user", "x")
    store = intruded(source, "get_session", lambda _: source.delete_session(KEY))
    report = copy_sessions(store, target)
    assert (report.complete, report.copied) == (True, 0)


@pytest.mark.parametrize("error", [CorruptSessionError("damaged"), MessageTooLargeError("too large")])
def test_what_one_side_refuses_is_told_and_the_copy_goes_on(
    source: SessionStore, target: SessionStore, error: Exception
) -> None:
    source.add_message("a", "user", "x")
    source.add_message("b", "user", "x")

    def refuse(count: int) -> None:
        if count == 1:
            raise error

    report = copy_sessions(source, intruded(target, "update_session", refuse))
    (skipped,) = report.skipped
    assert (skipped.key, skipped.cause, skipped.reason) == ("a", Cause.REFUSED, str(error))
    assert report.copied == 1


def test_a_report_that_is_given_tells_how_far_a_failed_copy_came(source: SessionStore, target: SessionStore) -> None:
    source.add_message("a", "user", "x")
    source.add_message("b", "user", "x")

    def fail(count: int) -> None:
        if count == 2:
            raise BackendUnavailableError("the disk is gone")

    report = CopyReport()
    with pytest.raises(BackendUnavailableError):
        copy_sessions(source, intruded(target, "update_session", fail), report=report)
    assert report.copied == 1


# -- interruptions


@pytest.mark.parametrize("call", ["update_session", "add_messages", "get_session", "save"])
def test_wherever_it_is_interrupted_the_next_run_completes_it(
    source: SessionStore, target: SessionStore, call: str
) -> None:
    long_session(source)
    source.update_session("other", **FULL)
    for number in range(1, 100):
        for info in list(target.list_sessions()):
            target.delete_session(info.key)
        try:
            copy_sessions(source, dying(target, call, number))
        except KilledError:
            session = target.get_session(KEY, limit=0)
            complete = session.exists and session.summary == FULL["summary"]
            assert complete == (session.exists and UNFINISHED not in session.metadata)
            assert copy_sessions(source, target).complete
            assert same(source, target)
        else:
            assert number > 1
            return
    raise AssertionError("it never came to an end")


def test_what_is_not_complete_says_so_and_has_no_summary_and_no_aliases(
    source: SessionStore, target: SessionStore
) -> None:
    begun(source, target)
    session = target.get_session(KEY)
    assert 0 < session.count < LONG
    assert (session.metadata, session.summary, session.aliases) == ({UNFINISHED: {"messages": LONG}}, "", ())


def test_it_goes_on_from_what_is_there(source: SessionStore, target: SessionStore) -> None:
    begun(source, target)
    there = target.get_session(KEY).count
    copied: list[int] = []
    report = copy_sessions(source, target, progress=copied.append)
    assert (report.copied, report.resumed, report.messages) == (1, 1, LONG)
    assert (copied[0], sum(copied)) == (there, LONG)
    assert same(source, target)


def test_it_goes_on_when_messages_were_appended_at_the_source_meanwhile(
    source: SessionStore, target: SessionStore
) -> None:
    begun(source, target)
    source.add_messages(KEY, numbered(3, 9000))
    assert copy_sessions(source, target).resumed == 1
    assert same(source, target)


@pytest.mark.parametrize("side", ["source", "target"])
def test_a_copy_that_does_not_fit_any_more_is_told_and_with_replace_begun_anew(
    source: SessionStore, target: SessionStore, side: str
) -> None:
    begun(source, target)
    if side == "source":
        source.truncate_history(KEY, LONG - 1)
    else:
        target.add_message(KEY, "user", "somebody else's")
    (skipped,) = copy_sessions(source, target).skipped
    assert skipped.cause is Cause.UNFINISHED
    assert UNFINISHED in target.get_session(KEY).metadata
    assert copy_sessions(source, target, replace=True).replaced == 1
    assert same(source, target)


def test_half_a_session_is_never_copied_as_a_whole_one(source: SessionStore, target: SessionStore) -> None:
    begun(source, target)
    with open_store("memory:") as third:
        (skipped,) = copy_sessions(target, third).skipped
        assert skipped.cause is Cause.UNFINISHED
        assert not list(third.list_sessions())


# -- others who write meanwhile


def test_messages_that_are_appended_at_the_source_meanwhile_arrive_too(
    source: SessionStore, target: SessionStore
) -> None:
    long_session(source)

    def append(count: int) -> None:
        if count == 1:
            source.add_messages(KEY, numbered(1500, LONG))
            source.set_summary(KEY, "newer")

    assert copy_sessions(source, intruded(target, "add_messages", append)).complete
    assert same(source, target)


@pytest.mark.parametrize("count", [5, LONG])
def test_a_session_that_goes_on_at_the_source_all_the_time_arrives_as_of_one_moment_and_is_told(
    source: SessionStore, target: SessionStore, count: int
) -> None:
    long_session(source, count)

    def go_on(number: int) -> None:
        source.update_session(KEY, summary=f"{count + number} messages")
        source.add_message(KEY, "user", "more")

    source.update_session(KEY, summary=f"{count} messages")
    report = copy_sessions(intruded(source, "get_session", go_on), target)
    assert (report.copied, report.changed, report.complete) == (1, [KEY], False)
    copied, now = texts(target), texts(source)
    assert count < len(copied) < len(now)
    assert now[: len(copied)] == copied
    assert target.get_summary(KEY) == f"{len(copied)} messages"
    assert UNFINISHED not in target.get_session(KEY).metadata


def test_a_change_just_after_a_short_session_was_written_is_fetched(source: SessionStore, target: SessionStore) -> None:
    source.update_session(KEY, **FULL)

    def change(count: int) -> None:
        if count == 1:
            source.truncate_history(KEY, 1, summary="newer")

    report = copy_sessions(source, intruded(target, "save", change))
    assert (report.copied, report.messages, report.complete) == (1, 1, True)
    assert same(source, target)


@pytest.mark.parametrize("call", ["add_messages", "save"])
def test_a_truncation_at_the_source_meanwhile_begins_it_anew(
    source: SessionStore, target: SessionStore, call: str
) -> None:
    long_session(source)

    def cut(count: int) -> None:
        if count == 1:
            source.truncate_history(KEY, LONG - 100, summary="newer")

    report = copy_sessions(source, intruded(target, call, cut))
    assert report.copied == 1
    assert same(source, target) or report.changed == [KEY]
    assert UNFINISHED not in target.get_session(KEY).metadata


def test_a_session_that_is_truncated_all_the_time_is_told(source: SessionStore, target: SessionStore) -> None:
    long_session(source)

    def cut(count: int) -> None:
        source.truncate_history(KEY, LONG - count)

    (skipped,) = copy_sessions(source, intruded(target, "add_messages", cut)).skipped
    assert (skipped.cause, "at the source" in skipped.reason or "was truncated" in skipped.reason) == (Cause.BUSY, True)
    assert UNFINISHED in target.get_session(KEY).metadata


def test_what_somebody_else_writes_to_an_unfinished_copy_is_never_passed_off_as_the_sources(
    source: SessionStore, target: SessionStore
) -> None:
    long_session(source)

    def intrude(count: int) -> None:
        if count == 2:
            target.add_message(KEY, "user", "somebody else's")

    (skipped,) = copy_sessions(source, intruded(target, "add_messages", intrude)).skipped
    assert skipped.cause is Cause.UNFINISHED
    assert UNFINISHED in target.get_session(KEY).metadata
    assert "somebody else's" in texts(target)


def test_a_session_that_somebody_makes_at_the_target_meanwhile_is_left_alone(
    source: SessionStore, target: SessionStore
) -> None:
    source.update_session(KEY, **FULL)

    def make(count: int) -> None:
        if count == 1:
            target.add_message(KEY, "user", "mine")

    (skipped,) = copy_sessions(source, intruded(target, "update_session", make)).skipped
    assert skipped.cause is Cause.DIFFERENT
    assert texts(target) == ["mine"]


def test_a_failed_append_is_told_also_by_a_store_that_only_logs(source: SessionStore) -> None:
    long_session(source)
    with open_store("memory:", on_write_error="log") as target:
        held = intruded(target, "add_messages", lambda _: None)
        held.add_messages = lambda key, messages: target.add_messages(key, messages) and None
        assert copy_sessions(source, held).complete
        assert same(source, target)


def test_the_progress_comes_to_all_messages(source: SessionStore, target: SessionStore) -> None:
    long_session(source)
    source.update_session("a", **FULL)
    for _ in range(2):
        done: list[int] = []
        copy_sessions(source, target, progress=done.append)
        assert sum(done) == LONG + 3


def test_nothing_is_copied_of_a_store_without_sessions(source: SessionStore, target: SessionStore) -> None:
    assert copy_sessions(source, target) == CopyReport()
