"""The SQLite database of openai-agents: its ``SQLiteSession``, and those that write the same tables.

Rows that are not JSON are passed over, as openai-agents does, and each is told. A copy is read: opening a database in
WAL mode writes beside it.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError, FormatError
from sessionkit.messages import Message
from sessionkit.sessions import read_time
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.formats.aside import copied_aside
from sessionkit.transfer.formats.format import Format
from sessionkit.transfer.formats.responses import messages_of
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable

_MAGIC: Final = b"SQLite format 3\x00"
_BESIDE: Final = ("", "-wal", "-journal")
_BRANCHES: Final = "message_structure"
_MAIN: Final = "main"
_ENCRYPTED: Final = "__enc__"
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?)")


@attrs.frozen
class _Tables:
    """Where the sessions of one kind stand; the names of tables can be chosen.

    Attributes:
        messages: the table of their items.
        sessions: the table of the sessions, None when there is none.
        branched: whether a further table tells which items belong to which branch of a session.
    """

    messages: str
    sessions: str | None
    branched: bool


@attrs.frozen
class _Session:
    """A session, or a branch of one."""

    key: str
    session_id: str
    branch: str | None
    created: str
    updated: str


def _recognises(source: Source) -> bool:
    return not source.is_directory and source.path is not None and source.begins_with(_MAGIC)


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    if source.path is None or not _recognises(source):
        raise FormatError(f"{source.name} is no file of an SQLite database, in which openai-agents keeps sessions")
    with _opened(source.path, source.name) as database:
        try:
            yield from _read_database(database, source.name)
        except sqlite3.DatabaseError as error:
            yield Unreadable(source=source.name, reason=f"the database is damaged ({error}); the rest was not read")


def _read_database(database: sqlite3.Connection, name: str) -> Iterator[Placed | Unreadable]:
    found = _tables(database)
    if not found:
        raise FormatError(f"{name} has no table like the one in which SQLiteSession of openai-agents keeps messages")
    for tables in found:
        for session_id, created, updated in _session_ids(database, tables):
            try:
                name_of_it = session_id.decode()
            except UnicodeDecodeError:
                reason = f"a session_id in the table {tables.messages} is not UTF-8"
                yield Unreadable(source=name, reason=reason)
                continue
            for key, branch in _branches(database, tables, name_of_it):
                yield _read_session(database, tables, _Session(key, name_of_it, branch, created, updated), name)


@contextmanager
def _opened(path: Path, name: str) -> Iterator[sqlite3.Connection]:
    """A copy of the database. It gives texts as bytes: they may be damaged."""
    beside = [path.with_name(path.name + suffix) for suffix in _BESIDE]
    with (
        copied_aside(name, lambda: [file for file in beside if file.exists()]) as directory,
        closing(sqlite3.connect(directory / path.name)) as database,
    ):
        database.text_factory = bytes
        yield database


def _tables(database: sqlite3.Connection) -> list[_Tables]:
    columns = {
        table.decode(): {
            column[1].decode() for column in database.execute(f"PRAGMA table_info({_quoted(table.decode())})")
        }
        for (table,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").fetchall()
    }
    found = []
    for table, names in columns.items():
        if not {"id", "session_id", "message_data", "created_at"} <= names:
            continue
        sessions = [other for other in _references(database, table) if "session_id" in columns.get(other, ())]
        branched = _BRANCHES in columns and table in _references(database, _BRANCHES)
        found.append(_Tables(table, sessions[0] if sessions else None, branched))
    return found


def _references(database: sqlite3.Connection, table: str) -> list[str]:
    return [row[2].decode() for row in database.execute(f"PRAGMA foreign_key_list({_quoted(table)})")]


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _session_ids(database: sqlite3.Connection, tables: _Tables) -> list[tuple[bytes, str, str]]:
    """The ids of the sessions, with their times. Items without a session belong to one all the same."""
    messages = _quoted(tables.messages)
    known: list[tuple[bytes, str, str]] = []
    orphans = f"SELECT DISTINCT session_id FROM {messages}"
    if tables.sessions is not None:
        sessions = _quoted(tables.sessions)
        rows = database.execute(f"SELECT session_id, created_at, updated_at FROM {sessions} ORDER BY rowid")
        known = [(session_id, _time(created), _time(updated)) for session_id, created, updated in rows]
        orphans += f" WHERE session_id NOT IN (SELECT session_id FROM {sessions})"
    return known + [(session_id, "", "") for (session_id,) in database.execute(orphans)]


def _branches(database: sqlite3.Connection, tables: _Tables, session_id: str) -> list[tuple[str, str | None]]:
    """The keys of a session and of its branches. A session without branches is one."""
    if not tables.branched:
        return [(session_id, None)]
    query = f"SELECT branch_id FROM {_BRANCHES} WHERE session_id = ? GROUP BY branch_id ORDER BY min(id)"
    names = [branch.decode(errors="replace") for (branch,) in database.execute(query, (session_id,))]
    keys = [(session_id if name == _MAIN else f"{session_id}:{name}", name) for name in names]
    return keys or [(session_id, None)]


def _read_session(database: sqlite3.Connection, tables: _Tables, session: _Session, source: str) -> Placed | Unreadable:
    items: list[tuple[dict[str, Any], str]] = []
    damage: list[str] = []
    for number, data, created in _rows(database, tables, session):
        place = f"row {number} of the table {tables.messages}"
        try:
            item = codec.decode(data or b"")
        except DecodeError as error:
            damage.append(f"{place} is not JSON ({error})")
            continue
        if not isinstance(item, dict):
            damage.append(f"{place} is no JSON object")
            continue
        if _ENCRYPTED in item:
            reason = f"{place} is encrypted; read it with the EncryptedSession that wrote it"
            return Unreadable(source=source, key=session.key, reason=reason)
        items.append((item, _time(created)))
    document = SessionDocument(
        key=session.key,
        messages=tuple([Message.adopt(message) for message in messages_of(items)]),
        created=session.created,
        updated=session.updated,
    )
    return Placed(document=document, source=source, damage=tuple(damage))


def _rows(
    database: sqlite3.Connection, tables: _Tables, session: _Session
) -> Iterator[tuple[int, bytes | None, object]]:
    messages = _quoted(tables.messages)
    if session.branch is None:
        query = f"SELECT id, CAST(message_data AS BLOB), created_at FROM {messages} WHERE session_id = ? ORDER BY id"
        yield from database.execute(query, (session.session_id,))
        return
    query = f"""
        SELECT items.id, CAST(items.message_data AS BLOB), items.created_at FROM {messages} AS items
        JOIN {_BRANCHES} AS branches ON branches.message_id = items.id
        WHERE branches.session_id = ? AND branches.branch_id = ? ORDER BY branches.sequence_number
    """
    yield from database.execute(query, (session.session_id, session.branch))


def _time(value: object) -> str:
    """SQLite's time, which is UTC and has no zone, in RFC 3339; ``""`` when it is another."""
    match = _TIME.fullmatch(value.decode(errors="replace")) if isinstance(value, bytes) else None
    time = "" if match is None else f"{match[1]}T{match[2]}Z"
    return time if read_time(time) else ""


OPENAI_AGENTS = Format(
    name="openai-agents",
    description="the SQLite database of openai-agents (SQLiteSession and those with the same tables)",
    recognises=_recognises,
    read=_read,
)
