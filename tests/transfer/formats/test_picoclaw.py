"""picoclaw's directories of documents. Those of logs are tested with the backend that reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import importlib_metadata
import pytest

from sessionkit.errors import UnknownBackendError
from sessionkit.plugins import discovery
from sessionkit.transfer.formats import read_conversations

from .reading import contents, documents, messages, problems

DOCUMENT: dict[str, Any] = {
    "key": "telegram:42",
    "messages": [
        {"role": "user", "content": "hello"},
        {"role": "assistant", "content": "", "tool_calls": [{"id": "c"}]},
    ],
    "summary": "They met.",
    "created": "2026-01-02T03:04:05.123456789Z",
    "updated": "0001-01-01T00:00:00Z",
}


def _write(directory: Path, name: str, value: Any) -> None:
    (directory / name).write_text(json.dumps(value, indent=2))


def test_a_document_is_read_with_everything(tmp_path: Path) -> None:
    _write(tmp_path, "telegram_42.json", DOCUMENT)
    before = contents(tmp_path)
    (document,) = documents(tmp_path)
    assert (document.key, document.summary) == ("telegram:42", "They met.")
    assert messages(document) == DOCUMENT["messages"]
    assert (document.created, document.updated) == ("2026-01-02T03:04:05.123456789Z", "")
    assert document.unknown_fields == ()
    assert contents(tmp_path) == before


def test_what_the_backend_json_adds_is_read_too(tmp_path: Path) -> None:
    ours = {"metadata": {"a": None}, "aliases": ["ann"], "version": "v", "generation": "g", "digest": "d"}
    _write(tmp_path, "a.json", {**DOCUMENT, "sessionkit": ours, "mood": "good"})
    (document,) = documents(tmp_path)
    assert (document.metadata, document.aliases) == ({"a": None}, ("ann",))
    assert document.unknown_fields == ("mood",)


def test_a_list_that_go_never_made_is_empty_and_a_missing_key_is_the_name(tmp_path: Path) -> None:
    _write(tmp_path, "a.json", DOCUMENT)
    _write(tmp_path, "b.json", {"messages": None})
    _, b = documents(tmp_path)
    assert (b.key, b.messages) == ("b", ())


def test_metadata_of_logs_is_no_document(tmp_path: Path) -> None:
    _write(tmp_path, "a.json", DOCUMENT)
    _write(tmp_path, "b.meta.json", {"key": "b", "messages": []})
    assert [document.key for document in documents(tmp_path, "picoclaw")] == ["telegram:42"]


def test_documents_that_cannot_be_read_are_told_with_their_file(tmp_path: Path) -> None:
    _write(tmp_path, "a.json", DOCUMENT)
    (tmp_path / "torn.json").write_text('{"key": "b", "mess')
    _write(tmp_path, "other.json", {"key": "c"})
    _write(tmp_path, "wrong.json", {"key": "d", "messages": [5]})
    other, torn, wrong = problems(tmp_path)
    assert 'other.json: it has no "messages", so it is no session of picoclaw' in other
    assert "torn.json: it is not JSON" in torn
    assert 'wrong.json: "messages"[0] is a number' in wrong


@pytest.fixture
def _no_backends() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(importlib_metadata, "entry_points", list)
        discovery.refresh()
        yield
    discovery.refresh()


@pytest.mark.usefixtures("_no_backends")
def test_logs_need_the_backend_that_reads_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"role": "user", "content": "hello"}\n')
    with pytest.raises(UnknownBackendError, match="install the package sessionkit-jsonl"):
        list(read_conversations(tmp_path))
