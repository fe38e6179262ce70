"""Import into a store: each conversation once, in one step, and nothing overwritten unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from sessionkit import Message, SessionStore, VersionConflict, open_store
from sessionkit.transfer import TransferReport, export_sessions, import_sessions, read_documents

FULL: dict[str, Any] = {
    "key": "cli:direct",
    "messages": [{"role": "user", "content": None, "name": "x"}, {"role": "assistant", "content": "hello"}],
    "summary": "Greetings.",
    "metadata": {"scope": None},
    "aliases": ["direct"],
    "created": "2026-01-01T00:00:00.100Z",
    "updated": "2026-01-02T00:00:00+02:00",
}


@pytest.fixture
def store() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        yield opened


def _import(store: SessionStore, *documents: dict[str, Any], replace: bool = False) -> TransferReport:
    lines = [json.dumps(document).encode() for document in documents]
    return import_sessions(store, read_documents(lines, "f"), replace=replace)


def test_a_document_becomes_a_session_with_all_its_fields(store: SessionStore) -> None:
    report = _import(store, FULL)
    assert (report.imported, report.messages, report.complete) == (1, 2, True)
    assert list(export_sessions(store)) == [FULL]


def test_a_document_without_times_gets_them_from_the_store(store: SessionStore) -> None:
    _import(store, {"key": "a", "messages": []})
    assert store.get_session("a").created


def test_importing_again_doubles_nothing_and_says_so(store: SessionStore) -> None:
    _import(store, FULL)
    version = store.get_session("cli:direct").version
    report = _import(store, FULL)
    assert (report.imported, report.already_there, report.messages, report.complete) == (0, 1, 0, True)
    assert store.get_session("cli:direct").version == version


def test_a_conversation_twice_in_one_file_is_one_session(store: SessionStore) -> None:
    report = _import(store, FULL, FULL)
    assert (report.imported, report.already_there) == (1, 1)
    assert store.get_session("cli:direct").count == 2


def test_an_existing_session_of_other_content_is_left_alone_and_told(store: SessionStore) -> None:
    store.add_message("cli:direct", "user", "mine")
    report = _import(store, FULL)
    assert (report.imported, report.different, report.complete) == (0, ["cli:direct"], False)
    assert [message.content for message in store.get_history("cli:direct")] == ["mine"]


def test_with_replace_an_existing_session_gets_the_documents_content(store: SessionStore) -> None:
    store.update_session("cli:direct", messages=[Message.simple("user", "mine")], aliases=["other"])
    report = _import(store, FULL, replace=True)
    assert (report.imported, report.replaced, report.messages) == (0, 1, 2)
    assert list(export_sessions(store)) == [FULL]


def test_with_replace_the_fields_that_the_document_lacks_become_empty(store: SessionStore) -> None:
    _import(store, FULL)
    _import(store, {"key": "cli:direct", "messages": []}, replace=True)
    session = store.get_session("cli:direct")
    assert (session.count, session.summary, session.metadata, session.aliases) == (0, "", {}, ())


def test_with_replace_a_session_of_the_same_content_is_not_written(store: SessionStore) -> None:
    _import(store, FULL)
    assert _import(store, FULL, replace=True).already_there == 1


def test_fields_that_no_session_has_are_counted(store: SessionStore) -> None:
    documents: list[dict[str, Any]] = [{"key": key, "messages": [], "reward": 1.0, key: 0} for key in ("a", "b")]
    assert _import(store, *documents).unknown_fields == {"reward": 2, "a": 1, "b": 1}


def test_what_the_store_refuses_is_told_in_its_place_and_the_import_goes_on(store: SessionStore) -> None:
    report = _import(store, {"key": "a", "messages": [], "aliases": ["x\0y"]}, {"key": "b", "messages": []})
    assert report.imported == 1
    (problem,) = report.unreadable
    assert (problem.source, problem.line, problem.key) == ("f", 1, "a")
    assert "NUL" in problem.reason


def test_a_time_that_is_none_is_told(store: SessionStore) -> None:
    (problem,) = _import(store, {"key": "a", "messages": [], "created": "yesterday"}).unreadable
    assert "created" in problem.reason
    assert not store.get_session("a").exists


class _Busy:
    """A store in which somebody writes to a session, or deletes it, just before each step of the import."""

    def __init__(self, store: SessionStore, interfere: list[str]) -> None:
        self._store = store
        self._interfere = interfere

    def update_session(self, key: str, **arguments: Any) -> str:
        action = self._interfere.pop(0) if self._interfere else ""
        if action == "write":
            self._store.add_message(key, "user", "in between")
        if action == "delete":
            self._store.delete_session(key)
        return self._store.update_session(key, **arguments)

    def get_session(self, key: str) -> Any:
        if self._interfere and self._interfere[0] == "delete before reading":
            self._interfere.pop(0)
            self._store.delete_session(key)
        return self._store.get_session(key)

    def save(self, key: str) -> None:
        if self._interfere and self._interfere[0] == "fail to save":
            raise VersionConflict("another process made the session meanwhile")
        self._store.save(key)


def _import_busily(store: SessionStore, interfere: list[str]) -> TransferReport:
    lines = [json.dumps(FULL).encode()]
    return import_sessions(_Busy(store, interfere), read_documents(lines, "f"), replace=True)  # type: ignore[arg-type]


def test_a_session_that_changes_while_it_is_replaced_is_looked_at_again(store: SessionStore) -> None:
    store.add_message("cli:direct", "user", "mine")
    assert _import_busily(store, ["", "write"]).replaced == 1


def test_a_session_that_is_deleted_meanwhile_is_imported(store: SessionStore) -> None:
    store.add_message("cli:direct", "user", "mine")
    assert _import_busily(store, ["", "delete before reading"]).imported == 1


def test_a_session_that_never_rests_is_told_and_the_import_goes_on(store: SessionStore) -> None:
    store.add_message("cli:direct", "user", "mine")
    (problem,) = _import_busily(store, ["write"] * 100).unreadable
    assert "keeps changing" in problem.reason


def test_a_session_that_cannot_be_saved_is_told_and_not_counted(store: SessionStore) -> None:
    report = _import_busily(store, ["", "fail to save"])
    (problem,) = report.unreadable
    assert (report.imported, report.already_there, problem.key) == (0, 0, "cli:direct")


def test_a_report_that_is_given_tells_how_far_a_failed_import_came(store: SessionStore) -> None:
    def lines() -> Iterator[bytes]:
        yield json.dumps(FULL).encode()
        raise OSError("the disk is gone")

    report = TransferReport()
    with pytest.raises(OSError, match="the disk is gone"):
        import_sessions(store, read_documents(lines(), "f"), report=report)
    assert report.imported == 1
