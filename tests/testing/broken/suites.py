"""The suite as a class for each store: the whole of it for a correct one, the clauses meant for it for a broken one."""

from __future__ import annotations

import inspect
import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest

from sessionkit.testing import SessionStoreConformance
from sessionkit.testing.base import Source

from .registry import CORRECT, broken_stores, plugin_name
from .sqlite import FILE, PASSWORD, SCHEMA, SqliteStore
from .stores import Steps


def clauses() -> dict[str, str]:
    """Every clause of the suite, by subject, with its docstring's first line."""
    found = {}
    for part in SessionStoreConformance.__bases__:
        for name, function in vars(part).items():
            if name.startswith("test_"):
                found[name] = (inspect.getdoc(function) or "").partition("\n")[0]
    return found


class StoreSuite(SessionStoreConformance):
    """The suite on one of our stores, with all that an author may offer."""

    kind: type[Steps]

    @pytest.fixture
    def source(self, tmp_path: Path) -> Source:
        return self.place(self.kind.settings(tmp_path / "sessions"))

    def place(self, settings: dict[str, Any]) -> Source:
        """Where a store with these options is."""
        name = plugin_name(self.kind)
        return {"backend": name, "backends": {name: settings}}


class SqliteSuite(StoreSuite):
    """Database in hand, nothing that the suite asks for is out of reach."""

    def read_raw(self, source: Source, key: str) -> list[dict[str, Any]] | None:
        with self.database(source) as database:
            (document,) = database.execute("SELECT document FROM sessions WHERE key = ?", (key,)).fetchone()
        messages: list[dict[str, Any]] = json.loads(document)["messages"]
        return messages

    def write_raw(self, source: Source, key: str, messages: Sequence[dict[str, Any]]) -> bool:
        fields = {"summary": "", "created": "", "updated": "", "metadata": {}, "aliases": []}
        tokens = {"version": "another program's", "generation": "the first"}
        document = json.dumps({"messages": messages, "count": len(messages), **fields, **tokens})
        with self.database(source) as database:
            database.execute(SCHEMA)
            database.execute("INSERT INTO sessions VALUES (?, ?)", (key, document.encode()))
        return True

    @contextmanager
    def break_storage(self, source: Source) -> Iterator[None]:
        """Refuse every change of the table, as a full disk does."""
        with self.database(source) as database:
            for change in ("INSERT", "DELETE"):
                database.execute(
                    f"CREATE TRIGGER full_{change} BEFORE {change} ON sessions BEGIN SELECT RAISE(ABORT, 'full'); END"
                )
        yield
        with self.database(source) as database:
            for change in ("INSERT", "DELETE"):
                database.execute(f"DROP TRIGGER full_{change}")

    def damage(self, source: Source, key: str) -> bool:
        with self.database(source) as database:
            database.execute("UPDATE sessions SET document = substr(document, 1, 9) WHERE key = ?", (key,))
        return True

    def unreachable(self, source: Source) -> tuple[Source, str] | None:
        return self.place(self.kind.settings(Path("/dev/null/sessions"))), PASSWORD

    def database(self, source: Source) -> AbstractContextManager[sqlite3.Connection]:
        """The database of a source, without the store."""
        assert not isinstance(source, str)
        return _connected(Path(source["backends"][source["backend"]]["path"]))


@contextmanager
def _connected(directory: Path) -> Iterator[sqlite3.Connection]:
    directory.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(directory / FILE, timeout=60)
    try:
        with connection:
            yield connection
    finally:
        connection.close()


def suites(part: int, parts: int) -> dict[str, type[StoreSuite]]:
    """A part of all suites, as classes that pytest collects."""
    every = set(clauses())
    wanted: list[tuple[type[Steps], set[str]]] = [(store, every) for store in CORRECT]
    wanted += [(broken.store, set(broken.clauses)) for broken in broken_stores().values()]
    found = {}
    for store, chosen in wanted[part::parts]:
        base = SqliteSuite if issubclass(store, SqliteStore) else StoreSuite
        members: dict[str, Any] = {"kind": store, **dict.fromkeys(every - chosen)}
        found[f"Test{store.__name__}"] = type(f"Test{store.__name__}", (base,), members)
    return found
