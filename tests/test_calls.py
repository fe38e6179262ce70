"""Calls and results in the messages of several providers."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit.calls import calls_in, results_in
from sessionkit.messages import Message

CALLS: list[tuple[dict[str, Any], list[str]]] = [
    ({"role": "assistant", "tool_calls": [{"id": "a"}, {"id": "b"}]}, ["a", "b"]),
    ({"role": "assistant", "tool_calls": [{"function": {"name": "f"}}]}, [""]),
    ({"type": "function_call", "call_id": "a"}, ["a"]),
    ({"type": "custom_tool_call", "call_id": "a"}, ["a"]),
    ({"role": "assistant", "content": [{"type": "text"}, {"type": "tool_use", "id": "a"}]}, ["a"]),
    ({"role": "assistant", "content": [{"type": "server_tool_use", "id": "a"}]}, ["a"]),
    ({"role": "assistant", "content": [{"toolUse": {"toolUseId": "a"}}]}, ["a"]),
]
RESULTS: list[tuple[dict[str, Any], list[str]]] = [
    ({"role": "tool", "tool_call_id": "a"}, ["a"]),
    ({"role": "tool"}, [""]),
    ({"type": "function_call_output", "call_id": "a"}, ["a"]),
    ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}, ["a"]),
    ({"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "…"}]}, [""]),
    ({"role": "assistant", "content": [{"type": "web_search_tool_result", "tool_use_id": "a"}]}, ["a"]),
    ({"role": "user", "content": [{"toolResult": {"toolUseId": "a"}}, {"toolResult": {}}]}, ["a", ""]),
]
NEITHER: list[dict[str, Any]] = [
    {},
    {"role": "user", "content": "tool_result"},
    {"role": "user", "content": [None, "x", {"type": "text", "text": "toolResult"}, {"toolUse": "x"}]},
    {"role": "assistant", "tool_calls": "x", "type": ["function_call"]},
]


@pytest.mark.parametrize(("message", "ids"), CALLS)
def test_calls_are_found(message: dict[str, Any], ids: list[str]) -> None:
    assert calls_in(Message.from_dict(message)) == ids
    assert results_in(Message.from_dict(message)) == []


@pytest.mark.parametrize(("message", "ids"), RESULTS)
def test_results_are_found(message: dict[str, Any], ids: list[str]) -> None:
    assert results_in(Message.from_dict(message)) == ids
    assert calls_in(Message.from_dict(message)) == []


@pytest.mark.parametrize("message", NEITHER)
def test_nothing_is_found_where_there_is_nothing(message: dict[str, Any]) -> None:
    assert calls_in(Message.from_dict(message)) == results_in(Message.from_dict(message)) == []
