"""Calls and results in the messages of several providers."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit.calls import Call, Result, calls_in, results_in
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
RESULTS: list[tuple[dict[str, Any], list[str | None]]] = [
    ({"role": "tool", "tool_call_id": "a"}, ["a"]),
    ({"role": "tool"}, [None]),
    ({"type": "function_call_output", "call_id": "a"}, ["a"]),
    ({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a"}]}, ["a"]),
    ({"role": "user", "content": [{"type": "tool_result"}, {"type": "text", "text": "…"}]}, [None]),
    ({"role": "assistant", "content": [{"type": "web_search_tool_result", "tool_use_id": "a"}]}, ["a"]),
    ({"role": "user", "content": [{"toolResult": {"toolUseId": "a"}}, {"toolResult": {}}]}, ["a", None]),
]
NEITHER: list[dict[str, Any]] = [
    {},
    {"role": "user", "content": "tool_result"},
    {"role": "user", "content": [None, "x", {"type": "text", "text": "toolResult"}, {"toolUse": "x"}]},
    {"role": "assistant", "tool_calls": "x", "type": ["function_call"]},
]


@pytest.mark.parametrize(("message", "ids"), CALLS)
def test_calls_are_found(message: dict[str, Any], ids: list[str]) -> None:
    assert [call.id for call in calls_in(Message.from_dict(message))] == ids
    assert results_in(Message.from_dict(message)) == []


@pytest.mark.parametrize(("message", "ids"), RESULTS)
def test_results_are_found(message: dict[str, Any], ids: list[str | None]) -> None:
    assert [result.id for result in results_in(Message.from_dict(message))] == ids
    assert calls_in(Message.from_dict(message)) == []


@pytest.mark.parametrize("message", NEITHER)
def test_nothing_is_found_where_there_is_nothing(message: dict[str, Any]) -> None:
    assert calls_in(Message.from_dict(message)) == []
    assert results_in(Message.from_dict(message)) == []


@pytest.mark.parametrize(
    ("message", "call"),
    [
        (
            {
                "tool_calls": [
                    {"id": "a", "type": "function", "x": 1, "function": {"name": "f", "arguments": "{}", "y": 2}}
                ]
            },
            Call("a", "f", "{}", {"x": 1, "y": 2}),
        ),
        ({"tool_calls": [{"id": "a", "function": "f"}]}, Call("a", "", None, {"function": "f"})),
        ({"type": "function_call", "call_id": "a", "name": "f", "arguments": "{}"}, Call("a", "f", "{}")),
        ({"type": "custom_tool_call", "call_id": "a", "name": "f", "input": "x"}, Call("a", "f", "x")),
        (
            {"content": [{"type": "tool_use", "id": "a", "name": "f", "input": {"b": 1}, "cache_control": {}}]},
            Call("a", "f", {"b": 1}, {"cache_control": {}}),
        ),
        (
            {"content": [{"toolUse": {"toolUseId": "a", "name": "f", "input": {"b": 1}, "x": 1}, "y": 2}]},
            Call("a", "f", {"b": 1}, {"x": 1, "y": 2}),
        ),
    ],
)
def test_a_call_has_its_name_its_arguments_and_what_else_there_is(message: dict[str, Any], call: Call) -> None:
    assert calls_in(Message.from_dict(message)) == [call]


@pytest.mark.parametrize(
    ("message", "result"),
    [
        ({"role": "tool", "tool_call_id": "a", "content": "5"}, Result("a", "5")),
        ({"type": "function_call_output", "call_id": "a", "output": "5"}, Result("a", "5")),
        (
            {"content": [{"type": "tool_result", "tool_use_id": "a", "content": "5", "is_error": True}]},
            Result("a", "5", {"is_error": True}),
        ),
        (
            {"content": [{"toolResult": {"toolUseId": "a", "content": [{"json": 5}], "status": "success"}, "y": 2}]},
            Result("a", [{"json": 5}], {"status": "success", "y": 2}),
        ),
    ],
)
def test_a_result_has_its_content_and_what_else_there_is(message: dict[str, Any], result: Result) -> None:
    assert results_in(Message.from_dict(message)) == [result]
