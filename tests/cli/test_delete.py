"""``sessionkit delete``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run


@pytest.fixture(autouse=True)
def _sessions(store: SessionStore) -> None:
    for key in ("a:1", "a:2", "b:1"):
        store.add_messages(key, [{"role": "user", "content": "hello"}] * 2)


def keys(store: SessionStore) -> list[str]:
    return [info.key for info in store.list_sessions()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command believe that somebody can be asked."""

    monkeypatch.setattr("click.testing._NamedTextIOWrapper.isatty", lambda self: True, raising=False)


def test_without_a_terminal_and_without_yes_nothing_is_deleted(run: Run, store: SessionStore) -> None:
    result = run("delete", "a:1", "--store", URL, stdin="y\n", status=2)
    assert "give --yes to delete without asking" in result.stderr
    assert keys(store) == ["a:1", "a:2", "b:1"]


@pytest.mark.usefixtures("terminal")
def test_what_is_to_go_is_shown_and_asked_about(run: Run, store: SessionStore) -> None:
    result = run("delete", "a:1", "a:2", "--store", URL, stdin="y\n")
    assert result.stderr.splitlines() == [
        "  a:1 (2 messages)",
        "  a:2 (2 messages)",
        "Delete 2 sessions? [y/N]: y",
    ]
    assert result.stdout == "Deleted 2 sessions.\n"
    assert keys(store) == ["b:1"]


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", ["\n", ""])
def test_a_no_and_no_answer_delete_nothing(run: Run, store: SessionStore, answer: str) -> None:
    assert "Aborted" in run("delete", "--prefix", "a:", "--store", URL, stdin=answer, status=1).stderr
    assert keys(store) == ["a:1", "a:2", "b:1"]


@pytest.mark.usefixtures("terminal")
def test_what_was_changed_since_it_was_shown_stays(
    run: Run, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("click.confirm", lambda *arguments, **named: store.add_message("a:1", "user", "more"))
    result = run("delete", "--prefix", "a:", "--store", URL, status=1)
    assert result.stdout == "Deleted 1 session.\n"
    assert "session 'a:1' was changed since it was shown, and is not deleted" in result.stderr
    assert keys(store) == ["a:1", "b:1"]


def test_a_prefix_chooses_sessions(run: Run, store: SessionStore) -> None:
    result = run("delete", "--prefix", "a:", "--yes", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"deleted": ["a:1", "a:2"], "missing": [], "changed": []}
    assert keys(store) == ["b:1"]


def test_a_key_that_is_not_there_is_told_and_hinders_no_other(run: Run, store: SessionStore) -> None:
    result = run("delete", "z\x07", "a:1", "--yes", "--store", URL, status=1)
    assert result.stdout == "Deleted 1 session.\n"
    assert result.stderr == "Error: no session has the key 'z\\x07'\n"
    assert keys(store) == ["a:2", "b:1"]


def test_a_session_that_cannot_be_read_can_be_deleted(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt:1", "user", "hello")
    run("delete", "corrupt:1", "--yes", "--store", URL)
    assert keys(store) == ["a:1", "a:2", "b:1"]


@pytest.mark.parametrize("arguments", [[], ["--prefix", ""], ["a:1", "--prefix", "a:"]])
def test_what_is_meant_must_be_said_once(run: Run, store: SessionStore, arguments: list[Any]) -> None:
    run("delete", *arguments, "--yes", "--store", URL, status=2)
    assert keys(store) == ["a:1", "a:2", "b:1"]


def test_what_a_listing_leaves_out_is_told(run: Run, store: SessionStore) -> None:
    store.add_message("unlisted", "user", "hello")
    for command in (["delete", "--yes", "--prefix", "u"], ["compact"]):
        result = run(*command, "--store", URL, status=1)
        assert result.stderr == "Error: the document of unlisted is damaged\n"
