"""Which file is a session's."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path

import pytest
from sessionkit_json import SessionManager

from sessionkit.errors import CorruptSessionError
from sessionkit.filenames import hashed_name, plain_name

from .conftest import Reopen


def _texts(manager: SessionManager, key: str) -> list[str]:
    return [message.text for message in manager.get_history(key)]


def _save(manager: SessionManager, key: str) -> None:
    manager.add_message(key, "user", key)
    manager.save(key)


def _documents(directory: Path) -> list[str]:
    return sorted(name for name in os.listdir(directory) if name.endswith(".json"))


def _write(directory: Path, name: str, key: str, text: str = "") -> None:
    directory.mkdir(exist_ok=True)
    content = {"key": key, "messages": [{"role": "user", "content": text or key}]}
    (directory / name).write_text(json.dumps(content))


def test_the_first_key_of_a_plain_name_takes_it_and_the_others_their_hashed_names(
    directory: Path, manager: SessionManager, reopen: Reopen
) -> None:
    for key in ("a:b", "a/b", "a_b", "a\\b"):
        _save(manager, key)
    hashed = [f"{hashed_name(key)}.json" for key in ("a/b", "a_b", "a\\b")]
    assert _documents(directory) == sorted(["a_b.json", *hashed])
    assert [_texts(reopen(), key) for key in ("a:b", "a/b", "a_b", "a\\b")] == [["a:b"], ["a/b"], ["a_b"], ["a\\b"]]


def test_a_session_keeps_its_hashed_name_when_the_plain_name_gets_free(
    directory: Path, manager: SessionManager, reopen: Reopen
) -> None:
    _save(manager, "a:b")
    _save(manager, "a/b")
    manager.sessionkit_delete_session("a:b", None)
    other = reopen()
    other.add_message("a/b", "user", "more")
    other.save("a/b")
    assert _documents(directory) == [f"{hashed_name('a/b')}.json"]
    assert _texts(reopen(), "a/b") == ["a/b", "more"]


def test_two_sessions_begun_at_once_do_not_take_one_name(manager: SessionManager, reopen: Reopen) -> None:
    other = reopen()
    manager.add_message("a:b", "user", "ours")
    other.add_message("a/b", "user", "theirs")
    manager.save("a:b")
    other.save("a/b")
    assert (_texts(reopen(), "a:b"), _texts(reopen(), "a/b")) == (["ours"], ["theirs"])


@pytest.mark.parametrize("key", [".", "..", "bot.meta", "x" * 300, "a\nb", "dot.", hashed_name("a:b")])
def test_a_name_that_is_none_to_give_is_hashed(
    directory: Path, manager: SessionManager, reopen: Reopen, key: str
) -> None:
    _save(manager, key)
    assert _documents(directory) == [f"{hashed_name(key)}.json"]
    assert _texts(reopen(), key) == [key]


@pytest.mark.parametrize("key", ["bot.meta", "..", "a\nb", "dot.", "x" * 250])
def test_a_document_that_picoclaw_gave_such_a_name_stays_where_it_is(directory: Path, reopen: Reopen, key: str) -> None:
    _write(directory, f"{plain_name(key)}.json", key, "old")
    manager = reopen()
    assert _texts(manager, key) == ["old"]
    manager.add_message(key, "user", "new")
    manager.save(key)
    assert _documents(directory) == [f"{key}.json"]
    assert _texts(reopen(), key) == ["old", "new"]


def test_the_metadata_of_a_jsonl_session_is_no_session_and_is_left_alone(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    meta = '{"key": "x", "summary": "", "skip": 0, "count": 2}'
    (directory / "x.meta.json").write_text(meta)
    manager = reopen()
    assert _texts(manager, "x.meta") == []
    _save(manager, "x.meta")
    _save(manager, "x")
    assert (directory / "x.meta.json").read_text() == meta
    assert [info.key for info in reopen().sessionkit_list_sessions("", None, 9).sessions] == ["x", "x.meta"]


@pytest.mark.parametrize("content", ["{}", '{"key": "", "messages": []}', "[1]"])
def test_another_programs_json_file_is_left_alone(directory: Path, reopen: Reopen, content: str) -> None:
    directory.mkdir()
    (directory / "package.json").write_text(content)
    manager = reopen()
    _save(manager, "package")
    assert (directory / "package.json").read_text() == content
    assert _texts(reopen(), "package") == ["package"]


def test_what_is_no_file_is_left_alone(directory: Path, reopen: Reopen) -> None:
    (directory / "folder.json").mkdir(parents=True)
    os.mkfifo(directory / "pipe.json")
    (directory / "link.json").symlink_to("nowhere")
    manager = reopen()
    for key in ("folder", "pipe", "link"):
        assert _texts(manager, key) == []
        _save(manager, key)
    assert [info.key for info in reopen().sessionkit_list_sessions("", None, 9).sessions] == ["folder", "link", "pipe"]
    assert (directory / "folder.json").is_dir()
    assert (directory / "link.json").is_symlink()


def test_migrated_documents_are_ignored(directory: Path, reopen: Reopen) -> None:
    _write(directory, "old.json.migrated", "old")
    assert _texts(reopen(), "old") == []
    assert reopen().sessionkit_list_sessions("", None, 9).sessions == []


def test_a_copy_under_another_name_is_no_second_session(
    directory: Path, manager: SessionManager, reopen: Reopen, caplog: pytest.LogCaptureFixture
) -> None:
    _save(manager, "a:b")
    (directory / "a_b (copy).json").write_bytes((directory / "a_b.json").read_bytes())
    with caplog.at_level(logging.WARNING, "sessionkit_json"):
        listed = reopen().sessionkit_list_sessions("", None, 9).sessions
    assert [info.key for info in listed] == ["a:b"]
    assert "a_b (copy).json" in caplog.text


def test_of_two_documents_of_one_session_the_hashed_one_counts_and_deletion_removes_both(
    directory: Path, reopen: Reopen
) -> None:
    _write(directory, "a_b.json", "a/b", "plain")
    _write(directory, f"{hashed_name('a/b')}.json", "a/b", "hashed")
    manager = reopen()
    listed = manager.sessionkit_list_sessions("", None, 9).sessions
    assert [info.version for info in listed] == [manager.sessionkit_get_session("a/b", 0).version]
    assert _texts(manager, "a/b") == ["hashed"]
    assert manager.sessionkit_delete_session("a/b", None)
    assert _documents(directory) == []
    assert _texts(manager, "a/b") == []


def test_a_hashed_name_with_another_sessions_document_is_not_overwritten(directory: Path, reopen: Reopen) -> None:
    name = f"{hashed_name('a/b')}.json"
    _write(directory, "a_b.json", "a:b")
    _write(directory, name, "somebody")
    manager = reopen()
    manager.add_message("a/b", "user", "x")
    with pytest.raises(CorruptSessionError, match="move it away"):
        manager.save("a/b")
    assert json.loads((directory / name).read_bytes())["key"] == "somebody"


def test_on_a_file_system_that_ignores_case_the_second_key_takes_its_hashed_name(
    directory: Path, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    _write(directory, "a_b.json", "a_b")
    (directory / "A_B.json").hardlink_to(directory / "a_b.json")  # what such a file system shows
    manager = reopen()
    assert _texts(manager, "A_B") == []
    _save(manager, "A_B")
    assert _texts(reopen(), "a_b") == ["a_b"]
    assert f"{hashed_name('A_B')}.json" in _documents(directory)
