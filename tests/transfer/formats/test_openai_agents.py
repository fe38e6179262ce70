"""Databases of openai-agents, in the layout of its ``SQLiteSession``."""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sessionkit.errors import FormatError
from sessionkit.transfer import Placed
from sessionkit.transfer.formats import read_conversations

from .reading import contents, documents, messages, problems

HELLO = {"role": "user", "content": "hello"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "agents.db"


@pytest.fixture
def database(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path, isolation_level=None)) as opened:
        opened.execute("PRAGMA journal_mode=WAL")
        _make_tables(opened)
        yield opened


def _make_tables(database: sqlite3.Connection, sessions: str = "agent_sessions", items: str = "agent_messages") -> None:
    database.execute(
        f"CREATE TABLE {sessions} (session_id TEXT PRIMARY KEY,"
        " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP, updated_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP)"
    )
    database.execute(
        f"CREATE TABLE {items} (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT NOT NULL,"
        " message_data TEXT NOT NULL,"
        " created_at TIMESTAMP DEFAULT CURRENT_TIMESTAMP,"
        f" FOREIGN KEY (session_id) REFERENCES {sessions} (session_id) ON DELETE CASCADE)"
    )


def _add(database: sqlite3.Connection, session: str, *items: Any, suffix: str = "") -> None:
    times = "2026-01-02 03:04:05", "2026-01-02 03:04:06.789"
    database.execute("BEGIN")
    database.execute(f"INSERT OR IGNORE INTO agent_sessions{suffix} VALUES (?, ?, ?)", (session, *times))
    rows = [(session, item if isinstance(item, str | bytes) else json.dumps(item), times[0]) for item in items]
    query = f"INSERT INTO agent_messages{suffix} (session_id, message_data, created_at) VALUES (?, ?, ?)"
    database.executemany(query, rows)
    database.execute("COMMIT")


def test_sessions_are_read_with_their_times(database: sqlite3.Connection, path: Path) -> None:
    _add(database, "b", HELLO, {"role": "assistant", "content": "hi"})
    _add(database, "a")
    b, a = documents(path)
    assert (b.key, b.created, b.updated) == ("b", "2026-01-02T03:04:05Z", "2026-01-02T03:04:06.789Z")
    assert messages(b) == [
        {"role": "user", "content": "hello", "created_at": "2026-01-02T03:04:05Z"},
        {"role": "assistant", "content": "hi", "created_at": "2026-01-02T03:04:05Z"},
    ]
    assert (a.key, a.messages) == ("a", ())


def test_what_is_still_in_the_log_of_the_database_is_read_and_nothing_is_written(
    database: sqlite3.Connection, path: Path
) -> None:
    _add(database, "a", HELLO)
    assert path.with_name("agents.db-wal").stat().st_size > 0
    before = contents(path.parent)
    (document,) = documents(path)
    assert len(document.messages) == 1
    assert contents(path.parent) == before


def test_a_database_that_nobody_has_open_gets_no_files_beside_it(database: sqlite3.Connection, path: Path) -> None:
    _add(database, "a", HELLO)
    database.close()
    before = contents(path.parent)
    assert before.keys() == {"agents.db"}
    assert len(documents(path)) == 1
    assert contents(path.parent) == before


def test_tables_of_other_names_are_found(database: sqlite3.Connection, path: Path) -> None:
    _make_tables(database, "agent_sessions_two", "agent_messages_two")
    _add(database, "a", HELLO)
    _add(database, "b", HELLO, suffix="_two")
    assert [document.key for document in documents(path)] == ["a", "b"]


def test_items_of_no_session_are_one_all_the_same(database: sqlite3.Connection, path: Path) -> None:
    _add(database, "a", HELLO)
    database.execute("DELETE FROM agent_sessions")
    (document,) = documents(path)
    assert (document.key, len(document.messages), document.created) == ("a", 1, "")


def test_rows_that_are_damaged_are_passed_over_as_openai_agents_does_and_told(
    database: sqlite3.Connection, path: Path
) -> None:
    _add(database, "a", HELLO, '{"role": "us', "5", b"\xff", HELLO)
    (placed,) = read_conversations(path)
    assert isinstance(placed, Placed)
    assert len(placed.document.messages) == 2
    torn, number, bytes_ = placed.damage
    assert torn.startswith("row 2 of the table agent_messages is not JSON")
    assert number == "row 3 of the table agent_messages is no JSON object"
    assert bytes_.startswith("row 4 of the table agent_messages is not JSON")


def test_an_encrypted_session_is_told(database: sqlite3.Connection, path: Path) -> None:
    _add(database, "a", {"__enc__": 1, "v": 1, "kid": "hkdf-v1", "payload": "x"})
    _add(database, "b", HELLO)
    assert len([read for read in read_conversations(path) if isinstance(read, Placed)]) == 1
    (problem,) = problems(path)
    assert "session 'a': row 1 of the table agent_messages is encrypted" in problem


def test_branches_are_sessions_of_their_own(database: sqlite3.Connection, path: Path) -> None:
    database.execute(
        "CREATE TABLE message_structure (id INTEGER PRIMARY KEY AUTOINCREMENT, session_id TEXT, message_id INTEGER,"
        " branch_id TEXT, sequence_number INTEGER, FOREIGN KEY (message_id) REFERENCES agent_messages(id))"
    )
    _add(database, "a", *({"role": "user", "content": str(number)} for number in (1, 2, 3)))
    _add(database, "plain", HELLO)
    order = [(1, "main", 1), (2, "main", 2), (1, "other", 1), (3, "other", 2)]
    query = "INSERT INTO message_structure (session_id, message_id, branch_id, sequence_number) VALUES ('a', ?, ?, ?)"
    database.executemany(query, order)
    read = {document.key: [message.content for message in document.messages] for document in documents(path)}
    assert read == {"a": ["1", "2"], "a:other": ["1", "3"], "plain": ["hello"]}


def test_a_database_of_something_else_is_an_error(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE agent_messages (id, text)")
        database.commit()
    with pytest.raises(FormatError, match=r"agents\.db has no table like the one in which SQLiteSession"):
        list(read_conversations(path))


def test_a_damaged_database_is_told(database: sqlite3.Connection, path: Path) -> None:
    _add(database, "a", *([HELLO] * 500))
    database.close()
    data = bytearray(path.read_bytes())
    data[8192:] = b"\xff" * (len(data) - 8192)
    path.write_bytes(data)
    read = list(read_conversations(path))
    assert "the database is damaged" in str(read[-1])


def test_a_database_that_keeps_changing_is_an_error(
    database: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = shutil.copyfile

    def restless(source: Path, target: Path) -> None:
        copy(source, target)
        _add(database, "a", HELLO)

    monkeypatch.setattr(shutil, "copyfile", restless)
    with pytest.raises(FormatError, match=r"agents\.db keeps changing; stop the program"):
        list(read_conversations(path))


def test_a_log_of_the_database_that_goes_away_while_it_is_copied_is_no_error(
    database: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _add(database, "a", HELLO)
    copy = shutil.copyfile

    def closing_first(source: Path, target: Path) -> None:
        database.close()  # moves what the log holds into the database, and removes the log
        copy(source, target)

    monkeypatch.setattr(shutil, "copyfile", closing_first)
    (document,) = documents(path)
    assert len(document.messages) == 1


def test_a_session_id_that_is_no_text_is_told(database: sqlite3.Connection, path: Path) -> None:
    database.execute("INSERT INTO agent_sessions (session_id) VALUES (CAST(x'ff' AS TEXT))")
    assert "a session_id in the table agent_messages is not UTF-8" in problems(path)[0]
