"""Export: the sessions of a store as documents."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sessionkit import SessionNotFoundError, SessionStore, VersionConflict, codec, open_store
from sessionkit.sessions import History
from sessionkit.transfer import export_session, export_sessions, export_text


@pytest.fixture
def store() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        for key in ("b", "a"):
            opened.add_full_message(key, {"role": "user", "content": None, "x": key})
        yield opened


def test_all_sessions_are_exported(store: SessionStore) -> None:
    documents = {document["key"]: document for document in export_sessions(store)}
    assert set(documents) == {"a", "b"}
    assert documents["a"]["messages"] == [{"role": "user", "content": None, "x": "a"}]


def test_chosen_sessions_are_exported_in_their_order(store: SessionStore) -> None:
    assert [document["key"] for document in export_sessions(store, ["b", "a", "b"])] == ["b", "a", "b"]


def test_a_key_that_names_no_session_is_an_error(store: SessionStore) -> None:
    with pytest.raises(SessionNotFoundError, match="'c'"):
        export_session(store, "c")


def test_a_session_that_is_deleted_while_all_are_exported_is_passed_over(store: SessionStore) -> None:
    documents = export_sessions(store)
    first = next(documents)["key"]
    store.delete_session({"a": "b", "b": "a"}[first])
    assert list(documents) == []


def test_empty_fields_are_left_out(store: SessionStore) -> None:
    assert set(export_session(store, "a")) == {"key", "messages", "created", "updated"}


def text_of(store: SessionStore, key: str) -> bytes:
    return b"".join(export_text(store, key, dump)[0])


def dump(value: Any) -> str:
    return codec.encode(value).decode()


def test_a_text_is_that_of_the_document(store: SessionStore) -> None:
    store.update_session("full", messages=[{"role": "user"}] * 2500, summary="s", metadata={"m": 1}, aliases=["n"])
    store.update_session("empty")
    for key in ("a", "full", "empty"):
        pieces, count = export_text(store, key, dump)
        document = export_session(store, key)
        assert b"".join(pieces) == codec.encode(document)
        assert count == len(document["messages"])
    with pytest.raises(SessionNotFoundError, match="'c'"):
        export_text(store, "c", dump)


class Changing(SessionStore):
    """Something happens to the session before each of its pages is read."""

    happens: Callable[[], object]

    def get_history_page(self, key: str, start: int, limit: int) -> History:
        self.happens()
        return super().get_history_page(key, start, limit)


def changing(store: SessionStore, happens: Callable[[], object]) -> Changing:
    copy = Changing.__new__(Changing)
    vars(copy).update(vars(store))
    copy.happens = happens
    return copy


def test_what_is_appended_meanwhile_is_not_in_a_text(store: SessionStore) -> None:
    before = codec.encode(export_session(store, "a"))
    assert text_of(changing(store, lambda: store.add_message("a", "user", "late")), "a") == before


def test_a_text_begins_again_when_the_history_is_replaced_meanwhile(store: SessionStore) -> None:
    left = iter(range(3))

    def replace() -> None:
        if (number := next(left, None)) is not None:
            store.set_history("a", [{"role": "user", "content": f"{number}"}])

    assert text_of(changing(store, replace), "a") == codec.encode(export_session(store, "a"))


def test_a_history_that_keeps_being_replaced_cannot_be_exported(store: SessionStore) -> None:
    always = changing(store, lambda: store.set_history("a", [{"role": "user"}]))
    with pytest.raises(VersionConflict, match="'a'"):
        export_text(always, "a", dump)


def test_a_long_session_is_not_in_memory_as_a_whole(store: SessionStore) -> None:
    store.update_session("long", messages=[{"role": "user", "content": "x" * 100_000}] * 900)
    tracemalloc.start()
    try:
        size = sum(map(len, export_text(store, "long", dump)[0]))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert size > 90_000_000
    assert peak < 45_000_000
