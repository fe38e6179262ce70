"""nanobot's session files, in the layout that it writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sessionkit.sessions import check_time
from sessionkit.transfer import Placed, Unreadable
from sessionkit.transfer.formats import read_conversations

from .reading import contents, documents, messages, problems

HEADER: dict[str, Any] = {
    "_type": "metadata",
    "key": "telegram:42",
    "created_at": "2026-01-02T03:04:05.678901",
    "updated_at": "2026-01-02T03:04:06+02:00",
    "metadata": {"title": "Cats", "_last_summary": {"text": "They spoke of cats.", "last_active": "2026"}},
    "last_archived": 1,
    "last_consolidated": 1,
}
MESSAGES = [
    {"role": "user", "content": "hello", "timestamp": "2026-01-02T03:04:05.678901", "media": ["a.png"]},
    {"role": "assistant", "content": "", "timestamp": "t", "tool_calls": [{"id": "c"}], "_hidden_history": True},
]


def _write(path: Path, *records: Any) -> Path:
    path.write_text("".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records))
    return path


def test_a_session_is_read_with_everything(tmp_path: Path) -> None:
    (document,) = documents(_write(tmp_path / "file.jsonl", HEADER, *MESSAGES))
    assert document.key == "telegram:42"
    assert messages(document) == MESSAGES
    assert document.summary == "They spoke of cats."
    assert document.metadata == {**HEADER["metadata"], "last_archived": 1}
    assert document.unknown_fields == ()


def test_times_get_a_zone(tmp_path: Path) -> None:
    (document,) = documents(_write(tmp_path / "file.jsonl", HEADER))
    assert document.created.startswith("2026-01-02T03:04:05.678901")
    check_time(document.created, "created")
    assert document.updated == "2026-01-02T03:04:06+02:00"


def test_what_a_session_cannot_hold_is_told(tmp_path: Path) -> None:
    header = {**HEADER, "created_at": "yesterday", "mood": "good", "metadata": {"last_archived": "mine"}}
    private = {"_type": "provider_state", "state": {}}
    path = _write(tmp_path / "file.jsonl", header, private, *MESSAGES)
    _write(tmp_path / "file.checkpoint.json", {})
    (document,) = documents(path)
    assert sorted(document.unknown_fields) == [
        "created_at",
        "last_archived",
        "mood",
        "provider_state",
        "runtime_checkpoint",
    ]
    assert len(document.messages) == 2


def test_a_directory_is_read_file_by_file(tmp_path: Path) -> None:
    _write(tmp_path / "a.jsonl", HEADER, *MESSAGES)
    _write(tmp_path / "b.jsonl", {**HEADER, "key": "cli:direct"})
    _write(tmp_path / "b.checkpoint.json", {})
    before = contents(tmp_path)
    assert [document.key for document in documents(tmp_path)] == ["telegram:42", "cli:direct"]
    assert contents(tmp_path) == before


@pytest.mark.parametrize(("stem", "key"), [("dGVsZWdyYW06NDI", "telegram:42"), ("telegram_42", "telegram_42")])
def test_without_a_key_the_name_of_the_file_tells_it(tmp_path: Path, stem: str, key: str) -> None:
    (document,) = documents(_write(tmp_path / f"{stem}.jsonl", {"_type": "metadata"}, *MESSAGES))
    assert document.key == key


def test_damaged_lines_are_passed_over_as_nanobot_does_and_told(tmp_path: Path) -> None:
    path = _write(tmp_path / "file.jsonl", HEADER, MESSAGES[0])
    path.write_bytes(path.read_bytes() + b'\n{"role": "us\n5\n{"role": "user", "content": "\xff"}\n')
    (placed,) = read_conversations(path)
    assert isinstance(placed, Placed)
    assert messages(placed.document) == MESSAGES[:1]
    torn, number, bytes_ = placed.damage
    assert torn.startswith("line 4 is not JSON")
    assert number == "line 5 is no JSON object"
    assert bytes_.startswith("line 6 is not JSON")


def test_a_file_without_any_record_is_told(tmp_path: Path) -> None:
    (tmp_path / "file.jsonl").write_text("torn\n")
    assert "no line of it is a record of nanobot" in problems(tmp_path / "file.jsonl", "nanobot")[0]


def test_a_file_that_cannot_be_opened_is_told_and_the_others_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(tmp_path / "a.jsonl", HEADER)
    _write(tmp_path / "b.jsonl", {**HEADER, "key": "b"})
    opened = Path.open

    def refuse(path: Path, *arguments: Any) -> Any:
        if path.name == "a.jsonl":
            raise PermissionError(13, "Permission denied", str(path))
        return opened(path, *arguments)

    monkeypatch.setattr(Path, "open", refuse)
    refused, read = read_conversations(tmp_path, "nanobot")
    assert isinstance(refused, Unreadable)
    assert "Permission denied" in refused.reason
    assert isinstance(read, Placed)
    assert read.document.key == "b"
