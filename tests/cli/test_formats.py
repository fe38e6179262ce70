"""``--format`` of import and export."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sessionkit import SessionStore
from sessionkit.cli.options import FORMATS, WRITTEN_FORMATS
from sessionkit.transfer import formats

from .conftest import URL, Run, json_lines

HELLO: dict[str, Any] = {"role": "user", "content": "hello"}
ANSWER: dict[str, Any] = {"role": "assistant", "content": "hi"}


def _write(name: str, value: Any) -> None:
    Path(name).write_text(json.dumps(value))


def _stored(store: SessionStore, key: str) -> list[dict[str, Any]]:
    return [message.to_dict() for message in store.get_history(key)]


def test_the_names_are_those_of_the_formats() -> None:
    assert tuple(formats.FORMATS) == FORMATS
    assert tuple(name for name, form in formats.FORMATS.items() if form.writer is not None) == WRITTEN_FORMATS


def test_a_format_is_told_by_the_content(run: Run, store: SessionStore) -> None:
    _write("chat.json", [HELLO, ANSWER])
    assert run("import", "chat.json", "--store", URL).output == "Imported 1 session (2 messages).\n"
    assert _stored(store, "chat") == [HELLO, ANSWER]


def test_a_key_and_a_prefix_can_be_said(run: Run, store: SessionStore) -> None:
    _write("chat.json", [HELLO])
    run("import", "chat.json", "--key", "7", "--prefix", "support:", "--store", URL)
    assert _stored(store, "support:7") == [HELLO]


def test_standard_input_needs_a_key_when_nothing_has_a_name(run: Run, store: SessionStore) -> None:
    result = run("import", "-", "--store", URL, stdin=json.dumps([HELLO]), status=1)
    assert "neither the conversation nor its source has a name: say a key (--key)" in result.stderr
    run("import", "-", "--key", "a", "--store", URL, stdin=json.dumps([HELLO]))
    assert _stored(store, "a") == [HELLO]


def test_a_directory_is_imported(run: Run, store: SessionStore) -> None:
    Path("sessions").mkdir()
    _write("sessions/a_b.json", {"key": "a:b", "messages": [HELLO]})
    assert run("import", "sessions", "--store", URL).output == "Imported 1 session (1 message).\n"
    assert _stored(store, "a:b") == [HELLO]


def test_several_possible_formats_are_wrong_usage_and_named(run: Run, store: SessionStore) -> None:
    both = {"id": "a", "messages": [HELLO], "conversations": [{"from": "human", "value": "shared"}]}
    _write("both.json", both)
    result = run("import", "both.json", "--store", URL, status=2)
    assert (
        "both.json may be in the formats sessionkit and sharegpt; name the one that is meant (--format)"
        in result.stderr
    )
    result = run("import", "both.json", "--format", "sharegpt", "--store", URL)
    assert "no such field: messages (in 1 conversation)" in result.stdout
    assert [message["content"] for message in _stored(store, "a")] == ["shared"]


def test_a_file_of_another_format_than_said_is_wrong_usage(run: Run) -> None:
    _write("chat.json", [HELLO])
    result = run("import", "chat.json", "--format", "openai-agents", "--store", URL, status=2)
    assert "chat.json is no file of an SQLite database" in result.stderr


def test_an_unknown_format_is_wrong_usage(run: Run) -> None:
    assert "chatml" in run("import", "-", "--format", "chatml", "--store", URL, status=2).stderr


def test_damaged_places_are_named_and_the_rest_imported(run: Run, store: SessionStore) -> None:
    Path("a.jsonl").write_text('{"_type": "metadata", "key": "a"}\n' + json.dumps(HELLO) + "\n{torn\n")
    result = run("import", "a.jsonl", "--store", URL, status=1)
    assert result.stdout == "Imported 1 session (1 message).\n"
    heading, place = result.stderr.splitlines()
    assert heading == "Error: places that cannot be read, without which conversations were imported:"
    assert place.startswith("  a.jsonl: session 'a': line 3 is not JSON")
    assert _stored(store, "a") == [HELLO]
    (report,) = json_lines(run("import", "a.jsonl", "--json", "--store", URL, status=1).stdout)
    assert report["already_there"] == 1
    assert [problem["key"] for problem in report["damaged"]] == ["a"]


def test_a_database_is_imported(run: Run, store: SessionStore) -> None:
    with closing(sqlite3.connect("agents.db")) as database:
        database.execute("CREATE TABLE agent_messages (id INTEGER PRIMARY KEY, session_id, message_data, created_at)")
        database.execute("INSERT INTO agent_messages VALUES (1, 'a', ?, '')", (json.dumps(HELLO),))
        database.commit()
    assert run("import", "agents.db", "--store", URL).output == "Imported 1 session (1 message).\n"
    assert _stored(store, "a") == [HELLO]


@pytest.fixture
def _sessions(store: SessionStore) -> None:
    store.update_session("a", messages=[{**HELLO, "created_at": "2026-01-02T03:04:05Z"}, ANSWER], summary="Hello.")
    store.add_message("b", "user", "bye")


@pytest.mark.usefixtures("_sessions")
def test_a_session_is_exported_as_an_array_of_messages_and_losses_are_told(run: Run) -> None:
    result = run("export", "a", "--format", "openai", "--store", URL)
    assert json.loads(result.stdout) == [HELLO, ANSWER]
    counts, left_out = result.stderr.splitlines()
    assert counts == "Exported 1 session (2 messages)."
    assert left_out == (
        "Left out, because openai has no place for it: key (in 1 session), summary (in 1 session), "
        "created (in 1 session), updated (in 1 session), created_at (in 1 message)."
    )


@pytest.mark.usefixtures("_sessions")
def test_several_sessions_are_a_line_each(run: Run) -> None:
    result = run("export", "--all", "--format", "openai", "--store", URL)
    assert json_lines(result.stdout) == [
        {"messages": [HELLO, ANSWER]},
        {"messages": [{"role": "user", "content": "bye"}]},
    ]


@pytest.mark.usefixtures("_sessions")
def test_losses_are_told_as_json_too(run: Run) -> None:
    result = run("export", "--all", "--format", "sharegpt", "--json", "--store", URL)
    (told,) = json_lines(result.stderr)
    assert told == {
        "sessions": 2,
        "messages": 3,
        "failed": [],
        "left_out": {"sessions": {"summary": 1, "created": 2, "updated": 2}, "messages": {"created_at": 1}},
    }


@pytest.mark.usefixtures("_sessions")
def test_sharegpt_is_imported_again(run: Run, store: SessionStore) -> None:
    run("export", "--all", "--format", "sharegpt", "-o", "train.json", "--store", URL)
    run("import", "train.json", "--prefix", "new:", "--store", URL)
    assert _stored(store, "new:a") == [HELLO, ANSWER]


@pytest.mark.usefixtures("_sessions")
def test_a_session_that_cannot_be_read_leaves_an_array_that_can(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt", "user", "hello")
    result = run("export", "--all", "--format", "sharegpt", "--store", URL, status=1)
    assert [conversation["id"] for conversation in json.loads(result.stdout)] == ["a", "b"]


def test_a_format_that_is_not_written_is_wrong_usage(run: Run) -> None:
    assert "picoclaw" in run("export", "--all", "--format", "picoclaw", "--store", URL, status=2).stderr
