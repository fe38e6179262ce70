"""What the writing operations mean, through the facade."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sessionkit import (
    ABSENT,
    InvalidKeyError,
    InvalidMessageError,
    Message,
    SessionExistsError,
    SessionNotFoundError,
    SessionStore,
    VersionConflict,
)

from .backends import texts

KEY = "telegram:-100123/456"


def test_add_message_appends_a_role_and_a_text(store: SessionStore) -> None:
    store.add_message(KEY, "user", "hello")
    assert store.get_history(KEY) == [Message.simple("user", "hello")]


def test_add_full_message_takes_a_dict_in_the_chat_format(store: SessionStore) -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "add", "arguments": "{}"}}
    message = {"role": "assistant", "content": None, "tool_calls": [call], "x": [1.0, True, None]}
    store.add_full_message(KEY, message)
    assert store.get_history(KEY)[0].to_dict() == message


def test_add_messages_appends_in_order(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    assert texts(store, KEY) == ["a", "b", "c"]


def test_add_messages_takes_any_iterable(store: SessionStore) -> None:
    store.add_messages(KEY, ({"role": "user", "content": text} for text in "ab"))
    assert texts(store, KEY) == ["a", "b"]


def test_an_empty_batch_does_nothing_and_creates_nothing(store: SessionStore) -> None:
    assert store.add_messages(KEY, []) is None
    assert not store.get_session(KEY).exists
    assert list(store.list_sessions()) == []


def test_one_message_in_place_of_a_batch_is_an_error(store: SessionStore) -> None:
    with pytest.raises(TypeError, match="messages is a list of messages, not one dict"):
        store.add_messages(KEY, {"role": "user", "content": "x"})  # type: ignore[dict-item]


def test_a_message_that_is_changed_after_the_call_does_not_change_in_the_store(store: SessionStore) -> None:
    message = {"role": "user", "content": [{"type": "text", "text": "before"}]}
    store.add_full_message(KEY, message)
    message["content"][0]["text"] = "after"  # type: ignore[index]
    assert texts(store, KEY) == ["before"]


def test_a_batch_with_one_bad_message_stores_none(store: SessionStore) -> None:
    with pytest.raises(InvalidMessageError, match=r"messages\[1\]\.n is nan, which JSON cannot hold"):
        store.add_messages(KEY, [{"role": "user"}, {"role": "user", "n": float("nan")}])
    assert not store.get_session(KEY).exists


@pytest.mark.parametrize("key", ["", "a\0b", "\ud800", "é" * 513])
def test_a_key_that_no_storage_can_hold_is_refused_by_every_operation(store: SessionStore, key: str) -> None:
    operations: list[Callable[[], object]] = [
        lambda: store.add_message(key, "user", "x"),
        lambda: store.add_full_message(key, {}),
        lambda: store.add_messages(key, [{}]),
        lambda: store.set_history(key, []),
        lambda: store.set_summary(key, ""),
        lambda: store.truncate_history(key, 1),
        lambda: store.update_session(key),
        lambda: store.pop_messages(key),
        lambda: store.delete_session(key),
        lambda: store.fork_session("a", key),
        lambda: store.fork_session(key, "a"),
        lambda: store.save(key),
        lambda: store.get_history(key),
        lambda: store.iter_history(key),
        lambda: store.get_summary(key),
        lambda: store.get_session(key),
        lambda: store.get_or_create(key),
        lambda: store.resolve(key),
        lambda: store.held(key),
        lambda: store.discard_held(key),
    ]
    for operation in operations:
        with pytest.raises(InvalidKeyError):
            operation()
    assert list(store.list_sessions()) == []


def test_set_history_replaces_everything_in_the_history(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    store.set_summary(KEY, "kept")
    store.set_history(KEY, [Message.simple("user", "new")])
    assert (texts(store, KEY), store.get_summary(KEY)) == (["new"], "kept")


def test_set_history_of_nothing_makes_an_empty_session(store: SessionStore) -> None:
    store.set_history(KEY, [])
    assert store.get_session(KEY).exists


def test_set_summary_creates_the_session(store: SessionStore) -> None:
    store.set_summary(KEY, "told")
    assert (store.get_summary(KEY), store.get_history(KEY)) == ("told", [])


@pytest.mark.parametrize(("keep_last", "left"), [(2, "bc"), (3, "abc"), (9, "abc"), (0, ""), (-1, "")])
def test_truncate_history_keeps_the_last(store: SessionStore, keep_last: int, left: str) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    store.truncate_history(KEY, keep_last)
    assert texts(store, KEY) == list(left)


def test_truncate_history_sets_the_summary_in_the_same_step(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    version = store.truncate_history(KEY, 1, summary="a and b")
    session = store.get_session(KEY)
    assert (session.summary, [m.text for m in session.messages], session.version) == ("a and b", ["c"], version)


def test_truncating_an_unknown_session_leaves_it_unknown(store: SessionStore) -> None:
    assert store.truncate_history(KEY, 0) == ABSENT
    assert not store.get_session(KEY).exists


def test_update_session_changes_what_is_given_and_nothing_else(store: SessionStore) -> None:
    store.add_message(KEY, "user", "a")
    store.update_session(KEY, metadata={"scope": {"chat": 1}}, aliases=["me"])
    store.update_session(KEY, summary="s", created="2024-01-02T03:04:05.123456789+02:00")
    session = store.get_session(KEY)
    assert session.metadata == {"scope": {"chat": 1}}
    assert (session.aliases, session.summary, session.count) == (("me",), "s", 1)
    assert session.created == "2024-01-02T03:04:05.123456789+02:00"


def test_metadata_is_copied_on_the_way_in_and_out(store: SessionStore) -> None:
    metadata = {"list": [1]}
    store.update_session(KEY, metadata=metadata)
    metadata["list"].append(2)
    store.get_session(KEY).metadata["list"].append(3)
    assert store.get_session(KEY).metadata == {"list": [1]}


@pytest.mark.parametrize("time", ["", "yesterday", "2024-01-02T03:04:05", "2024-01-02"])
def test_a_time_without_a_zone_is_refused(store: SessionStore, time: str) -> None:
    with pytest.raises(InvalidMessageError, match="a time is written like 2026-01-31T12:00:00Z, with its zone"):
        store.update_session(KEY, created=time)


def test_an_alias_that_could_not_be_a_key_is_refused(store: SessionStore) -> None:
    with pytest.raises(InvalidKeyError):
        store.update_session(KEY, aliases=["fine", ""])


def test_a_string_in_place_of_a_list_of_aliases_is_an_error(store: SessionStore) -> None:
    with pytest.raises(TypeError, match="aliases is a list of strings, not one string"):
        store.update_session(KEY, aliases="me")


def test_pop_messages_removes_and_returns_the_newest(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    assert [message.text for message in store.pop_messages(KEY, 2)] == ["b", "c"]
    assert texts(store, KEY) == ["a"]


@pytest.mark.parametrize("count", [0, -1])
def test_pop_messages_of_none_changes_nothing(store: SessionStore, count: int) -> None:
    version = store.add_message(KEY, "user", "a")
    assert store.pop_messages(KEY, count) == []
    assert store.get_session(KEY).version == version


def test_pop_messages_of_an_unknown_session_creates_nothing(store: SessionStore) -> None:
    assert store.pop_messages(KEY) == []
    assert not store.get_session(KEY).exists


def test_delete_session_tells_whether_there_was_one(store: SessionStore) -> None:
    store.add_message(KEY, "user", "a")
    assert store.delete_session(KEY)
    assert not store.delete_session(KEY)
    assert store.get_history(KEY) == []


def test_an_append_after_a_deletion_makes_a_new_session(store: SessionStore) -> None:
    store.update_session(KEY, messages=[Message.simple("user", "old")], summary="old", aliases=["old"])
    store.delete_session(KEY)
    store.add_message(KEY, "user", "new")
    session = store.get_session(KEY)
    assert (session.summary, session.aliases, session.count) == ("", (), 1)


def test_fork_session_copies_messages_summary_and_metadata_but_no_aliases(store: SessionStore) -> None:
    store.update_session(
        KEY, messages=[Message.simple("user", t) for t in "ab"], summary="s", metadata={"m": 1}, aliases=["me"]
    )
    store.fork_session(KEY, "copy")
    copy = store.get_session("copy")
    assert ([m.text for m in copy.messages], copy.summary, copy.metadata, copy.aliases) == (
        ["a", "b"],
        "s",
        {"m": 1},
        (),
    )


def test_fork_session_can_branch_from_the_middle(store: SessionStore) -> None:
    store.add_messages(KEY, [Message.simple("user", text) for text in "abc"])
    store.fork_session(KEY, "branch", keep_first=2)
    assert texts(store, "branch") == ["a", "b"]


def test_fork_session_refuses_an_existing_target(store: SessionStore) -> None:
    store.add_message(KEY, "user", "a")
    store.add_message("other", "user", "precious")
    with pytest.raises(SessionExistsError, match="'other' exists already; delete it or fork to another key"):
        store.fork_session(KEY, "other")
    assert texts(store, "other") == ["precious"]


def test_fork_session_of_an_unknown_session_is_an_error(store: SessionStore) -> None:
    with pytest.raises(SessionNotFoundError, match="does not exist, so it cannot be forked"):
        store.fork_session("nobody", "copy")


def test_get_or_create_creates_an_empty_session_once(store: SessionStore) -> None:
    created = store.get_or_create(KEY)
    assert created.exists
    assert store.get_or_create(KEY) == created


def test_a_write_in_another_state_than_if_version_is_refused(store: SessionStore) -> None:
    seen = store.add_message(KEY, "user", "a")
    store.add_message(KEY, "user", "b")
    with pytest.raises(VersionConflict, match="was changed since it was read; read it again"):
        store.set_history(KEY, [], if_version=seen)
    with pytest.raises(VersionConflict):
        store.truncate_history(KEY, 1, if_version=seen)
    with pytest.raises(VersionConflict):
        store.truncate_history(KEY, 1, if_version=seen, whole_turns=True)
    with pytest.raises(VersionConflict):
        store.update_session(KEY, summary="s", if_version=seen)
    assert (texts(store, KEY), store.get_summary(KEY)) == (["a", "b"], "")


def test_if_version_absent_means_create_only(store: SessionStore) -> None:
    store.update_session(KEY, summary="first", if_version=ABSENT)
    with pytest.raises(VersionConflict, match="exists already"):
        store.update_session(KEY, summary="second", if_version=ABSENT)
    assert store.get_summary(KEY) == "first"


def test_versions_are_never_repeated_after_delete_and_create(store: SessionStore) -> None:
    seen = set()
    for _ in range(5):
        version = store.add_message(KEY, "user", "same")
        assert version not in seen
        seen.add(version)
        store.delete_session(KEY)
    with pytest.raises(VersionConflict, match="does not exist any more"):
        store.set_history(KEY, [], if_version=seen.pop())


def test_every_message_that_the_caller_marks_like_an_encoded_one_comes_back(store: SessionStore) -> None:
    hostile = {"role": "user", "_sessionkit": {"transform": "encrypt", "payload": {"_sessionkit": {"transform": ""}}}}
    store.add_full_message(KEY, hostile)
    store.update_session(KEY, summary='_sessionkit:{"transform":"x"}', metadata=hostile)
    session = store.get_session(KEY)
    assert session.messages[0].to_dict() == hostile
    assert session.summary == '_sessionkit:{"transform":"x"}'
    assert session.metadata == hostile
