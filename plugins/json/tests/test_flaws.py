"""What goes wrong in picoclaw and concerns documents; docs/reference/picoclaw-flaws.md lists these."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from sessionkit_json import SessionManager
from sessionkit_json.temporary import PREFIX, SUFFIX

from sessionkit.errors import CorruptSessionError
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

from .conftest import Reopen

KEY = "agent:main"
NAME = "agent_main.json"


def _texts(manager: SessionManager, key: str = KEY) -> list[str]:
    return [message.text for message in manager.get_history(key)]


def _save(manager: SessionManager, key: str, text: str) -> None:
    manager.add_message(key, "user", text)
    manager.save(key)


def test_keys_that_picoclaw_takes_for_one_do_not_mix(manager: SessionManager, reopen: Reopen) -> None:
    keys = ("a:b", "a/b", "a_b", "a\\b")
    for key in keys:
        _save(manager, key, key)
    assert {key: _texts(reopen(), key) for key in keys} == {key: [key] for key in keys}


def test_a_message_of_any_length_is_saved_and_read(manager: SessionManager, reopen: Reopen) -> None:
    text = "x" * (11 * 1024 * 1024)
    _save(manager, KEY, text)
    assert _texts(reopen()) == [text]


@pytest.mark.parametrize("length", [245, 246, 250, 255, 1000])
def test_a_key_too_long_for_a_file_name_has_a_whole_session(
    manager: SessionManager, reopen: Reopen, length: int
) -> None:
    _save(manager, "x" * length, "one")
    manager.set_summary("x" * length, "so far")
    manager.close()
    assert (_texts(reopen(), "x" * length), reopen().get_summary("x" * length)) == (["one"], "so far")


@pytest.mark.parametrize("content", [None, [{"type": "text", "text": "hi"}], "lone \ud800"])
def test_content_that_picoclaw_loses_is_kept(manager: SessionManager, reopen: Reopen, content: object) -> None:
    message = Message.from_dict({"role": "user", "content": content})
    manager.add_full_message(KEY, message)
    manager.save(KEY)
    assert reopen().get_history(KEY) == [message]


@pytest.mark.parametrize(
    "data", [b'{"key": "agent:main", "messages": [null]}', b'{"key": "agent:main", "me', b"", b"\xff"]
)
def test_what_is_no_document_is_neither_an_empty_session_nor_overwritten(
    directory: Path, manager: SessionManager, data: bytes
) -> None:
    (directory / NAME).write_bytes(data)
    with pytest.raises(CorruptSessionError, match=NAME):
        manager.get_history(KEY)
    with pytest.raises(CorruptSessionError):
        _save(manager, KEY, "one")
    manager.discard_unsaved(KEY)
    assert (directory / NAME).read_bytes() == data


def test_the_key_of_a_name_of_metadata_does_not_take_the_place_of_another_file(
    directory: Path, manager: SessionManager, reopen: Reopen
) -> None:
    _save(manager, "bot.meta", "one")
    _save(manager, "bot", "two")
    assert not (directory / "bot.meta.json").exists()
    assert (_texts(reopen(), "bot.meta"), _texts(reopen(), "bot")) == (["one"], ["two"])


def test_temporary_files_of_the_dead_go_when_the_directory_is_opened(directory: Path, manager: SessionManager) -> None:
    left = directory / f"{PREFIX}0123456789abcdef{SUFFIX}"
    left.write_bytes(b"{")
    SessionManager(directory)
    assert not left.exists()


def test_documents_and_directory_are_for_their_owner_alone(directory: Path, manager: SessionManager) -> None:
    mask = os.umask(0)
    try:
        _save(manager, KEY, "one")
    finally:
        os.umask(mask)
    assert [stat.S_IMODE(path.stat().st_mode) for path in (directory / NAME, directory)] == [0o600, 0o700]


def test_a_clock_that_goes_back_makes_no_session_older(manager: SessionManager, reopen: Reopen) -> None:
    future = "2999-01-01T00:00:00.123456789Z"
    manager.sessionkit_update_session(KEY, [], UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, future, None, "")
    _save(manager, KEY, "one")
    manager.truncate_history(KEY, 0)
    manager.save(KEY)
    assert reopen().get_or_create(KEY).updated == future


def test_a_rewriting_keeps_the_fields_that_nobody_knows(directory: Path, manager: SessionManager) -> None:
    message = {"role": "user", "content": "one", "x": {"y": [None, 1e3]}}
    (directory / NAME).write_text(json.dumps({"key": KEY, "messages": [message], "z": [True]}))
    _save(manager, KEY, "two")
    written = json.loads((directory / NAME).read_bytes())
    assert (written["messages"][0], written["z"]) == (message, [True])
