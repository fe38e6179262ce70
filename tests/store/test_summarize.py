"""Summaries that take the place of messages, while others write."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import UNCHANGED, Message, SessionStore, VersionConflict
from sessionkit.memory import MemoryBackend

from .backends import FlakyBackend, texts

KEY = "k"


def test_summarize_drops_what_was_summarised_and_keeps_what_arrived_meanwhile(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    session = store.get_session(KEY)
    store.add_message(KEY, "user", "d")
    version = store.summarize(KEY, session, 2, "a and b")
    after = store.get_session(KEY)
    assert (after.summary, [m.text for m in after.messages], after.version) == ("a and b", ["c", "d"], version)


@pytest.mark.parametrize("competitor", ["truncate", "replace", "summarize", "pop", "delete", "recreate"])
def test_summarize_fails_when_the_history_was_cut_or_replaced_meanwhile(store: SessionStore, competitor: str) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    session = store.get_session(KEY)
    if competitor == "truncate":
        store.truncate_history(KEY, 2)
    elif competitor == "replace":
        store.set_history(KEY, session.messages)
    elif competitor == "summarize":
        store.summarize(KEY, session, 1, "first")
    elif competitor == "pop":
        store.pop_messages(KEY)
    else:
        store.delete_session(KEY)
    if competitor == "recreate":
        store.add_messages(KEY, session.messages)
    before = store.get_session(KEY)
    with pytest.raises(VersionConflict, match="was truncated or replaced since it was read; read it again"):
        store.summarize(KEY, session, 2, "second")
    assert store.get_session(KEY) == before


def test_summarize_is_not_disturbed_by_a_new_summary_or_metadata(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    session = store.get_session(KEY)
    store.set_summary(KEY, "other")
    store.update_session(KEY, metadata={"a": 1})
    store.summarize(KEY, session, 3, "all")
    assert (store.get_summary(KEY), store.get_history(KEY)) == ("all", [])


def test_summarize_wants_a_snapshot_of_the_same_session(store: SessionStore) -> None:
    store.add_message("other", "user", "x")
    with pytest.raises(ValueError, match="the snapshot is of session 'other', not of 'k'"):
        store.summarize(KEY, store.get_session("other"), 1, "s")


@pytest.mark.parametrize("drop_first", [-1, 2])
def test_summarize_drops_no_more_than_the_snapshot_has(store: SessionStore, drop_first: int) -> None:
    store.add_message(KEY, "user", "x")
    with pytest.raises(ValueError, match="the snapshot has 1 messages"):
        store.summarize(KEY, store.get_session(KEY), drop_first, "s")


def test_summarize_racing_with_appends_loses_none(store: SessionStore) -> None:
    appended = 400
    begun = threading.Event()

    def append() -> None:
        for number in range(appended):
            store.add_message(KEY, "user", str(number))
            begun.set()

    writer = threading.Thread(target=append)
    writer.start()
    assert begun.wait(30)
    dropped = 0
    while writer.is_alive():
        session = store.get_session(KEY)
        drop = session.count // 2
        store.summarize(KEY, session, drop, f"{dropped + drop} told")
        dropped += drop
    writer.join()
    assert texts(store, KEY) == [str(number) for number in range(dropped, appended)]


def test_truncating_whole_turns_keeps_each_result_with_its_call(store: SessionStore) -> None:
    call: dict[str, Any] = {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_0", "function": {"name": "f"}}],
    }
    result = {"role": "tool", "content": "r", "tool_call_id": "call_0"}
    turn = [{"role": "user", "content": "q"}, call, result, {"role": "assistant", "content": "a"}]
    store.add_messages(KEY, turn * 3)
    store.truncate_history(KEY, 2, whole_turns=True, summary="s")
    assert [message.to_dict() for message in store.get_history(KEY)] == turn
    assert store.get_summary(KEY) == "s"


def test_truncating_whole_turns_never_empties_a_history_of_one_turn(store: SessionStore) -> None:
    store.add_messages(KEY, [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])
    store.truncate_history(KEY, 1, whole_turns=True)
    assert len(store.get_history(KEY)) == 2


TURN = [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]


def come_between(backend: FlakyBackend, hook: str, times: int, write: Callable[[MemoryBackend], object]) -> None:
    """Let another writer do something between the reading and the writing of an operation."""
    left = times

    def before_write(called: str, key: str) -> None:
        nonlocal left
        if called == hook and left:
            left -= 1
            backend.before_write = lambda hook, key: None
            write(backend)
            backend.before_write = before_write

    backend.before_write = before_write


def test_truncating_whole_turns_looks_again_when_another_cut_came_between(
    store: SessionStore, backend: FlakyBackend
) -> None:
    store.add_messages(KEY, TURN * 4)
    come_between(
        backend,
        "truncate_history",
        1,
        lambda other: other.sessionkit_truncate_history(KEY, None, 2, UNCHANGED, None, None, "w"),
    )
    store.truncate_history(KEY, 4, whole_turns=True)
    assert [message.to_dict() for message in store.get_history(KEY)] == TURN * 2


def test_truncating_whole_turns_keeps_what_is_appended_meanwhile(store: SessionStore, backend: FlakyBackend) -> None:
    store.add_messages(KEY, TURN * 2)
    late = Message.simple("user", "late")
    come_between(backend, "truncate_history", 1, lambda other: other.sessionkit_add_messages(KEY, [late], "w"))
    store.truncate_history(KEY, 2, whole_turns=True)
    assert [message.to_dict() for message in store.get_history(KEY)] == [*TURN, late.to_dict()]


def test_popping_takes_what_is_newest_when_it_is_done(store: SessionStore, backend: FlakyBackend) -> None:
    store.add_message(KEY, "user", "a")
    late = Message.simple("user", "late")
    come_between(backend, "update_session", 1, lambda other: other.sessionkit_add_messages(KEY, [late], "w"))
    assert store.pop_messages(KEY) == [late]
    assert texts(store, KEY) == ["a"]


def test_an_operation_that_others_never_let_through_gives_up_with_a_conflict(
    store: SessionStore, backend: FlakyBackend
) -> None:
    store.add_messages(KEY, TURN * 2)

    def replace(other: MemoryBackend) -> None:
        messages = other.sessionkit_get_history(KEY, 0, None).messages
        other.sessionkit_update_session(KEY, messages, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, "w")

    come_between(backend, "truncate_history", 1000, replace)
    with pytest.raises(VersionConflict, match="others changed it 100 times while truncate_history tried"):
        store.truncate_history(KEY, 2, whole_turns=True)
    come_between(backend, "update_session", 1000, replace)
    with pytest.raises(VersionConflict, match="others changed it 100 times while pop_messages tried"):
        store.pop_messages(KEY)
    assert len(store.get_history(KEY)) == 4
