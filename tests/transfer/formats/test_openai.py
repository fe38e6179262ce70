"""Chat messages without a session around them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessionkit import codec
from sessionkit.transfer.formats import FORMATS, Losses, Source, read_source

from .reading import documents, messages, problems

TEXT = st.text(max_size=5)
CALL = st.fixed_dictionaries(
    {"id": TEXT, "type": st.just("function"), "function": st.fixed_dictionaries({"name": TEXT, "arguments": TEXT})}
)
MESSAGE = st.fixed_dictionaries(
    {"role": st.sampled_from(["user", "assistant", "tool", "system"])},
    optional={
        "content": st.none()
        | TEXT
        | st.lists(st.fixed_dictionaries({"type": st.just("text"), "text": TEXT}), max_size=2),
        "name": TEXT,
        "tool_calls": st.lists(CALL, max_size=2),
        "tool_call_id": TEXT,
        "refusal": st.none() | TEXT,
    },
)


def _written(conversations: list[list[dict[str, Any]]], *, alone: bool = False) -> tuple[list[bytes], Losses]:
    writer = FORMATS["openai"].writer
    assert writer is not None
    losses = Losses()
    exported = [{"key": f"k{number}", "messages": items} for number, items in enumerate(conversations)]
    text = writer.write(exported, dump=lambda value: codec.encode(value).decode(), losses=losses, alone=alone)
    return "".join(text).encode().splitlines(keepends=True), losses


def _read_back(lines: list[bytes]) -> list[list[dict[str, Any]]]:
    source = Source("written", lines)
    return [messages(read.document) for read in FORMATS["openai"].read(source)]  # type: ignore[union-attr]


@settings(max_examples=30)
@given(st.lists(st.lists(MESSAGE, max_size=3), max_size=3))
def test_what_is_written_is_read_again(conversations: list[list[dict[str, Any]]]) -> None:
    lines, losses = _written(conversations)
    assert _read_back(lines) == conversations
    assert losses.messages == {}
    assert losses.sessions == ({"key": len(conversations)} if conversations else {})


@settings(max_examples=30)
@given(st.lists(MESSAGE, min_size=1, max_size=3))
def test_a_single_session_is_the_array_of_its_messages(items: list[dict[str, Any]]) -> None:
    lines, _ = _written([items], alone=True)
    assert json.loads(b"".join(lines)) == items
    assert _read_back(lines) == [items]


def test_fields_that_the_api_refuses_are_left_out_and_counted() -> None:
    call = {
        "id": "c",
        "type": "function",
        "function": {"name": "f", "arguments": "{}", "thought_signature": "s"},
        "extra_content": {},
    }
    lines, losses = _written(
        [[{"role": "assistant", "content": None, "tool_calls": [call] * 2, "created_at": "t"}] * 2]
    )
    kept = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
    assert _read_back(lines) == [[{"role": "assistant", "content": None, "tool_calls": [kept] * 2}] * 2]
    assert losses.messages == {
        "created_at": 2,
        "tool_calls.extra_content": 2,
        "tool_calls.function.thought_signature": 2,
    }


def test_a_custom_call_and_strange_calls_are_kept_as_they_are() -> None:
    message = {
        "role": "assistant",
        "tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "f", "input": ""}}, 5],
    }
    lines, losses = _written([[message]])
    assert _read_back(lines) == [[message]]
    assert losses.messages == {}


@pytest.mark.parametrize(
    "text",
    [
        '[{"role": "user", "content": "a"},\n {"role": "assistant"}]',
        '{"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]}',
        '{"messages":\n[{"role": "user", "content": "a"}, {"role": "assistant"}]}',
        '[{"messages": [{"role": "user", "content": "a"}, {"role": "assistant"}]}]',
    ],
)
def test_every_layout_of_one_conversation_is_read(tmp_path: Path, text: str) -> None:
    (tmp_path / "chat.json").write_text(text)
    (document,) = documents(tmp_path / "chat.json")
    assert document.key == "chat"
    assert messages(document) == [{"role": "user", "content": "a"}, {"role": "assistant"}]


def test_every_line_may_be_an_array_of_messages(tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text('[{"role": "user"}, {"role": "tool"}]\n[{"role": "system"}]\n')
    first, second = documents(tmp_path / "chat.jsonl")
    assert [message.role for message in first.messages] == ["user", "tool"]
    assert [message.role for message in second.messages] == ["system"]
    assert (first.key, second.key) == ("chat:1", "chat:2")


def test_a_conversation_with_a_key_among_others_keeps_it(tmp_path: Path) -> None:
    (tmp_path / "chat.jsonl").write_text('{"messages": []}\n{"id": "own", "messages": []}\n')
    assert [document.key for document in documents(tmp_path / "chat.jsonl")] == ["chat:1", "own"]


def test_fields_beside_the_messages_are_told(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('{"model": "m", "messages": [], "tools": []}')
    (document,) = documents(tmp_path / "chat.json")
    assert document.unknown_fields == ("model", "tools")


def test_half_a_conversation_is_not_imported(tmp_path: Path) -> None:
    (tmp_path / "chat.json").write_text('[{"role": "user", "content": "a"},\n{"role": "assist')
    (problem,) = problems(tmp_path / "chat.json")
    assert "chat.json, line 2, item 2: the array has no end" in problem


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"role": "user"}', "no conversation; expected"),
        ('{"messages": 5}', '"messages" is a number'),
        ('{"messages": [5]}', '"messages"[0] is a number'),
        ("{", "the line is not JSON"),
    ],
)
def test_a_line_that_is_none_is_told_with_its_place(tmp_path: Path, line: str, reason: str) -> None:
    (tmp_path / "chat.jsonl").write_text('{"messages": []}\n' + line + "\n")
    (problem,) = problems(tmp_path / "chat.jsonl")
    assert f"chat.jsonl, line 2: {reason}" in problem


def test_messages_are_read_one_conversation_at_a_time() -> None:
    taken: list[bytes] = []

    def lines() -> Any:
        while True:
            taken.append(b'{"messages": []}\n')
            yield taken[-1]

    read = read_source(Source("endless", lines()), prefix="x")
    for _ in range(5):
        next(read)
    assert len(taken) <= 6
