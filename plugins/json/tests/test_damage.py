"""Documents that cannot be read: an error to who asks, and nothing that overwrites them."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sessionkit_json import SessionManager

from sessionkit.errors import CorruptSessionError

from .conftest import Reopen

KEY = "cli:direct"
NAME = "cli_direct.json"

DAMAGE = [b"", b"\0\0\0\0", b'{"key": "cli:direct", "messages": [{"role": "us', b'{"key": "cli:direct", "messages": 5}']


@pytest.fixture(params=DAMAGE, ids=["empty", "zeros", "torn", "wrong type"])
def damage(request: pytest.FixtureRequest, directory: Path) -> bytes:
    data: bytes = request.param
    directory.mkdir()
    (directory / NAME).write_bytes(data)
    return data


def test_reading_names_the_file_and_what_to_do(directory: Path, damage: bytes, reopen: Reopen) -> None:
    with pytest.raises(CorruptSessionError, match=r"repair it or move it away") as caught:
        reopen().get_history(KEY)
    assert str(directory / NAME) in str(caught.value)


WRITES: dict[str, Callable[[SessionManager], object]] = {
    "add": lambda manager: manager.add_message(KEY, "user", "x"),
    "summary": lambda manager: manager.set_summary(KEY, "x"),
    "history": lambda manager: manager.set_history(KEY, []),
    "truncate": lambda manager: manager.truncate_history(KEY, 0),
    "delete": lambda manager: manager.sessionkit_delete_session(KEY, None),
}


@pytest.mark.parametrize("write", WRITES)
@pytest.mark.parametrize("autosave", [False, True])
def test_nothing_overwrites_it(directory: Path, damage: bytes, autosave: bool, write: str) -> None:
    manager = SessionManager(directory, autosave=autosave)
    with pytest.raises(CorruptSessionError):
        WRITES[write](manager)
    manager.close()
    assert (directory / NAME).read_bytes() == damage


def test_a_listing_tells_it_and_goes_on(
    directory: Path, damage: bytes, reopen: Reopen, caplog: pytest.LogCaptureFixture
) -> None:
    manager = reopen()
    manager.add_message("other", "user", "x")
    manager.save("other")
    with caplog.at_level(logging.WARNING, "sessionkit_json"):
        for _ in range(2):
            assert [info.key for info in manager.sessionkit_list_sessions("", None, 9).sessions] == ["other"]
    assert caplog.text.count(NAME) == 1


def test_a_session_whose_document_is_damaged_later_is_not_shown_from_memory(
    directory: Path, manager: SessionManager
) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    (directory / NAME).write_bytes(b"{")
    with pytest.raises(CorruptSessionError):
        manager.get_history(KEY)


def test_what_is_unsaved_is_not_written_over_damage_and_stays(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    manager.add_message(KEY, "user", "two")
    (directory / NAME).write_bytes(b"{")
    with pytest.raises(CorruptSessionError):
        manager.save(KEY)
    assert (directory / NAME).read_bytes() == b"{"
    assert [message.text for message in manager.get_history(KEY)] == ["one", "two"]


def test_a_repaired_document_is_read_again(directory: Path, manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    good = (directory / NAME).read_bytes()
    (directory / NAME).write_bytes(b"{")
    os.utime(directory, (1, 1))  # long ago, so that listings need not look through it again
    other = reopen()
    assert other.sessionkit_list_sessions("", None, 9).sessions == []
    (directory / NAME).write_bytes(good)
    assert [info.key for info in other.sessionkit_list_sessions("", None, 9).sessions] == [KEY]
    assert [message.text for message in other.get_history(KEY)] == ["one"]


def test_the_error_does_not_quote_the_document(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    (directory / NAME).write_bytes(b'{"key": "cli:direct", "messages": ["my password"]}')
    with pytest.raises(CorruptSessionError) as caught:
        reopen().get_history(KEY)
    assert "password" not in f"{caught.value} {caught.value.__cause__}"
