"""What a conversation in a file may look like, and what is said about one that does not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import InvalidKeyError, InvalidMessageError, Message, Session
from sessionkit.transfer import SessionDocument
from sessionkit.transfer.documents import same_json

FULL: dict[str, Any] = {
    "key": "cli:direct",
    "messages": [{"role": "tool", "name": "add", "content": None, "x-trace": [1, 1.0, True, None]}],
    "summary": "Sums.",
    "metadata": {"scope": {"kind": "cli"}, "nothing": None},
    "aliases": ["direct"],
    "created": "2026-01-01T00:00:00.100Z",
    "updated": "2026-01-02T00:00:00+02:00",
}

json_values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def test_a_full_document_comes_out_as_it_went_in() -> None:
    assert same_json(SessionDocument.from_dict(FULL).to_dict(), FULL)


@given(st.lists(st.dictionaries(st.text(), json_values, max_size=4), max_size=4))
def test_messages_of_any_json_come_out_as_they_went_in(messages: list[dict[str, Any]]) -> None:
    document = {"key": "a", "messages": messages}
    assert same_json(SessionDocument.from_dict(document).to_dict(), document)


def test_the_key_may_be_called_id() -> None:
    assert SessionDocument.from_dict({"id": "a", "messages": []}).key == "a"


def test_an_id_beside_a_key_is_a_field_that_no_session_has() -> None:
    document = SessionDocument.from_dict({"key": "a", "id": "b", "messages": []})
    assert (document.key, document.unknown_fields) == ("a", ("id",))


def test_a_field_that_is_null_counts_as_left_out() -> None:
    document = SessionDocument.from_dict(
        {"key": "a", "messages": [], "summary": None, "aliases": None, "created": None}
    )
    assert document.to_dict() == {"key": "a", "messages": []}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"key": 5}, '"key" is a number'),
        ({"messages": None}, '"messages" is null'),
        ({"messages": {}}, '"messages" is an object'),
        ({"messages": [{"role": "user"}, "hello"]}, '"messages"[1] is a string'),
        ({"summary": ["a"]}, '"summary" is an array; it is a string'),
        ({"metadata": "a"}, '"metadata" is a string; it is an object'),
        ({"aliases": "a"}, '"aliases" is a string; it is an array'),
        ({"aliases": ["a", True]}, '"aliases"[1] is a boolean'),
        ({"created": 17}, '"created" is a number; it is a string'),
    ],
)
def test_a_field_of_the_wrong_kind_is_named(change: dict[str, Any], said: str) -> None:
    with pytest.raises(InvalidMessageError) as caught:
        SessionDocument.from_dict(FULL | change)
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["key", "messages"])
def test_a_missing_field_is_named_with_what_is_expected(name: str) -> None:
    with pytest.raises(InvalidMessageError, match=rf'"{name}".*expected') as caught:
        SessionDocument.from_dict({field: value for field, value in FULL.items() if field != name})
    assert '{"key": "…", "messages": [' in str(caught.value)


def test_a_key_that_no_store_takes_is_refused() -> None:
    with pytest.raises(InvalidKeyError, match="empty"):
        SessionDocument.from_dict({"key": "", "messages": []})


def _session(**changes: Any) -> Session:
    document = SessionDocument.from_dict(FULL)
    fields: dict[str, Any] = {
        "messages": document.messages,
        "summary": document.summary,
        "metadata": document.metadata,
        "aliases": document.aliases,
    }
    return Session(key="cli:direct", version="1", **(fields | changes))


def test_a_session_of_other_times_has_the_same_content() -> None:
    assert SessionDocument.from_dict(FULL).same_content(_session(created="2020-01-01T00:00:00Z"))


@pytest.mark.parametrize(
    "change",
    [
        {"messages": ()},
        {"messages": (Message.from_dict({"role": "tool", "name": "add", "x-trace": [1, 1.0, True, None]}),)},
        {"messages": (Message.from_dict({**FULL["messages"][0], "x-trace": [1, 1.0, 1, None]}),)},
        {"messages": (Message.from_dict({**FULL["messages"][0], "x-trace": [1, 1, True, None]}),)},
        {"summary": ""},
        {"metadata": {"scope": {"kind": "cli"}}},
        {"aliases": ()},
    ],
    ids=["none", "null-dropped", "true-for-1", "1-for-1.0", "summary", "metadata", "aliases"],
)
def test_a_session_that_differs_anywhere_has_other_content(change: dict[str, Any]) -> None:
    assert not SessionDocument.from_dict(FULL).same_content(_session(**change))
