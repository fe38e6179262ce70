"""Two hundred real conversations, written in each format and read again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sessionkit import codec
from sessionkit.transfer.formats import FORMATS, Losses

from .reading import documents, messages

SOURCE = Path(__file__).parents[4] / "shared" / "data" / "airline-conversations.jsonl"

pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason=f"the conversations are not there: {SOURCE.name}")


@pytest.fixture(scope="module")
def conversations() -> dict[str, list[dict[str, Any]]]:
    return {document.key: messages(document) for document in documents(SOURCE)}


def _written(name: str, conversations: dict[str, list[dict[str, Any]]], path: Path) -> Losses:
    losses = Losses()
    exported = ({"key": key, "messages": items} for key, items in conversations.items())
    writer = FORMATS[name].writer
    assert writer is not None
    dump = lambda value: codec.encode(value).decode()  # noqa: E731
    path.write_text("".join(writer.write(exported, dump=dump, losses=losses)), "utf-8")
    return losses


def test_chat_messages_come_back_as_they_were(conversations: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    losses = _written("openai", conversations, tmp_path / "train.jsonl")
    assert [messages(document) for document in documents(tmp_path / "train.jsonl")] == [*conversations.values()]
    assert losses.messages == {}


def test_sharegpt_keeps_texts_and_calls(conversations: dict[str, list[dict[str, Any]]], tmp_path: Path) -> None:
    losses = _written("sharegpt", conversations, tmp_path / "train.json")
    read = {document.key: messages(document) for document in documents(tmp_path / "train.json")}
    assert read.keys() == conversations.keys()
    for key, items in conversations.items():
        assert [_essence(message) for message in read[key]] == [_essence(message) for message in items]
        _check_answers(read[key])
    assert losses.messages.keys() == {"name", "tool_call_id", "tool_calls.id"}


def _essence(message: dict[str, Any]) -> tuple[Any, ...]:
    calls = [call["function"] for call in message.get("tool_calls") or []]
    return message["role"], message["content"] or "", [(call["name"], json.loads(call["arguments"])) for call in calls]


def _check_answers(items: list[dict[str, Any]]) -> None:
    asked: list[str] = []
    for message in items:
        if message["role"] == "tool":
            assert message["tool_call_id"] == asked.pop(0)
        asked += [call["id"] for call in message.get("tool_calls", [])]
    assert asked == []
