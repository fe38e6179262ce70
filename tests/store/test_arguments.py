"""Arguments reach a backend checked, and in plain types."""

from __future__ import annotations

import enum
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from sessionkit import InvalidKeyError, Message, SessionStore
from sessionkit.hookspecs import hookimpl
from sessionkit.sessions import History, Session, SessionPage, Unchanged, Version

from .backends import FlakyBackend, store_on

KEY = "k"


class Room(enum.StrEnum):
    """Keys as programs like to name them."""

    MAIN = "main"
    OTHER = "other"


class Noting(FlakyBackend):
    """Writes down each key and count that it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[str] = []
        self.counts: list[int | None] = []

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        self.keys.append(key)
        return super().sessionkit_add_messages(key, messages, write_id)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        self.keys.append(key)
        self.counts += [start, limit]
        return super().sessionkit_get_history(key, start, limit)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        self.keys.append(key)
        self.counts.append(limit)
        return super().sessionkit_get_session(key, limit)

    @hookimpl
    def sessionkit_update_session(
        self,
        key: str,
        messages: Any,
        summary: Any,
        metadata: Any,
        aliases: Sequence[str] | Unchanged,
        created: Any,
        updated: Any,
        if_version: Version | None,
        write_id: str,
    ) -> Version:
        self.keys += [key, *([] if isinstance(aliases, Unchanged) else aliases)]
        return super().sessionkit_update_session(
            key, messages, summary, metadata, aliases, created, updated, if_version, write_id
        )

    @hookimpl
    def sessionkit_truncate_history(
        self,
        key: str,
        keep_last: int | None,
        drop_first: int | None,
        summary: Any,
        if_version: Version | None,
        if_generation: str | None,
        write_id: str,
    ) -> Version:
        self.keys.append(key)
        self.counts += [keep_last, drop_first]
        return super().sessionkit_truncate_history(
            key, keep_last, drop_first, summary, if_version, if_generation, write_id
        )

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        self.keys.append(prefix)
        return super().sessionkit_list_sessions(prefix, cursor, limit)

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        self.keys.append(key)
        return super().sessionkit_delete_session(key, if_version)

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self.keys.append(key)
        return True


def test_a_key_of_a_subclass_of_str_reaches_the_backend_as_a_plain_string() -> None:
    backend = Noting()
    with store_on(backend) as store:
        store.add_message(Room.MAIN, "user", "x")
        store.add_full_message(Room.MAIN, {})
        store.add_messages(Room.MAIN, [{}])
        store.set_history(Room.MAIN, [])
        store.set_summary(Room.MAIN, "s")
        store.truncate_history(Room.MAIN, 1)
        store.truncate_history(Room.MAIN, 1, whole_turns=True)
        store.summarize(Room.MAIN, store.get_session(Room.MAIN), 0, "s")
        store.update_session(Room.MAIN, aliases=[Room.OTHER])
        store.pop_messages(Room.MAIN)
        store.save(Room.MAIN)
        store.get_history(Room.MAIN)
        store.get_or_create(Room.MAIN)
        assert type(store.resolve(Room.MAIN)) is str
        assert list(store.iter_history(Room.MAIN)) == []
        assert len(list(store.list_sessions(Room.MAIN))) == 1
        store.fork_session(Room.MAIN, Room.OTHER)
        store.delete_session(Room.MAIN)
        assert [type(info.key) for info in store.list_sessions()] == [str]
    assert {type(key) for key in backend.keys} == {str}


def calls(store: SessionStore) -> dict[str, Callable[[Any], object]]:
    return {
        "limit": lambda count: (store.get_history(KEY, count), store.get_session(KEY, count)),
        "keep_last": lambda count: store.truncate_history(KEY, count),
        "drop_first": lambda count: store.summarize(KEY, store.get_session(KEY, 0), count, "s"),
        "count": lambda count: store.pop_messages(KEY, count),
        "keep_first": lambda count: store.fork_session(KEY, "copy", keep_first=count),
    }


@pytest.mark.parametrize("name", ["limit", "keep_last", "drop_first", "count", "keep_first"])
@pytest.mark.parametrize("count", [1.0, 0.5])
def test_a_count_that_is_no_integer_is_refused(name: str, count: object) -> None:
    with store_on(FlakyBackend()) as store:
        store.add_messages(KEY, [{}, {}])
        with pytest.raises(TypeError, match=f"{name} is a number of messages, not float"):
            calls(store)[name](count)
        assert len(store.get_history(KEY)) == 2


@pytest.mark.parametrize("name", ["limit", "keep_last", "drop_first", "count", "keep_first"])
def test_a_bool_for_a_count_is_one_or_none_and_reaches_the_backend_as_a_number(name: str) -> None:
    backend = Noting()
    with store_on(backend) as store:
        store.add_messages(KEY, [{}, {}])
        calls(store)[name](True)
    assert {type(count) for count in backend.counts} <= {int, type(None)}


@pytest.mark.parametrize("count", [10**30, -(10**30)])
def test_a_huge_count_reaches_the_backend_as_one_that_every_storage_holds(count: int) -> None:
    backend = Noting()
    with store_on(backend) as store:
        store.add_messages(KEY, [{}, {}])
        assert len(store.get_history(KEY, count)) == len(store.get_session(KEY, count).messages) == 2 * (count > 0)
        store.truncate_history(KEY, count)
        assert len(store.get_history(KEY)) == 2 * (count > 0)
    assert all(seen is None or abs(seen) < 2**53 for seen in backend.counts)


def test_a_negative_limit_of_a_session_reaches_the_backend_as_none() -> None:
    backend = Noting()
    with store_on(backend) as store:
        store.get_session(KEY, -5)
    assert backend.counts == [0]


@pytest.mark.parametrize("prefix", ["\ud800", "a\0", "x" * 1025])
def test_a_prefix_that_no_key_begins_with_is_refused_at_the_call(store: SessionStore, prefix: str) -> None:
    with pytest.raises(InvalidKeyError):
        store.list_sessions(prefix)


def test_a_prefix_that_is_no_string_is_refused_at_the_call(store: SessionStore) -> None:
    with pytest.raises(TypeError):
        store.list_sessions(None)  # type: ignore[arg-type]
