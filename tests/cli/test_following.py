"""What is told of a session that others write to."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import Message, SessionStore, open_store
from sessionkit.cli.following import Follower, Note

KEY = "agent:main"


@pytest.fixture
def store() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        opened.add_messages(KEY, said("one", "two", "three"))
        yield opened


def said(*texts: str) -> list[Message]:
    return [Message.simple("user", text) for text in texts]


def following(store: SessionStore, shown: int = 0) -> Follower:
    return Follower.after(store, store.get_session(KEY, limit=0), shown)


def told(follower: Follower) -> list[tuple[int, str] | str]:
    return [event.text if isinstance(event, Note) else (event[0], event[1].text) for event in follower.poll()]


def test_the_end_is_told_first_and_then_what_is_new(store: SessionStore) -> None:
    follower = following(store, 2)
    assert told(follower) == [(2, "two"), (3, "three")]
    assert told(follower) == []
    store.add_messages(KEY, said("four", "five"))
    assert told(follower) == [(4, "four"), (5, "five")]


def test_many_new_messages_come_in_one_poll(store: SessionStore) -> None:
    follower = following(store)
    store.add_messages(KEY, said(*map(str, range(1000))))
    assert told(follower) == [(number + 4, str(number)) for number in range(1000)]


def test_a_change_without_new_messages_tells_nothing(store: SessionStore) -> None:
    follower = following(store)
    store.set_summary(KEY, "other")
    assert told(follower) == []


def test_after_a_truncation_it_goes_on_behind_what_was_told(store: SessionStore) -> None:
    follower = following(store, 3)
    told(follower)
    store.truncate_history(KEY, 1)
    store.add_messages(KEY, said("four"))
    assert told(follower) == ["the history was truncated; it has 2 messages now", (2, "four")]
    store.add_messages(KEY, said("five"))
    assert told(follower) == [(3, "five")]


def test_a_replaced_history_is_told_anew(store: SessionStore) -> None:
    follower = following(store, 3)
    told(follower)
    store.set_history(KEY, said("other"))
    assert told(follower) == ["the history was truncated or replaced; it has 1 message now", (1, "other")]


def test_a_deleted_session_is_told_and_waited_for(store: SessionStore) -> None:
    follower = following(store)
    told(follower)
    store.delete_session(KEY)
    assert told(follower) == ["the session was deleted"]
    assert told(follower) == []
    store.add_messages(KEY, said("again"))
    assert told(follower) == ["there is a new session of this key", (1, "again")]


@given(st.lists(st.one_of(st.integers(1, 3), st.sampled_from(["truncate", "poll"])), max_size=12))
def test_no_message_is_missed_or_told_twice_however_often_older_ones_go(steps: list[int | str]) -> None:
    with open_store("memory:", on_write_error="raise") as store:
        store.add_messages(KEY, said("first"))
        follower = following(store, 1)
        expected, found = ["first"], []
        for step in [*steps, "poll"]:
            if step == "truncate":
                store.truncate_history(KEY, 4)
            elif step == "poll":
                found += [event[1] for event in told(follower) if not isinstance(event, str)]
            else:
                texts = [f"{len(expected) + index}" for index in range(int(step))]
                expected += texts
                store.add_messages(KEY, said(*texts))
                found += [event[1] for event in told(follower) if not isinstance(event, str)]
        assert found == expected
