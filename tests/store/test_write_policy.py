"""What becomes of writes that fail."""

from __future__ import annotations

import itertools
import logging
import threading

import pytest

from sessionkit import (
    BackendUnavailableError,
    HeldWritesFullError,
    InvalidMessageError,
    Message,
    MessageTooLargeError,
    OutcomeUnknownError,
    SessionStore,
    StoreClosedError,
    StoreError,
    UnsupportedOperationError,
    VersionConflict,
    WriteFailedError,
)
from sessionkit.store import writes

from .backends import FlakyBackend, Gate, store_on, texts

KEY = "agent:main"
DISK_FULL = BackendUnavailableError("disk full")


def test_a_failed_write_returns_none_and_is_logged_once_with_session_and_cause(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fail(DISK_FULL)
    assert store.add_message(KEY, "user", "a") is None
    assert store.add_message(KEY, "user", "b") is None
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    (error,) = errors
    assert error == (
        "session 'agent:main': add_message failed and is held, later writes wait behind it "
        "(BackendUnavailableError: disk full)"
    )


def test_an_unexpected_error_is_logged_with_its_traceback(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fail(RuntimeError("a bug"))
    store.add_message(KEY, "user", "a")
    assert caplog.records[0].exc_info is not None


def test_the_message_itself_is_never_logged(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fail(RuntimeError("a bug"))
    store.add_message(KEY, "user", "my secret")
    with pytest.raises(WriteFailedError) as failure:
        store.save(KEY)
    assert "my secret" not in caplog.text + str(failure.value) + repr(failure.value.held)


def test_save_raises_what_is_held_as_long_as_it_is_held(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    store.set_summary(KEY, "s")
    for _ in range(2):
        with pytest.raises(WriteFailedError) as failure:
            store.save(KEY)
        assert [(write.key, write.operation) for write in failure.value.held] == [
            (KEY, "add_message"),
            (KEY, "set_summary"),
        ]
        assert failure.value.held[0].error is DISK_FULL
        assert failure.value.held[0].arguments["messages"] == (Message.simple("user", "a"),)
        assert failure.value.held[1].error is None
        assert failure.value.__cause__ is DISK_FULL
    assert str(failure.value) == (
        "session 'agent:main': 2 held writes are not stored (BackendUnavailableError: disk full); see held(), "
        "mend the cause and call save() again, or give up with discard_held()"
    )
    assert backend.saved == []


def test_the_next_write_first_stores_what_is_held_in_order(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    store.add_message(KEY, "user", "b")
    backend.fail(None)
    assert store.add_message(KEY, "user", "c") == store.get_session(KEY).version
    assert texts(store, KEY) == ["a", "b", "c"]
    assert store.held(KEY) == ()


def test_save_stores_what_is_held_in_order(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    store.truncate_history(KEY, 0, summary="a was said")
    store.set_history(KEY, [Message.simple("user", "b")])
    backend.fail(None)
    store.save(KEY)
    assert (texts(store, KEY), store.get_summary(KEY), backend.saved) == (["b"], "a was said", [KEY])


def test_a_repeated_write_carries_the_same_write_id(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(None)
    store.save(KEY)
    store.add_message(KEY, "user", "b")
    first, again, other = backend.write_ids
    assert first == again != other


def test_other_sessions_are_not_held_up(store: SessionStore, backend: FlakyBackend) -> None:
    def before_write(hook: str, key: str) -> None:
        if key == KEY:
            raise DISK_FULL

    backend.before_write = before_write
    store.add_message(KEY, "user", "a")
    store.add_message("other", "user", "b")
    store.save("other")
    assert texts(store, "other") == ["b"]


def test_reads_do_not_show_held_writes_and_held_does(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    assert store.get_history(KEY) == []
    assert [write.operation for write in store.held(KEY)] == ["add_message"]


def test_discard_held_gives_up_and_lets_later_writes_through(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(None)
    assert [write.operation for write in store.discard_held(KEY)] == ["add_message"]
    store.add_message(KEY, "user", "b")
    store.save(KEY)
    assert texts(store, KEY) == ["b"]


@pytest.mark.parametrize(
    "refusal",
    [
        VersionConflict("no"),
        MessageTooLargeError("no"),
        UnsupportedOperationError("no"),
        StoreClosedError("no"),
        HeldWritesFullError("no"),
    ],
)
def test_a_refusal_raises_at_once_and_is_not_held(
    store: SessionStore, backend: FlakyBackend, refusal: Exception
) -> None:
    backend.fail(refusal)
    with pytest.raises(type(refusal)):
        store.add_message(KEY, "user", "a")
    assert store.held(KEY) == ()


def test_a_queued_write_that_is_refused_blocks_rather_than_leave_a_hole(
    store: SessionStore, backend: FlakyBackend
) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(MessageTooLargeError("too large"))
    store.add_message(KEY, "user", "b")
    with pytest.raises(WriteFailedError) as failure:
        store.save(KEY)
    assert isinstance(failure.value.__cause__, MessageTooLargeError)
    assert len(store.held(KEY)) == 2


def test_a_conditional_write_raises_and_is_never_held(store: SessionStore, backend: FlakyBackend) -> None:
    version = store.add_message(KEY, "user", "a")
    backend.fail(DISK_FULL)
    with pytest.raises(BackendUnavailableError):
        store.set_history(KEY, [], if_version=version)
    assert store.held(KEY) == ()


def test_operations_that_always_raise_do_so_and_wait_behind_what_is_held(
    store: SessionStore, backend: FlakyBackend
) -> None:
    backend.fail(DISK_FULL)
    with pytest.raises(BackendUnavailableError):
        store.update_session(KEY, summary="s")
    with pytest.raises(BackendUnavailableError):
        store.delete_session(KEY)
    store.add_message(KEY, "user", "a")
    with pytest.raises(WriteFailedError, match="delete_session was not tried"):
        store.delete_session(KEY)
    backend.fail(None)
    assert store.delete_session(KEY)


def test_an_unknown_outcome_is_told_by_the_next_save_and_never_repeated(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fail(OutcomeUnknownError("no answer"))
    assert store.add_message(KEY, "user", "a") is None
    backend.fail(None)
    store.add_message(KEY, "user", "b")
    with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known") as failure:
        store.save(KEY)
    assert [write.operation for write in failure.value.unknown] == ["add_message"]
    assert failure.value.held == ()
    store.save(KEY)
    assert texts(store, KEY) == ["b"]
    assert "nobody knows whether add_message was stored; it is not repeated (no answer)" in caplog.text


def test_an_unknown_outcome_of_a_held_write_ends_its_repetition(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(OutcomeUnknownError("no answer"))
    with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known"):
        store.save(KEY)
    backend.fail(None)
    store.save(KEY)
    assert texts(store, KEY) == []


def test_a_none_from_the_backend_is_an_unknown_outcome(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._runtime.hooks, "_add_messages", lambda **arguments: None)
    store.add_message(KEY, "user", "a")
    with pytest.raises(WriteFailedError, match="sessionkit_add_messages of session 'agent:main' returned NoneType"):
        store.save(KEY)


def test_the_queue_is_bounded_in_number(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MAX_HELD_WRITES", 2)
    backend.fail(DISK_FULL)
    for text in "ab":
        store.add_message(KEY, "user", text)
    with pytest.raises(HeldWritesFullError, match=r"2 writes \(\d+ bytes\) wait already"):
        store.add_message(KEY, "user", "c")
    backend.fail(None)
    store.save(KEY)
    assert texts(store, KEY) == ["a", "b"]


def test_the_queue_is_bounded_in_bytes(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MAX_HELD_BYTES", 100)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "x" * 200)
    with pytest.raises(HeldWritesFullError):
        store.add_message(KEY, "user", "b")


def test_close_tells_what_remains_and_releases_everything(backend: FlakyBackend) -> None:
    store = store_on(backend)
    backend.fail(DISK_FULL)
    store.add_message("a", "user", "x")
    store.add_message("b", "user", "x")
    with pytest.raises(WriteFailedError, match="2 sessions: 2 held writes are not stored") as failure:
        store.close()
    assert [write.key for write in failure.value.held] == ["a", "b"]
    assert backend.closed == 1
    store.close()
    assert backend.closed == 1


def test_close_stores_what_is_held_when_the_cause_is_gone(backend: FlakyBackend) -> None:
    store = store_on(backend)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "x")
    backend.fail(None)
    store.close()
    assert backend.sessionkit_get_history(KEY, 0, None).total == 1


@pytest.mark.parametrize("error", [DISK_FULL, OutcomeUnknownError("?"), RuntimeError("bug")])
def test_in_raise_mode_the_call_raises_and_nothing_is_held(backend: FlakyBackend, error: Exception) -> None:
    with store_on(backend, on_write_error="raise") as store:
        backend.fail(error)
        with pytest.raises(type(error)):
            store.add_message(KEY, "user", "a")
        assert store.held(KEY) == ()
        backend.fail(None)
        store.save(KEY)
        assert texts(store, KEY) == []


@pytest.mark.parametrize("mode", ["log", "raise"])
def test_reads_raise_under_both_policies(mode: writes.OnWriteError, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreadable(**arguments: object) -> None:
        raise OSError("I/O error")

    with store_on(FlakyBackend(), on_write_error=mode) as store:
        for hook in ("_get_history", "_get_session", "_list_sessions"):
            monkeypatch.setattr(store._runtime.hooks, hook, unreadable)
        for read in (store.get_history, store.get_summary, store.get_session):
            with pytest.raises(OSError, match="I/O error"):
                read(KEY)
        with pytest.raises(OSError, match="I/O error"):
            list(store.list_sessions())
        with pytest.raises(OSError, match="I/O error"):
            list(store.iter_history(KEY))


def test_an_interrupt_in_a_write_is_not_swallowed(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.add_message(KEY, "user", "a")
    assert store.held(KEY) == ()


def test_save_waits_for_a_write_in_flight_and_tells_when_it_failed(store: SessionStore, backend: FlakyBackend) -> None:
    gate = Gate()

    def before_write(hook: str, key: str) -> None:
        gate(hook, key)
        raise DISK_FULL

    backend.before_write = before_write
    outcome: list[BaseException] = []
    writer = threading.Thread(target=store.add_message, args=(KEY, "user", "a"))
    writer.start()
    assert gate.arrived.wait(30)

    def save() -> None:
        try:
            store.save(KEY)
        except WriteFailedError as error:
            outcome.append(error)

    saver = threading.Thread(target=save)
    saver.start()
    saver.join(0.05)
    assert saver.is_alive()
    gate.open.set()
    saver.join(30)
    writer.join(30)
    assert len(outcome) == 1


def test_two_saves_at_once_do_not_wait_for_each_other(store: SessionStore) -> None:
    savers = [threading.Thread(target=store.save, args=(KEY,)) for _ in range(8)]
    for saver in savers:
        saver.start()
    for saver in savers:
        saver.join(30)
    assert not any(saver.is_alive() for saver in savers)


def test_close_waits_for_a_write_in_flight_and_lets_no_other_in(backend: FlakyBackend) -> None:
    store = store_on(backend)
    gate = Gate()
    backend.before_write = gate
    writer = threading.Thread(target=store.add_message, args=(KEY, "user", "a"))
    writer.start()
    assert gate.arrived.wait(30)
    closer = threading.Thread(target=store.close)
    closer.start()
    while not store._runtime.activity.closed:
        closer.join(0.001)
    assert backend.closed == 0
    with pytest.raises(StoreClosedError, match=r"the test store is closed; open another one with open_store\(\)"):
        store.get_history(KEY)
    gate.open.set()
    closer.join(30)
    writer.join(30)
    assert backend.closed == 1
    assert backend.sessionkit_get_history(KEY, 0, None).total == 1


def test_every_operation_on_a_closed_store_raises(backend: FlakyBackend) -> None:
    store = store_on(backend)
    store.close()
    for operation in (
        lambda: store.add_message(KEY, "user", "x"),
        lambda: store.add_messages(KEY, []),
        lambda: store.set_summary(KEY, "x"),
        lambda: store.truncate_history(KEY, 1),
        lambda: store.update_session(KEY),
        lambda: store.get_history(KEY),
        lambda: store.get_session(KEY),
        lambda: store.save(KEY),
        lambda: store.delete_session(KEY),
        lambda: list(store.list_sessions()),
        lambda: list(store.iter_history(KEY)),
    ):
        with pytest.raises(StoreClosedError):
            operation()


def test_a_write_that_is_interrupted_while_it_is_repeated_is_told_and_never_repeated_again(
    store: SessionStore, backend: FlakyBackend
) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    store.add_message(KEY, "user", "b")
    backend.fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.save(KEY)
    backend.fail(None)
    with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known") as failure:
        store.save(KEY)
    assert isinstance(failure.value.unknown[0].error, KeyboardInterrupt)
    assert texts(store, KEY) == ["b"]


def test_what_is_held_cannot_be_changed_by_who_looks_at_it(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.set_summary(KEY, "written")
    held = store.held(KEY)[0].arguments
    assert isinstance(held, dict)
    held["summary"] = "another"
    backend.fail(None)
    store.save(KEY)
    assert store.get_summary(KEY) == "written"


def test_a_summary_of_a_subclass_of_str_can_be_held(store: SessionStore, backend: FlakyBackend) -> None:
    class Text(str):
        __slots__ = ()

    backend.fail(DISK_FULL)
    store.truncate_history(KEY, 0, summary=Text("s"))
    backend.fail(None)
    store.save(KEY)
    assert store.get_summary(KEY) == "s"


def test_a_log_filter_that_fails_does_not_lose_the_write(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError("a bug in a filter")

    monkeypatch.setattr(writes.logger, "filters", [fail])
    backend.fail(DISK_FULL)
    with pytest.raises(RuntimeError, match="a bug in a filter"):
        store.add_message(KEY, "user", "a")
    monkeypatch.undo()
    backend.fail(None)
    store.save(KEY)
    assert texts(store, KEY) == ["a"]


def test_a_log_filter_that_fails_does_not_get_an_unknown_outcome_repeated(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(record: logging.LogRecord) -> bool:
        raise RuntimeError("a bug in a filter")

    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(OutcomeUnknownError("no answer"))
    monkeypatch.setattr(writes.logger, "filters", [fail])
    with pytest.raises(RuntimeError, match="a bug in a filter"):
        store.save(KEY)
    monkeypatch.undo()
    backend.fail(None)
    with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known"):
        store.save(KEY)
    assert texts(store, KEY) == []


def test_of_a_session_that_nobody_saves_only_the_last_unknown_outcomes_are_kept(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MAX_HELD_WRITES", 2)
    backend.fail(OutcomeUnknownError("no answer"))
    for text in "abc":
        store.add_message(KEY, "user", text)
    with pytest.raises(WriteFailedError) as failure:
        store.save(KEY)
    assert [write.arguments["messages"][0].text for write in failure.value.unknown] == ["b", "c"]


def test_a_message_that_cannot_be_stored_is_refused_and_not_held(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(InvalidMessageError("no"))
    with pytest.raises(InvalidMessageError):
        store.add_message(KEY, "user", "a")
    assert store.held(KEY) == ()


def test_a_close_that_is_interrupted_while_it_waits_can_be_repeated(
    backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = store_on(backend)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(None)

    def interrupted(predicate: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(store._runtime.activity._changed, "wait_for", interrupted)
    with pytest.raises(KeyboardInterrupt):
        store.close()
    monkeypatch.undo()
    store.close()
    assert backend.closed == 1
    assert backend.sessionkit_get_history(KEY, 0, None).total == 1


def test_a_close_that_is_interrupted_while_it_stores_releases_the_backend(backend: FlakyBackend) -> None:
    store = store_on(backend)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.close()
    assert backend.closed == 1


def test_a_backend_that_fails_to_close_does_not_hide_what_is_not_stored(
    backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> None:
        raise OSError("cannot close")

    store = store_on(backend)
    monkeypatch.setattr(store._runtime.hooks, "_close", fail)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    with pytest.raises(WriteFailedError, match="1 held writes are not stored"):
        store.close()


def test_a_save_that_finds_nothing_held_any_more_does_not_raise(store: SessionStore, backend: FlakyBackend) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    policy = store._runtime.writes
    queue = policy._queues[KEY]
    store.discard_held(KEY)
    policy._queues[KEY] = queue  # as another thread sees it that is about to hold a write
    backend.fail(None)
    policy._raise_for([KEY])
    store.save(KEY)


def test_an_unknown_outcome_of_a_conditional_write_raises_and_is_not_told_again(
    store: SessionStore, backend: FlakyBackend
) -> None:
    backend.fail(OutcomeUnknownError("no answer"))
    with pytest.raises(OutcomeUnknownError):
        store.update_session(KEY, summary="s")
    backend.fail(None)
    store.save(KEY)


def test_close_tells_an_unknown_outcome(backend: FlakyBackend) -> None:
    store = store_on(backend)
    backend.fail(OutcomeUnknownError("no answer"))
    store.add_message(KEY, "user", "a")
    backend.fail(None)
    with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known"):
        store.close()


def test_an_expected_error_is_logged_without_its_traceback(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    assert caplog.records[0].exc_info is None


def test_that_held_writes_are_stored_is_logged(
    store: SessionStore, backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "a")
    backend.fail(None)
    store.save(KEY)
    assert "session 'agent:main': 1 held writes are stored now, 0 are left" in caplog.text


def test_what_was_stored_or_given_up_leaves_room_for_others_and_nothing_behind(
    store: SessionStore, backend: FlakyBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writes, "MAX_HELD_BYTES", 500)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "x" * 300)
    store.set_summary(KEY, "s")

    def only_messages(hook: str, key: str) -> None:
        if hook == "update_session":
            raise DISK_FULL

    backend.before_write = only_messages
    store.add_message(KEY, "user", "y" * 300)
    assert [write.operation for write in store.held(KEY)] == ["set_summary", "add_message"]
    store.discard_held(KEY)
    assert store._runtime.writes._queues == {}


def test_a_write_that_waits_for_a_replay_goes_behind_what_is_held_then(
    store: SessionStore, backend: FlakyBackend
) -> None:
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "held")
    gate, calls = Gate(), itertools.count()

    def before_write(hook: str, key: str) -> None:
        call = next(calls)
        if call == 0:
            gate(hook, key)  # the held one is repeated
        elif call == 1:
            raise DISK_FULL  # and the first one behind it fails

    backend.before_write = before_write
    first = threading.Thread(target=store.add_message, args=(KEY, "user", "first"))
    first.start()
    assert gate.arrived.wait(30)
    second = threading.Thread(target=store.add_message, args=(KEY, "user", "second"))
    second.start()
    second.join(0.05)
    gate.open.set()
    first.join(30)
    second.join(30)
    store.save(KEY)
    assert texts(store, KEY) == ["held", "first", "second"]


def test_a_write_that_fails_while_the_queue_is_emptied_is_held_all_the_same(
    store: SessionStore, backend: FlakyBackend
) -> None:
    slow, repeating = Gate(), Gate()

    def fail_slowly(hook: str, key: str) -> None:
        slow(hook, key)
        raise DISK_FULL

    backend.before_write = fail_slowly
    failing = threading.Thread(target=store.add_message, args=(KEY, "user", "slow"))
    failing.start()
    assert slow.arrived.wait(30)
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "held")
    backend.before_write = repeating
    emptying = threading.Thread(target=store.add_message, args=(KEY, "user", "behind"))
    emptying.start()
    assert repeating.arrived.wait(30)
    slow.open.set()
    failing.join(0.05)
    repeating.open.set()
    emptying.join(30)
    failing.join(30)
    backend.fail(None)
    store.save(KEY)
    assert sorted(texts(store, KEY)) == ["behind", "held", "slow"]


def test_save_does_not_wait_for_the_writes_and_reads_of_other_sessions(
    store: SessionStore, backend: FlakyBackend
) -> None:
    gate = Gate()
    backend.before_write = gate
    writer = threading.Thread(target=store.add_message, args=("other", "user", "x"))
    writer.start()
    assert gate.arrived.wait(30)
    saver = threading.Thread(target=store.save, args=(KEY,), daemon=True)
    saver.start()
    saver.join(10)  # less than the gate waits
    waited = saver.is_alive()
    gate.open.set()
    writer.join(30)
    assert not waited


def test_who_is_refused_by_a_closed_store_leaves_nothing_behind(backend: FlakyBackend) -> None:
    store = store_on(backend)
    store.close()
    with pytest.raises(StoreClosedError):
        store.get_history(KEY)
    assert store._runtime.activity._running == {}


def test_a_wrong_kind_of_result_of_a_deletion_or_a_save_is_an_error(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store._runtime.hooks, "_delete_session", lambda **arguments: 1)
    with pytest.raises(OutcomeUnknownError, match="sessionkit_delete_session of session 'agent:main' returned int"):
        store.delete_session(KEY)
    monkeypatch.setattr(store._runtime.hooks, "_save", lambda **arguments: None)
    with pytest.raises(StoreError, match="sessionkit_save of session 'agent:main' returned NoneType, not bool"):
        store.save(KEY)


def test_a_fork_has_the_writes_that_were_held(store: SessionStore, backend: FlakyBackend) -> None:
    store.add_message(KEY, "user", "a")
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "b")
    backend.fail(None)
    store.fork_session(KEY, "copy")
    assert texts(store, "copy") == ["a", "b"]


def test_a_session_whose_held_writes_cannot_be_stored_is_not_forked(store: SessionStore, backend: FlakyBackend) -> None:
    store.add_message(KEY, "user", "a")
    backend.fail(DISK_FULL)
    store.add_message(KEY, "user", "b")
    with pytest.raises(WriteFailedError, match="1 held writes are not stored"):
        store.fork_session(KEY, "copy")
    assert not store.get_session("copy").exists
