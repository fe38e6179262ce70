"""``sessionkit fork``, ``truncate``, ``summary`` and ``compact``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run

CALL = {"role": "assistant", "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}]}
HISTORY: list[dict[str, Any]] = [
    {"role": "user", "content": "one"},
    {"role": "user", "content": "two"},
    CALL,
    {"role": "tool", "tool_call_id": "c", "content": "result"},
    {"role": "assistant", "content": "three"},
]


@pytest.fixture(autouse=True)
def _session(store: SessionStore) -> None:
    store.update_session("a:1", messages=HISTORY, summary="Before.\x1b[2J", aliases=["nick"])


def texts(store: SessionStore, key: str) -> list[str]:
    return [message.text for message in store.get_history(key)]


def test_a_fork_is_a_session_of_its_own(run: Run, store: SessionStore) -> None:
    assert run("fork", "a:1", "a:2", "--store", URL).stdout == "Forked a:1 to a:2 (5 messages).\n"
    assert texts(store, "a:2") == texts(store, "a:1")


def test_a_fork_may_be_of_the_beginning_alone_and_by_alias(run: Run, store: SessionStore) -> None:
    result = run("fork", "nick", "a:2", "--keep-first", "1", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"key": "a:1", "new_key": "a:2", "count": 1}
    assert texts(store, "a:2") == ["one"]


def test_a_fork_overwrites_nothing(run: Run, store: SessionStore) -> None:
    store.add_message("a:2", "user", "mine")
    assert "exists already" in run("fork", "a:1", "a:2", "--store", URL, status=1).stderr
    assert texts(store, "a:2") == ["mine"]


def test_truncating_keeps_the_last_messages(run: Run, store: SessionStore) -> None:
    assert run("truncate", "nick", "--keep", "1", "--store", URL).stdout == "a:1: removed 4 messages, kept 1.\n"
    assert texts(store, "a:1") == ["three"]


def test_truncating_may_keep_turns_whole_and_set_the_summary(run: Run, store: SessionStore) -> None:
    result = run("truncate", "a:1", "--keep", "1", "--whole-turns", "--summary", "S.", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"key": "a:1", "removed": 1, "kept": 4}
    assert store.get_summary("a:1") == "S."


def test_truncating_needs_a_number(run: Run, store: SessionStore) -> None:
    run("truncate", "a:1", "--store", URL, status=2)
    assert len(texts(store, "a:1")) == 5


def test_a_summary_is_shown_without_its_escapes(run: Run) -> None:
    assert run("summary", "get", "nick", "--store", URL).stdout == "Before.\\x1b[2J\n"
    result = run("summary", "get", "a:1", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"key": "a:1", "summary": "Before.\x1b[2J"}
    assert "\x1b" not in result.stdout


def test_a_missing_summary_is_told_on_stderr(run: Run, store: SessionStore) -> None:
    store.set_summary("a:1", "")
    result = run("summary", "get", "a:1", "--store", URL)
    assert (result.stdout, result.stderr) == ("", "a:1 has no summary.\n")


def test_a_summary_is_set_from_an_argument(run: Run, store: SessionStore) -> None:
    assert run("summary", "set", "nick", "After.", "--store", URL).stdout == "a:1: the summary is set.\n"
    assert store.get_summary("a:1") == "After."
    assert run("summary", "set", "a:1", "", "--store", URL).stdout == "a:1: the summary is removed.\n"
    assert store.get_summary("a:1") == ""


def test_a_summary_is_set_from_standard_input(run: Run, store: SessionStore) -> None:
    result = run("summary", "set", "a:1", "-", "--json", "--store", URL, stdin="Ünder\nway.\n".encode())
    assert json.loads(result.stdout)["summary"] == store.get_summary("a:1") == "Ünder\nway."
    run("summary", "set", "a:1", "-", "--store", URL, stdin=b"\xff", status=2)


@pytest.mark.parametrize("command", [("fork", "z", "y"), ("truncate", "z", "--keep", "1"), ("summary", "set", "z", "")])
def test_a_session_that_is_not_there_is_told(run: Run, store: SessionStore, command: tuple[str, ...]) -> None:
    assert "no session has the key or alias 'z'" in run(*command, "--store", URL, status=1).stderr
    assert [info.key for info in store.list_sessions()] == ["a:1"]


def test_compacting_tells_what_was_won(run: Run, store: SessionStore) -> None:
    store.add_message("a:2", "user", "hello")
    assert run("compact", "--store", URL).stdout == "Compacted 2 sessions: 0 sessions smaller, 0 bytes won.\n"
    result = run("compact", "nick", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"sessions": 1, "smaller": 0, "bytes_won": 0}
