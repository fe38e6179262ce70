"""Searching a store."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import Match, SessionStore, VersionConflict, hookimpl
from sessionkit.errors import CorruptSessionError
from sessionkit.memory import MemoryBackend
from sessionkit.sessions import History

from .backends import store_on

KEY = "shop:mug"
CALL = {"id": "c", "function": {"name": "mug_stock", "arguments": '{"item": "mug"}'}}
PLACES: list[tuple[dict[str, Any], str]] = [
    ({"role": "user", "content": "a mug"}, "content"),
    ({"role": "user", "content": [{"type": "image"}, {"type": "text", "text": "a mug"}]}, "content"),
    ({"role": "assistant", "reasoning_content": "they want a mug"}, "reasoning"),
    ({"role": "assistant", "tool_calls": [{"function": {"name": "mug", "arguments": "{}"}}]}, "tool"),
    ({"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": '{"a":"mug"}'}}]}, "arguments"),
    ({"role": "tool", "content": "12 mugs"}, "content"),
    ({"type": "function_call", "name": "f", "arguments": '{"a":"mug"}'}, "arguments"),
    ({"type": "function_call_output", "output": "12 mugs"}, "content"),
    ({"role": "assistant", "content": [{"type": "tool_use", "name": "f", "input": {"a": ["mug"]}}]}, "arguments"),
    ({"role": "user", "content": [{"type": "tool_result", "content": [{"text": "12 mugs"}]}]}, "content"),
    ({"role": "assistant", "content": [{"toolUse": {"name": "mug", "input": {}}}]}, "tool"),
    ({"role": "user", "content": [{"toolResult": {"content": [{"json": {"item": "mug"}}]}}]}, "content"),
]


def found(store: SessionStore, text: str, **options: Any) -> list[tuple[str, int | None]]:
    return [(match.place, match.position) for match in store.search(text, **options)]


@pytest.mark.parametrize(("message", "place"), PLACES)
def test_a_text_is_found_once_wherever_a_provider_has_it(
    store: SessionStore, message: dict[str, Any], place: str
) -> None:
    store.add_messages("k", [{"role": "user", "content": "nothing"}, message])
    assert found(store, "mug") == [(place, 1)]


def test_keys_and_summaries_are_searched_and_a_role_leaves_them_out(store: SessionStore) -> None:
    store.update_session(KEY, messages=[{"role": "user", "content": "mug"}], summary="They asked for a mug.")
    assert found(store, "mug") == [("key", None), ("summary", None), ("content", 0)]
    assert found(store, "mug", role="user") == [("content", 0)]
    assert found(store, "mug", role="tool") == []


def test_a_match_tells_where_in_the_text_it_is(store: SessionStore) -> None:
    store.add_message("k", "user", "Mug, mug, mugs")
    assert list(store.search("mug")) == [Match("k", "content", "Mug, mug, mugs", ((5, 8), (10, 13)), 0, "user")]
    assert [match.spans for match in store.search("mug", ignore_case=True)] == [((0, 3), (5, 8), (10, 13))]
    assert [match.spans for match in store.search("[a-z]*s$", regex=True)] == [((10, 14),)]


def test_sessions_can_be_chosen(store: SessionStore) -> None:
    for key in ("a:1", "a:2", "b:1"):
        store.add_message(key, "user", "mug")
    assert [match.key for match in store.search("mug", prefix="a:")] == ["a:1", "a:2"]
    assert [match.key for match in store.search("mug", chosen=lambda info: info.key != "a:1")] == ["a:2", "b:1"]


@pytest.mark.parametrize(("text", "regex"), [("", False), ("(", True)])
def test_a_text_that_is_none_is_refused_at_once(store: SessionStore, text: str, regex: bool) -> None:
    with pytest.raises(ValueError, match=r"text to look for is empty|regular expression is not one"):
        store.search(text, regex=regex)


class Unreadable(MemoryBackend):
    """Cannot read one session."""

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        if key == "b":
            raise CorruptSessionError("session 'b' is damaged")
        return super().sessionkit_get_history(key, start, limit)


def test_what_cannot_be_read_is_raised_or_told() -> None:
    with store_on(Unreadable()) as store:
        for key in "abc":
            store.add_message(key, "user", "mug")
        told: list[str] = []
        assert [match.key for match in store.search("mug", on_unreadable=told.append)] == ["a", "c"]
        assert told == ["session 'b' is damaged"]
        with pytest.raises(CorruptSessionError):
            list(store.search("mug"))


def test_a_history_that_is_cut_while_it_is_searched_is_a_conflict(store: SessionStore) -> None:
    store.add_messages("k", [{"role": "user", "content": "mug"}] * 100)
    matches = store.search("mug")
    next(matches)
    store.truncate_history("k", 5)
    with pytest.raises(VersionConflict, match="was truncated or replaced while it was"):
        list(matches)
