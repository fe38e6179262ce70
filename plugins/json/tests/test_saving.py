"""When documents are written, and what other processes did to them meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sessionkit_json import SessionManager, temporary
from sessionkit_json import manager as manager_module

from sessionkit import open_store
from sessionkit.errors import VersionConflict, WriteFailedError
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, Version
from sessionkit.transfer import Placed, SessionDocument, import_sessions

from .conftest import Reopen

KEY = "cli:direct"
NAME = "cli_direct.json"


def _version(manager: SessionManager) -> Version:
    return manager.sessionkit_get_session(KEY, 0).version


def _texts(manager: SessionManager, key: str = KEY) -> list[str]:
    return [message.text for message in manager.get_history(key)]


def test_nothing_is_written_before_save(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    assert os.listdir(directory) == []


def test_save_writes_one_session(directory: Path, manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.add_message("other", "user", "two")
    manager.save(KEY)
    assert _texts(reopen()) == ["one"]
    assert _texts(reopen(), "other") == []


def test_close_writes_all_of_them(manager: SessionManager, reopen: Reopen) -> None:
    for key in "abc":
        manager.add_message(key, "user", key)
    manager.close()
    assert [_texts(reopen(), key) for key in "abc"] == [["a"], ["b"], ["c"]]


def test_autosave_writes_each_change(directory: Path, reopen: Reopen) -> None:
    manager = SessionManager(directory, autosave=True)
    manager.add_message(KEY, "user", "one")
    assert _texts(reopen()) == ["one"]
    manager.set_summary(KEY, "so far")
    assert reopen().get_summary(KEY) == "so far"
    manager.truncate_history(KEY, 0)
    assert _texts(reopen()) == []


def test_a_document_is_for_its_owner_alone(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    assert (directory / NAME).stat().st_mode & 0o777 == 0o600
    assert directory.stat().st_mode & 0o777 == 0o700


def test_the_mode_of_a_directory_that_exists_is_left_alone(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    SessionManager(tmp_path)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_an_unchanged_session_is_not_written_again(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    before = (directory / NAME).stat()
    manager.save(KEY)
    manager.get_history(KEY)
    manager.truncate_history(KEY, 5)
    manager.close()
    after = (directory / NAME).stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


def test_reading_a_document_does_not_write_it(directory: Path, manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.close()
    before = (directory / NAME).stat()
    other = reopen()
    other.get_history(KEY)
    other.close()
    assert (directory / NAME).stat().st_ino == before.st_ino


def test_no_temporary_file_is_left(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    manager.close()
    assert sorted(os.listdir(directory)) == [".sessionkit-locks", NAME]


def test_a_session_dropped_without_close_writes_nothing(directory: Path) -> None:
    manager = SessionManager(directory)
    manager.add_message(KEY, "user", "one")
    del manager
    assert os.listdir(directory) == []


def test_deleting_removes_the_document(directory: Path, manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    assert reopen().sessionkit_delete_session(KEY, None)
    assert not (directory / NAME).exists()
    assert _texts(manager) == []


def test_a_session_deleted_before_it_was_saved_is_not_saved_later(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    assert manager.sessionkit_delete_session(KEY, None)
    manager.close()
    assert not (directory / NAME).exists()


def _names_of_synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of what is synced from now on, and of what is put in place by a rename, in order."""
    calls: list[str] = []
    fsync, replace = os.fsync, os.replace

    def recording_fsync(descriptor: int) -> None:
        calls.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)
        fsync(descriptor)

    def recording_replace(source: Path, target: Path) -> None:
        calls.append(f"rename to {target.name}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", recording_fsync)
    monkeypatch.setattr(os, "replace", recording_replace)
    return calls


needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="no /proc to tell what is synced")


