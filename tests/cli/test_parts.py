"""What a message is made of, in the formats of several providers."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit.cli.parts import Part, parts_of
from sessionkit.messages import Message

FORMATS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "chat": (
        {"role": "assistant", "tool_calls": [{"id": "a", "function": {"name": "add", "arguments": '{"n":2}'}}]},
        {"role": "tool", "tool_call_id": "a", "content": "five"},
    ),
    "responses": (
        {"type": "function_call", "call_id": "a", "name": "add", "arguments": '{"n":2}'},
        {"type": "function_call_output", "call_id": "a", "output": "five"},
    ),
    "anthropic": (
        {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "add", "input": {"n": 2}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "five"}]},
    ),
    "bedrock": (
        {"role": "assistant", "content": [{"toolUse": {"toolUseId": "a", "name": "add", "input": {"n": 2}}}]},
        {"role": "user", "content": [{"toolResult": {"toolUseId": "a", "content": [{"text": "five"}]}}]},
    ),
}


def parts(message: dict[str, Any], *kinds: str) -> list[Part]:
    return [part for part in parts_of(Message.from_dict(message)) if part.kind in kinds]


@pytest.mark.parametrize("call", [call for call, _ in FORMATS.values()], ids=FORMATS)
def test_a_call_is_shown_as_one_whoever_made_it(call: dict[str, Any]) -> None:
    [found] = parts(call, "call", "text", "result", "attachment")
    assert (found.kind, found.title, found.note) == ("call", "add", "a")
    assert found.lines() == ["{", '  "n": 2', "}"]


@pytest.mark.parametrize("result", [result for _, result in FORMATS.values()], ids=FORMATS)
def test_a_result_is_shown_as_one_whoever_told_it(result: dict[str, Any]) -> None:
    [found] = parts(result, "call", "text", "result", "attachment")
    assert (found.kind, found.text) == ("result", "five")


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        ({"type": "function_call", "call_id": "a", "name": "f", "status": "done"}, {"type", "status"}),
        ({"content": [{"type": "tool_use", "id": "a", "name": "f", "cache_control": {"x": 1}}]}, {"cache_control"}),
        ({"content": [{"toolResult": {"toolUseId": "a", "status": "error"}, "more": 1}]}, {"status", "more"}),
        ({"arguments": "no call", "output": "no result"}, {"arguments", "output"}),
        ({"tool_calls": [{"function": "no object"}]}, {"function"}),
    ],
)
def test_what_else_stands_in_a_call_or_a_result_is_shown_too(message: dict[str, Any], fields: set[str]) -> None:
    assert {part.title for part in parts(message, "field")} == fields


def test_a_text_beside_a_result_stays_a_text() -> None:
    content = [{"type": "tool_result", "tool_use_id": "a", "content": "5"}, {"type": "text", "text": "and then?"}]
    found = parts({"role": "user", "content": content}, "text", "result")
    assert [(part.kind, part.text) for part in found] == [("result", "5"), ("text", "and then?")]
