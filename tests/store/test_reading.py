"""What the reading operations mean, through the facade."""

from __future__ import annotations

import attrs
import pytest

from sessionkit import AmbiguousAliasError, Message, SessionStore, StoreError, VersionConflict
from sessionkit.hookspecs import hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.sessions import ABSENT, SessionPage

from .backends import FlakyBackend, store_on

KEY = "cli:direct"


def fill(store: SessionStore, count: int, key: str = KEY) -> None:
    store.add_messages(key, [Message.simple("user", str(number)) for number in range(count)])


@pytest.mark.parametrize(("limit", "first"), [(None, 0), (1, 4), (5, 0), (9, 0), (0, 5), (-1, 5)])
def test_get_history_returns_the_newest_of_a_limit(store: SessionStore, limit: int | None, first: int) -> None:
    fill(store, 5)
    assert [message.text for message in store.get_history(KEY, limit)] == [str(n) for n in range(first, 5)]


def test_get_history_returns_a_list_of_the_callers_own(store: SessionStore) -> None:
    fill(store, 2)
    store.get_history(KEY).clear()
    assert len(store.get_history(KEY)) == 2


def test_reading_an_unknown_session_creates_nothing(store: SessionStore) -> None:
    assert store.get_history(KEY) == []
    assert store.get_summary(KEY) == ""
    assert list(store.iter_history(KEY)) == []
    assert not store.get_session(KEY).exists
    assert list(store.list_sessions()) == []


@pytest.mark.parametrize(("limit", "texts"), [(None, ["0", "1", "2"]), (1, ["2"]), (0, []), (-2, [])])
def test_get_session_counts_all_messages_and_carries_the_last(
    store: SessionStore, limit: int | None, texts: list[str]
) -> None:
    fill(store, 3)
    session = store.get_session(KEY, limit)
    assert (session.count, [message.text for message in session.messages]) == (3, texts)


def test_a_page_of_the_history_tells_where_it_stands(store: SessionStore) -> None:
    fill(store, 10)
    session = store.get_session(KEY)
    page = store.get_history_page(KEY, 3, 2)
    assert [message.text for message in page.messages] == ["3", "4"]
    assert (page.start, page.total, page.version, page.generation) == (3, 10, session.version, session.generation)


@pytest.mark.parametrize(
    ("start", "limit", "texts"),
    [(-2, 9, ["1", "2"]), (2, 9, ["2"]), (3, 9, []), (0, 0, []), (0, -1, []), (-9, 1, ["0"])],
)
def test_a_page_ends_where_the_history_does(store: SessionStore, start: int, limit: int, texts: list[str]) -> None:
    fill(store, 3)
    assert [message.text for message in store.get_history_page(KEY, start, limit).messages] == texts


def test_a_page_of_an_unknown_session_is_empty_and_absent(store: SessionStore) -> None:
    page = store.get_history_page("nobody", 0, 10)
    assert (list(page.messages), page.total, page.version, page.generation) == ([], 0, ABSENT, "")


def test_iter_history_yields_what_was_there_when_it_began(store: SessionStore) -> None:
    fill(store, 2_500)
    history = store.iter_history(KEY)
    first = next(history)
    fill(store, 10)
    assert [first.text, *(message.text for message in history)] == [str(number) for number in range(2_500)]


def test_iter_history_refuses_to_go_on_over_a_truncation(store: SessionStore) -> None:
    fill(store, 2_500)
    history = store.iter_history(KEY)
    next(history)
    store.truncate_history(KEY, 2_400)
    with pytest.raises(VersionConflict, match="was truncated or replaced while it was read"):
        list(history)


def test_list_sessions_yields_each_session_once_in_the_order_of_keys(store: SessionStore) -> None:
    for number in reversed(range(450)):
        store.add_message(f"k{number:03}", "user", "x")
    assert [info.key for info in store.list_sessions()] == [f"k{number:03}" for number in range(450)]


def test_list_sessions_tells_what_the_pages_leave_out() -> None:
    class Damaged(MemoryBackend):
        @hookimpl
        def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
            page = super().sessionkit_list_sessions(prefix, cursor, 1)
            return attrs.evolve(page, unreadable=[] if cursor else ["x.json is damaged"])

    told: list[str] = []
    with store_on(Damaged()) as store:
        for key in ("a", "b"):
            store.add_message(key, "user", "x")
        assert len(list(store.list_sessions())) == len(list(store.list_sessions(on_unreadable=told.append))) == 2
    assert told == ["x.json is damaged"]


def test_list_sessions_is_not_moved_by_writes(store: SessionStore) -> None:
    for number in range(450):
        store.add_message(f"k{number:03}", "user", "x")
    seen = []
    for info in store.list_sessions():
        seen.append(info.key)
        store.add_message(info.key, "user", "again")
        store.add_message("k000a", "user", "in between")
        store.delete_session("k000b")
    assert [key for key in seen if len(key) == 4] == [f"k{number:03}" for number in range(450)]


def test_list_sessions_keeps_to_the_prefix(store: SessionStore) -> None:
    for key in ("a:1", "a:2", "b:1"):
        store.add_message(key, "user", "x")
    assert [info.key for info in store.list_sessions("a:")] == ["a:1", "a:2"]


def test_a_backend_that_lists_one_page_for_ever_is_an_error() -> None:
    class Endless(FlakyBackend):
        @hookimpl
        def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
            return SessionPage(sessions=[], next="again")

    with store_on(Endless()) as store, pytest.raises(StoreError, match="lists one page again and again"):
        list(store.list_sessions())


def test_an_empty_page_does_not_end_a_listing() -> None:
    class Gaps(FlakyBackend):
        @hookimpl
        def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
            if cursor is None:
                return SessionPage(sessions=[], next="go on")
            return super().sessionkit_list_sessions(prefix, None, limit)

    with store_on(Gaps()) as store:
        store.add_message("a", "user", "x")
        assert [info.key for info in store.list_sessions()] == ["a"]


def test_resolve_prefers_a_key_to_an_alias(store: SessionStore) -> None:
    store.add_message("real", "user", "x")
    store.update_session("other", aliases=["real", "nick"])
    assert (store.resolve("real"), store.resolve("nick"), store.resolve("nobody")) == ("real", "other", None)


def test_aliases_never_resolve_by_themselves(store: SessionStore) -> None:
    store.update_session("other", aliases=["nick"])
    assert store.get_history("nick") == []
    assert not store.get_session("nick").exists


def test_an_alias_of_two_sessions_names_neither(store: SessionStore) -> None:
    store.update_session("a", aliases=["nick"])
    store.update_session("b", aliases=["nick"])
    with pytest.raises(AmbiguousAliasError, match="alias 'nick' names several sessions: 'a', 'b'"):
        store.resolve("nick")
