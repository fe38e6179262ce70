"""Export: the sessions of a store as documents."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessionkit import SessionNotFoundError, SessionStore, open_store
from sessionkit.transfer import export_session, export_sessions


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
