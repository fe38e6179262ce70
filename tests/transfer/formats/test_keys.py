"""Which key a conversation gets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sessionkit.transfer.formats import Source, read_source

from .reading import documents, problems

HELLO = [{"role": "user", "content": "hello"}]


@pytest.fixture
def train(tmp_path: Path) -> Path:
    path = tmp_path / "train.jsonl"
    path.write_text((json.dumps({"messages": HELLO}) + "\n") * 3)
    return path


@pytest.fixture
def chat(tmp_path: Path) -> Path:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps(HELLO))
    return path


def _keys(path: Path, key: str | None = None, prefix: str = "") -> list[str]:
    return [document.key for document in documents(path, key=key, prefix=prefix)]


def test_a_conversation_without_a_name_is_called_after_its_file(chat: Path) -> None:
    assert _keys(chat) == ["chat"]


def test_several_are_numbered(train: Path) -> None:
    assert _keys(train) == ["train:1", "train:2", "train:3"]


def test_one_that_cannot_be_read_keeps_its_number(train: Path) -> None:
    train.write_text(train.read_text() + "{\n" + json.dumps({"messages": HELLO}))
    with Source.opened(train) as source:
        keys = [getattr(read, "document", None) and read.document.key for read in read_source(source)]  # type: ignore[union-attr]
    assert keys == ["train:1", "train:2", "train:3", None, "train:5"]


def test_a_key_can_be_said(chat: Path) -> None:
    assert _keys(chat, key="support:7") == ["support:7"]


def test_a_prefix_stands_before_every_key(chat: Path, train: Path) -> None:
    assert _keys(train, prefix="old:") == ["old:train:1", "old:train:2", "old:train:3"]
    assert _keys(chat, key="7", prefix="support:") == ["support:7"]


def test_one_key_is_not_for_several_conversations(train: Path) -> None:
    first, second = problems(train, key="support:7")
    assert "line 2: session 'train:2': 'support:7' is the key of one conversation" in first
    assert "line 3" in second


def test_a_key_that_is_none_is_told(chat: Path) -> None:
    (problem,) = problems(chat, key="a\0b")
    assert "NUL" in problem


def test_a_stream_has_no_name_to_give() -> None:
    (read,) = read_source(Source("standard input", [json.dumps(HELLO).encode()]))
    assert str(read) == (
        "standard input, line 1: neither the conversation nor its source has a name: say a key (--key)"
    )
    lines = [json.dumps({"messages": HELLO}).encode()] * 2
    assert [
        str(read) for read in read_source(Source("standard input", lines), prefix="x:") if not hasattr(read, "document")
    ] == []