@needs_proc
def test_a_document_is_synced_before_the_rename_and_its_directory_after_it(
    manager: SessionManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    calls = _names_of_synced(monkeypatch)
    manager.save(KEY)
    assert calls[0].endswith(temporary.SUFFIX)
    assert calls[1:] == [f"rename to {NAME}", "sessions"]


@needs_proc
def test_a_deletion_is_synced(manager: SessionManager, monkeypatch: pytest.MonkeyPatch) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    calls = _names_of_synced(monkeypatch)
    manager.sessionkit_delete_session(KEY, None)
    assert calls == ["sessions"]


@needs_proc
def test_the_directories_that_are_made_are_synced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = _names_of_synced(monkeypatch)
    SessionManager(tmp_path / "one" / "two")
    assert calls == [tmp_path.name, "one"]


# --- another process


def test_a_saved_session_follows_its_document(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    other = reopen()
    other.add_message(KEY, "user", "two")
    other.save(KEY)
    assert _texts(manager) == ["one", "two"]
    manager.add_message(KEY, "user", "three")
    manager.save(KEY)
    assert _texts(other) == ["one", "two", "three"]


def test_appends_of_two_processes_are_merged_in_the_order_of_saving(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "base")
    manager.save(KEY)
    other = reopen()
    for text in ("a1", "a2"):
        manager.add_message(KEY, "user", text)
    for text in ("b1", "b2"):
        other.add_message(KEY, "user", text)
    other.set_summary("another", "x")
    other.save(KEY)
    manager.save(KEY)
    assert _texts(manager) == _texts(other) == _texts(reopen()) == ["base", "b1", "b2", "a1", "a2"]


def test_a_session_that_two_processes_began_is_merged_too(manager: SessionManager, reopen: Reopen) -> None:
    other = reopen()
    manager.add_message(KEY, "user", "a")
    other.add_message(KEY, "user", "b")
    other.save(KEY)
    manager.save(KEY)
    assert _texts(reopen()) == ["b", "a"]


def test_appends_are_merged_again_once_another_change_is_saved(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "base")
    manager.set_summary(KEY, "so far")
    manager.save(KEY)
    other = reopen()
    manager.add_message(KEY, "user", "a")
    other.add_message(KEY, "user", "b")
    other.save(KEY)
    manager.save(KEY)
    assert (_texts(reopen()), reopen().get_summary(KEY)) == (["base", "b", "a"], "so far")


def test_what_another_process_said_beside_its_appends_is_kept_by_a_merge(
    manager: SessionManager, reopen: Reopen
) -> None:
    manager.add_message(KEY, "user", "base")
    manager.save(KEY)
    other = reopen()
    other.get_history(KEY)
    manager.add_message(KEY, "user", "a")
    other.set_summary(KEY, "so far")
    other.save(KEY)
    manager.save(KEY)
    assert (_texts(reopen()), reopen().get_summary(KEY)) == (["base", "a"], "so far")


def test_a_merged_session_is_in_a_state_that_nobody_saw(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "base")
    manager.save(KEY)
    other = reopen()
    theirs, ours = other.add_message(KEY, "user", "b"), manager.add_message(KEY, "user", "a")
    other.save(KEY)
    manager.save(KEY)
    assert manager.sessionkit_get_session(KEY, 0).version not in (theirs, ours, ABSENT)


CHANGES: dict[str, Callable[[SessionManager], object]] = {
    "appended": lambda manager: manager.add_message(KEY, "user", "three"),
    "summary": lambda manager: manager.set_summary(KEY, "so far"),
    "history": lambda manager: manager.set_history(KEY, [Message.simple("user", "new")]),
    "truncated": lambda manager: manager.truncate_history(KEY, 1),
    "deleted": lambda manager: manager.sessionkit_delete_session(KEY, None),
}


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("summary", "appended"),
        ("history", "appended"),
        ("truncated", "appended"),
        ("summary", "summary"),
        ("appended", "history"),
        ("appended", "truncated"),
        ("appended", "deleted"),
        ("summary", "deleted"),
    ],
)
def test_anything_but_appends_is_a_conflict(manager: SessionManager, reopen: Reopen, ours: str, theirs: str) -> None:
    for text in ("one", "two"):
        manager.add_message(KEY, "user", text)
    manager.save(KEY)
    other = reopen()
    CHANGES[ours](manager)
    CHANGES[theirs](other)
    other.save(KEY)
    stored, unsaved = _texts(reopen()), _texts(manager)
    with pytest.raises(VersionConflict, match="cli:direct"):
        manager.save(KEY)
    assert (_texts(reopen()), _texts(manager)) == (stored, unsaved)


def test_two_processes_that_replaced_a_session_by_the_same_agree(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "old")
    manager.save(KEY)
    other = reopen()
    for each in (manager, other):
        each.set_history(KEY, [Message.simple("user", "new")])
        each.set_summary(KEY, "so far")
    version = _version(other)
    other.save(KEY)
    manager.close()
    assert (_texts(manager), manager.get_summary(KEY), _version(manager)) == (["new"], "so far", version)
    assert _version(reopen()) == version


def test_the_same_append_of_two_processes_is_two_messages(manager: SessionManager, reopen: Reopen) -> None:
    other = reopen()
    for each in (manager, other):
        each.add_message(KEY, "user", "hello")
        each.save(KEY)
    assert _texts(reopen()) == ["hello", "hello"]


def test_an_append_after_a_replacement_is_not_taken_for_another_processs(
    manager: SessionManager, reopen: Reopen
) -> None:
    other = reopen()
    for each in (manager, other):
        each.set_history(KEY, [Message.simple("user", "one")])
        each.add_message(KEY, "user", "hello")
    other.save(KEY)
    with pytest.raises(VersionConflict):
        manager.save(KEY)


