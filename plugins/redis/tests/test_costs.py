"""What an operation costs is what the documentation says, counted at the server."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from redis.connection import AbstractConnection

from sessionkit import SessionStore, open_store

PAGE = Path(__file__).parents[3] / "docs/explanation/redis-format.md"
KEY = "k"


def _messages(count: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": str(number)} for number in range(count)]


OPERATIONS: dict[str, Callable[[SessionStore], object]] = {
    "append one message": lambda store: store.add_message(KEY, "user", "x"),
    "append up to 1,000 messages": lambda store: store.add_messages(KEY, _messages(1000)),
    "first append of a session": lambda store: store.add_message("new", "user", "x"),
    "read the last messages": lambda store: store.get_history(KEY, 20),
    "read a session with its last messages": lambda store: store.get_session(KEY, 20),
    "read a summary": lambda store: store.get_summary(KEY),
    "read 100 messages": lambda store: store.get_history("short", 500),
    "read 1,200 messages": lambda store: store.get_history(KEY),
    "truncate": lambda store: store.truncate_history(KEY, 10),
    "set the summary": lambda store: store.set_summary(KEY, "s"),
    "replace 100 messages by 250": lambda store: store.set_history("short", _messages(250)),
    "replace 100 messages by 1,200": lambda store: store.set_history("short", _messages(1200)),
    "replace 1,200 messages by 250": lambda store: store.set_history(KEY, _messages(250)),
}


@pytest.fixture
def store(server: Any) -> Iterator[SessionStore]:
    with open_store(server.url(), on_write_error="raise") as store:
        store.set_history(KEY, _messages(1200))
        for operation in OPERATIONS.values():  # now the server knows the scripts
            operation(store)
        store.delete_session("new")
        store.set_history("short", _messages(100))
        store.set_history(KEY, _messages(1200))
        yield store


def _documented(name: str) -> tuple[int, list[str]]:
    """Round trips and commands of an operation: `3 times A, B` stands for A, B, A, B, A, B."""
    row = re.search(rf"^\| {name} \| ([0-9]+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE)
    assert row is not None, f"the documentation does not tell what it costs to {name}"
    commands = []
    for part in row[2].split("; "):
        times, _, listed = part.rpartition(" times ")
        commands += re.findall("[A-Z]+", listed) * int(times or "1")
    return int(row[1]), commands


def _done(monitor: Any) -> Iterator[str]:
    """The commands that a server did, those of scripts too, until it was asked for an echo."""
    while (command := monitor.next_command()["command"]) != "ECHO end":
        yield command.split()[0]


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_costs_what_is_written(
    store: SessionStore, server: Any, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    sent: list[object] = []
    send: Any = AbstractConnection.send_packed_command

    def noted(connection: Any, command: Any, check_health: bool = True) -> Any:
        sent.append(command)
        return send(connection, command, check_health)

    with server.client() as client, server.client() as other, other.monitor() as monitor:
        with monkeypatch.context() as patched:
            patched.setattr(AbstractConnection, "send_packed_command", noted)
            OPERATIONS[name](store)
        client.echo("end")
        commands = [command for command in _done(monitor) if command not in ("HELLO", "CLIENT")]
    assert (len(sent), commands) == _documented(name)
