"""What picoclaw's SessionManager does, behaviour by behaviour; docs/reference/session-manager.md lists these."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sessionkit_json import SessionManager, document

from sessionkit.messages import Message

from .conftest import Reopen

KEY = "agent:main"
NAME = "agent_main.json"


def _texts(manager: SessionManager, key: str = KEY) -> list[str]:
    return [message.text for message in manager.get_history(key)]


def _files(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_file()) if directory.exists() else []


def test_a_message_to_an_unknown_session_makes_it(manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    assert manager.get_or_create(KEY).count == 1


def test_truncating_an_unknown_session_makes_none(manager: SessionManager) -> None:
    manager.truncate_history(KEY, 2)
    assert manager.sessionkit_list_sessions("", None, 10).sessions == []


def test_saving_an_unknown_session_writes_nothing(directory: Path, manager: SessionManager) -> None:
    manager.save(KEY)
    assert _files(directory) == []


def test_what_the_caller_does_to_its_objects_changes_no_session(manager: SessionManager) -> None:
    given: dict[str, Any] = {"role": "user", "content": "one", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
    messages = [given]
    manager.set_history(KEY, messages)
    given["content"] = "changed"
    given["tool_calls"][0]["function"]["name"] = "changed"
    messages.clear()
    (message,) = manager.get_history(KEY)
    message.to_dict()["tool_calls"][0]["id"] = "changed"
    manager.get_history(KEY).append(Message.simple("user", "two"))
    expected = {"role": "user", "content": "one", "tool_calls": [{"id": "1", "function": {"name": "f"}}]}
    assert [each.to_dict() for each in manager.get_history(KEY)] == [expected]


def test_each_change_is_later_than_the_one_before_and_the_beginning_stays(manager: SessionManager) -> None:
    created, last = manager.get_or_create(KEY).created, ""
    changes: tuple[Callable[[], object], ...] = (
        lambda: manager.add_message(KEY, "user", "one"),
        lambda: manager.set_summary(KEY, "so far"),
        lambda: manager.set_history(KEY, [Message.simple("user", "two")]),
        lambda: manager.truncate_history(KEY, 0),
    )
    for change in changes:
        change()
        session = manager.get_or_create(KEY)
        assert session.updated >= last
        assert session.created == created
        last = session.updated
    assert last > created


def test_a_manager_opened_anew_has_every_session_that_was_saved(manager: SessionManager, reopen: Reopen) -> None:
    for key in ("a", "b:c"):
        manager.add_message(key, "user", key)
        manager.set_summary(key, f"about {key}")
        manager.save(key)
    again = reopen()
    assert [(_texts(again, key), again.get_summary(key)) for key in ("a", "b:c")] == [
        (["a"], "about a"),
        (["b:c"], "about b:c"),
    ]


def test_documents_are_read_when_their_session_is_asked_for(
    directory: Path, manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in ("a", "b", "c"):
        manager.add_message(key, "user", key)
    manager.close()
    read: list[str] = []
    original = document.decode

    def noting(data: bytes, *, named: str = "") -> Any:
        read.append(json.loads(data)["key"])
        return original(data, named=named)

    monkeypatch.setattr(document, "decode", noting)
    again = reopen()
    assert read == []
    assert _texts(again, "b") == ["b"]
    assert read == ["b"]


@pytest.mark.parametrize("key", ["..", ".", "../up", "/etc/passwd", "a/../../b", "..\\up", "a\nb", "~", "x" * 1000])
def test_no_key_leads_out_of_the_directory(tmp_path: Path, directory: Path, manager: SessionManager, key: str) -> None:
    manager.add_message(key, "user", "one")
    manager.save(key)
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]
    (name,) = _files(directory)
    assert (directory / name).resolve().parent == directory.resolve()
    assert _texts(SessionManager(directory), key) == ["one"]