def test_importers_that_bring_the_same_at_once_all_end_well(directory: Path, reopen: Reopen) -> None:
    stores = [open_store(f"json:{directory}", on_write_error="raise") for _ in range(3)]
    messages = [Message.simple("user", "one")]
    documents = [
        Placed(document=SessionDocument(key=key, messages=tuple(messages)), source="a file") for key in ("a", "b")
    ]
    for store in stores:  # each has looked before another one saves
        for key in ("a", "b"):
            store.update_session(key, messages=messages, if_version=ABSENT)
    for store in stores:
        assert import_sessions(store, documents).complete
    for store in stores:
        store.close()
    assert [_texts(reopen(), key) for key in ("a", "b")] == [["one"], ["one"]]


def test_a_session_that_must_be_new_does_not_merge_into_another(manager: SessionManager, reopen: Reopen) -> None:
    other = reopen()
    fork = [Message.simple("user", "fork")]
    manager.sessionkit_update_session(
        KEY, fork, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, if_version=ABSENT, write_id=""
    )
    other.add_message(KEY, "user", "other")
    other.save(KEY)
    with pytest.raises(VersionConflict):
        manager.save(KEY)
    assert _texts(reopen()) == ["other"]


def test_a_conflict_ends_when_the_unsaved_is_discarded(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    other = reopen()
    other.set_history(KEY, [Message.simple("user", "theirs")])
    manager.add_message(KEY, "user", "two")
    other.save(KEY)
    assert manager.discard_unsaved(KEY)
    assert _texts(manager) == ["theirs"]
    assert not manager.discard_unsaved(KEY)
    manager.close()


def test_close_saves_the_others_and_names_those_in_conflict(manager: SessionManager, reopen: Reopen) -> None:
    for key in ("a", "b"):
        manager.add_message(key, "user", "one")
    manager.close()
    other = reopen()
    other.truncate_history("a", 0)
    other.close()
    manager.get_history("b")
    other = reopen()
    manager.set_summary("a", "ours")
    manager.add_message("b", "user", "two")
    other.set_summary("a", "theirs")
    other.close()
    with pytest.raises(WriteFailedError, match="'a'") as caught:
        manager.close()
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert "'b'" not in str(caught.value)
    assert (_texts(reopen(), "b"), reopen().get_summary("a")) == (["one", "two"], "theirs")


def test_an_append_while_a_save_is_under_way_stays_unsaved(
    directory: Path, manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    inside, go_on, sync = threading.Event(), threading.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        inside.set()
        go_on.wait(10)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    saving = threading.Thread(target=manager.save, args=(KEY,))
    saving.start()
    assert inside.wait(10)
    manager.add_message(KEY, "user", "two")
    go_on.set()
    saving.join()
    assert _texts(reopen()) == ["one"]
    assert _texts(manager) == ["one", "two"]
    manager.save(KEY)
    assert _texts(reopen()) == ["one", "two"]


def test_of_two_saves_at_once_the_older_never_wins(
    manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    first_is_inside, go_on, sync = threading.Event(), threading.Event(), os.fsync

    def fsync(descriptor: int) -> None:
        if not first_is_inside.is_set():
            first_is_inside.set()
            go_on.wait(10)
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    first = threading.Thread(target=manager.save, args=(KEY,))
    first.start()
    assert first_is_inside.wait(10)
    manager.add_message(KEY, "user", "two")
    second = threading.Thread(target=manager.save, args=(KEY,))
    second.start()
    go_on.set()
    first.join()
    second.join()
    assert _texts(reopen()) == ["one", "two"]


def test_of_many_sessions_those_read_last_stay_in_memory_and_all_that_are_unsaved(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(manager_module, "_REMEMBERED", 10)
    manager = SessionManager(directory)
    keys = [f"k{number:02}" for number in range(40)]
    for key in keys:
        manager.add_message(key, "user", "saved")
    manager.close()
    assert len(manager._sessions) == 10
    for key in keys[:15]:
        manager.add_message(key, "user", "unsaved")
    versions = {key: manager.sessionkit_get_session(key, 0).version for key in keys}
    assert set(keys[:15]) <= set(manager._sessions)
    assert len(manager._sessions) < len(keys)
    for key in keys:
        assert _texts(manager, key) == (["saved", "unsaved"] if key in keys[:15] else ["saved"])
        assert manager.sessionkit_get_session(key, 0).version == versions[key]


def test_without_a_directory_nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(manager_module, "_REMEMBERED", 10)
    manager = SessionManager()
    for number in range(40):
        manager.add_message(f"k{number}", "user", "one")
    assert all(_texts(manager, f"k{number}") == ["one"] for number in range(40))
