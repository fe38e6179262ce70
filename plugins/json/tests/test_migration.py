"""Documents that become sessions of another store: each once, none lost, nothing overwritten."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sessionkit_json import SessionManager
from sessionkit_json.migration import MigrationReport, migrate_documents

from sessionkit import SessionStore, open_store
from sessionkit.errors import BackendUnavailableError, MessageTooLargeError

KEY = "telegram:42"
HELLO = {"role": "user", "content": "hello", "x-trace": None}
DOCUMENT: dict[str, Any] = {
    "key": KEY,
    "messages": [HELLO, {"role": "assistant", "content": "hi"}],
    "summary": "Greetings.",
    "created": "2026-01-01T00:00:00.123456789Z",
    "updated": "2026-01-02T00:00:00+02:00",
}


@pytest.fixture
def store() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        yield opened


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    def write(name: str, content: Any = DOCUMENT) -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content, indent=2).encode())
        return path

    return write


def texts(store: SessionStore, key: str = KEY) -> list[str]:
    return [message.text for message in store.get_history(key)]


def names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir() if path.is_file())


def test_a_document_becomes_a_session_with_all_that_is_in_it(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("telegram_42.json")
    report = migrate_documents(tmp_path, store)
    assert report == MigrationReport(migrated=1, messages=2)
    session = store.get_session(KEY)
    assert [message.to_dict() for message in session.messages] == DOCUMENT["messages"]
    assert (session.summary, session.created, session.updated) == tuple(
        DOCUMENT[name] for name in ("summary", "created", "updated")
    )


def test_metadata_and_aliases_that_this_backend_wrote_come_along(store: SessionStore, tmp_path: Path) -> None:
    with open_store(f"json:{tmp_path}") as documents:
        documents.update_session(KEY, messages=[HELLO], metadata={"title": "Hi"}, aliases=["ann"])
    migrate_documents(tmp_path, store)
    session = store.get_session(KEY)
    assert (session.metadata, session.aliases) == ({"title": "Hi"}, ("ann",))


def test_the_document_is_renamed_and_no_byte_of_it_changed(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    before = write("telegram_42.json").read_bytes()
    migrate_documents(tmp_path, store)
    assert names(tmp_path) == ["telegram_42.json.migrated"]
    assert (tmp_path / "telegram_42.json.migrated").read_bytes() == before
    assert not list(SessionManager(tmp_path).sessionkit_list_sessions("", None, 9).sessions)


def test_migrating_again_does_nothing(write: Callable[..., Path], store: SessionStore, tmp_path: Path) -> None:
    write("telegram_42.json")
    migrate_documents(tmp_path, store)
    version = store.get_session(KEY).version
    assert migrate_documents(tmp_path, store) == MigrationReport()
    assert store.get_session(KEY).version == version


def test_what_was_migrated_before_is_not_overwritten_in_the_directory_either(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("a.json.migrated", b"old")
    write("a.json.migrated-2", b"older")
    write("a.json")
    migrate_documents(tmp_path, store)
    assert names(tmp_path) == ["a.json.migrated", "a.json.migrated-2", "a.json.migrated-3"]
    assert (tmp_path / "a.json.migrated").read_bytes() == b"old"


def test_a_run_that_ended_before_the_renaming_is_completed(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    path = write("telegram_42.json")
    migrate_documents(tmp_path, store)
    path.with_name(f"{path.name}.migrated").rename(path)
    version = store.get_session(KEY).version
    assert migrate_documents(tmp_path, store) == MigrationReport(already_there=1)
    assert store.get_session(KEY).version == version
    assert names(tmp_path) == ["telegram_42.json.migrated"]


def test_a_session_that_went_on_since_such_a_run_keeps_what_was_added(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    path = write("telegram_42.json")
    migrate_documents(tmp_path, store)
    path.with_name(f"{path.name}.migrated").rename(path)
    store.add_message(KEY, "user", "more")
    assert migrate_documents(tmp_path, store) == MigrationReport(already_there=1)
    assert texts(store) == ["hello", "hi", "more"]


@pytest.mark.parametrize(
    "theirs",
    [
        {"messages": [{"role": "user", "content": "mine"}]},
        {"messages": [HELLO], "summary": "Greetings."},
        {"messages": DOCUMENT["messages"], "summary": "other"},
    ],
)
def test_a_session_of_other_content_is_never_replaced_and_its_document_left(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path, theirs: dict[str, Any]
) -> None:
    write("telegram_42.json")
    version = store.update_session(KEY, **theirs)
    report = migrate_documents(tmp_path, store)
    (left,) = report.left
    assert (left.file, left.key, report.complete, report.migrated) == ("telegram_42.json", KEY, False, 0)
    assert store.get_session(KEY).version == version
    assert names(tmp_path) == ["telegram_42.json"]


def test_an_empty_session_that_is_there_is_filled(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("telegram_42.json")
    store.get_or_create(KEY)
    assert migrate_documents(tmp_path, store).migrated == 1
    assert texts(store) == ["hello", "hi"]


def test_an_empty_document_takes_nothing_from_a_session(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("telegram_42.json", {**DOCUMENT, "messages": None, "summary": ""})
    store.update_session(KEY, messages=[HELLO], summary="mine", metadata={"m": 1}, aliases=["x"])
    version = store.get_session(KEY).version
    assert migrate_documents(tmp_path, store) == MigrationReport(already_there=1)
    assert store.get_session(KEY).version == version


def test_metadata_of_a_jsonl_session_is_never_taken_for_a_session(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("bot.meta.json", {"key": "bot", "summary": "s", "skip": 0, "count": 9})
    write("x.meta.json", {"key": "x", "messages": [], "created": "0001-01-01T00:00:00Z"})
    write("torn.meta.json", b'{"key": "to')
    assert migrate_documents(tmp_path, store) == MigrationReport(
        other_files=["bot.meta.json", "torn.meta.json", "x.meta.json"]
    )
    assert not list(store.list_sessions())
    assert names(tmp_path) == ["bot.meta.json", "torn.meta.json", "x.meta.json"]


def test_a_session_with_messages_under_such_a_name_is_told(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    path = write("bot.meta.json", {**DOCUMENT, "key": "bot.meta"})
    (left,) = migrate_documents(tmp_path, store).left
    assert (left.file, "rename it to migrate it" in left.reason) == ("bot.meta.json", True)
    path.rename(tmp_path / "anything.json")
    assert migrate_documents(tmp_path, store).migrated == 1
    assert texts(store, "bot.meta") == ["hello", "hi"]


@pytest.mark.parametrize("content", [b"", b'{"key": "telegram:42", "mess', b'{"key": "k", "messages": 5}', b"\xff{}"])
def test_a_damaged_document_is_told_and_left_and_the_others_migrated(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path, content: bytes
) -> None:
    damaged = write("damaged.json", content)
    write("telegram_42.json")
    report = migrate_documents(tmp_path, store)
    assert [left.file for left in report.left] == ["damaged.json"]
    assert report.migrated == 1
    assert damaged.read_bytes() == content


def test_json_of_other_programs_is_left_alone(write: Callable[..., Path], store: SessionStore, tmp_path: Path) -> None:
    write("package.json", {"name": "bot"})
    write("list.json", [1])
    (tmp_path / "folder.json").mkdir()
    assert migrate_documents(tmp_path, store) == MigrationReport(other_files=["list.json", "package.json"])


def test_a_document_without_key_is_called_after_its_file(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("cli_direct.json", {"messages": [HELLO]})
    assert migrate_documents(tmp_path, store).migrated == 1
    assert texts(store, "cli_direct") == ["hello"]


def test_of_two_documents_of_a_session_that_of_the_hashed_name_counts(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("a_copy.json", {**DOCUMENT, "messages": [{"role": "user", "content": "old"}]})
    write("telegram_42~f4a0e1f9b4e6c0f4e0b1d7a3c2b1a099.json")
    report = migrate_documents(tmp_path, store)
    assert (report.migrated, [left.file for left in report.left]) == (1, ["a_copy.json"])
    assert texts(store) == ["hello", "hi"]


def test_fields_that_no_session_has_are_told(write: Callable[..., Path], store: SessionStore, tmp_path: Path) -> None:
    write("telegram_42.json", {**DOCUMENT, "mood": "fine"})
    assert migrate_documents(tmp_path, store).unknown_fields == {"mood": 1}


def test_what_the_store_refuses_is_told_and_left(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("telegram_42.json")
    error = MessageTooLargeError("message 1 is too large")
    report = migrate_documents(tmp_path, _failing(store, "update_session", error))
    assert [str(left) for left in report.left] == ["telegram_42.json, session 'telegram:42': message 1 is too large"]
    assert names(tmp_path) == ["telegram_42.json"]


def test_a_document_is_renamed_only_when_its_session_is_stored(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path
) -> None:
    write("telegram_42.json")
    failing = _failing(store, "save", BackendUnavailableError("the disk is full"))
    with pytest.raises(BackendUnavailableError):
        migrate_documents(tmp_path, failing)
    assert names(tmp_path) == ["telegram_42.json"]


def test_a_document_that_is_saved_meanwhile_is_read_again(
    write: Callable[..., Path], store: SessionStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write("telegram_42.json")
    read_bytes = Path.read_bytes
    contents = iter([path.read_bytes()])
    longer = json.dumps({**DOCUMENT, "messages": [*DOCUMENT["messages"], HELLO]}).encode()
    monkeypatch.setattr(Path, "read_bytes", lambda self: next(contents, None) or read_bytes(self))
    path.write_bytes(longer)
    assert migrate_documents(tmp_path, store).messages == 3


def test_a_dry_run_changes_nothing(write: Callable[..., Path], store: SessionStore, tmp_path: Path) -> None:
    write("telegram_42.json")
    write("b.json", {**DOCUMENT, "key": "b"})
    store.add_message("b", "user", "mine")
    planned = migrate_documents(tmp_path, store, dry_run=True)
    assert (planned.migrated, [left.file for left in planned.left]) == (1, ["b.json"])
    assert not store.get_session(KEY).exists
    assert names(tmp_path) == ["b.json", "telegram_42.json"]


def test_progress_counts_the_files(write: Callable[..., Path], store: SessionStore, tmp_path: Path) -> None:
    write("telegram_42.json")
    write("package.json", {})
    done: list[int] = []
    migrate_documents(tmp_path, store, progress=done.append)
    assert done == [1, 1]


def _failing(store: SessionStore, call: str, error: Exception) -> Any:
    class Failing:
        def __getattr__(self, name: str) -> Any:
            return fail if name == call else getattr(store, name)

    def fail(*_: object, **__: object) -> None:
        raise error

    return Failing()
