"""When a write reaches the disk."""

from __future__ import annotations

import errno
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.files import Files, OpenFile
from sessionkit_jsonl.tail import Tail

from sessionkit.errors import OutcomeUnknownError
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED as U

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


class Watched(Files):
    """Files that tell what was synced."""

    calls: list[str]
    synced: threading.Event

    def __init__(self) -> None:
        object.__setattr__(self, "calls", [])
        object.__setattr__(self, "synced", threading.Event())

    def sync_data(self, file: OpenFile) -> None:
        super().sync_data(file)
        self.calls.append(os.path.basename(file.path))
        self.synced.set()

    def sync(self, file: OpenFile) -> None:
        super().sync(file)
        self.calls.append("temporary")

    def sync_directory(self, path: str) -> None:
        super().sync_directory(path)
        self.calls.append("directory")


@pytest.fixture
def files() -> Watched:
    return Watched()


def add(backend: JSONLBackend, *contents: str) -> None:
    backend.sessionkit_add_messages("k", [Message.simple("user", text) for text in contents], "")


def test_always_syncs_once_for_an_append_and_for_a_batch(open_backend: OpenBackend, files: Watched) -> None:
    backend = open_backend(files)
    add(backend, "1")
    for batch in (["2"], ["3", "4", "5"]):
        files.calls.clear()
        add(backend, *batch)
        assert files.calls == ["k.jsonl"]


def test_what_each_operation_syncs(open_backend: OpenBackend, files: Watched) -> None:
    backend = open_backend(files, compact_threshold=0)

    def calls(operation: Callable[[], object]) -> list[str]:
        files.calls.clear()
        operation()
        return files.calls

    update = backend.sessionkit_update_session
    replace = ["temporary", "directory"]
    assert calls(lambda: add(backend, "1", "2", "3")) == ["temporary", "temporary", "directory", "directory"]
    truncate = calls(lambda: backend.sessionkit_truncate_history("k", 2, None, U, None, None, ""))
    assert truncate == ["k.jsonl", *replace]
    assert calls(lambda: update("k", [], U, U, U, U, U, None, "")) == replace
    assert calls(lambda: update("k", [], "s", U, U, U, U, None, "")) == ["temporary", *replace, "directory", *replace]
    assert calls(lambda: backend.sessionkit_delete_session("k", None)) == ["directory", "directory"]


def test_the_first_append_of_a_process_makes_the_name_of_the_file_durable(
    open_backend: OpenBackend, files: Watched
) -> None:
    add(open_backend(), "1")
    backend = open_backend(files)
    files.calls.clear()
    add(backend, "2")
    add(backend, "3")
    assert files.calls == ["directory", "k.jsonl", "k.jsonl"]


def test_os_never_syncs_an_append_and_save_does(open_backend: OpenBackend, files: Watched) -> None:
    backend = open_backend(files, durability="os")
    add(backend, "1")
    files.calls.clear()
    add(backend, "2")
    add(backend, "3", "4")
    assert files.calls == []
    backend.sessionkit_save("k")
    assert files.calls == ["k.jsonl"]


@pytest.mark.parametrize("durability", ["interval", "os"])
def test_only_appends_are_synced_later(open_backend: OpenBackend, files: Watched, durability: str) -> None:
    backend = open_backend(files, durability=durability, interval=3600)
    add(backend, "1", "2")
    assert files.calls == ["directory", "temporary", "temporary", "directory", "directory"]
    files.calls.clear()
    backend.sessionkit_update_session("k", [], U, U, U, U, U, None, "")
    assert files.calls == ["temporary", "directory"]


@pytest.mark.parametrize("durability", ["always", "os"])
def test_a_session_without_messages_is_durable_at_once(
    open_backend: OpenBackend, files: Watched, durability: str
) -> None:
    backend = open_backend(files, durability=durability)
    files.calls.clear()
    backend.sessionkit_update_session("k", U, "what was said", U, U, U, U, None, "")
    assert files.calls == ["temporary", "directory"]


def test_after_an_append_that_was_synced_nothing_is_left_to_sync(open_backend: OpenBackend, files: Watched) -> None:
    backend = open_backend(files)
    add(backend, "1")
    add(backend, "2")
    files.calls.clear()
    backend.sessionkit_save("k")
    assert files.calls == []
    backend.sessionkit_truncate_history("k", 1, None, U, None, None, "")
    assert files.calls == ["temporary", "directory"]


@pytest.mark.parametrize("question", [1, 2])
def test_save_succeeds_when_another_thread_closes_the_files_of_the_session_meanwhile(
    open_backend: OpenBackend, monkeypatch: pytest.MonkeyPatch, question: int
) -> None:
    backend = open_backend()
    add(backend, "1")
    add(backend, "2")
    entry, covers, asked = backend._entries.get("k"), Tail.covers, [0]

    def leave_and_cover(tail: Tail, file: OpenFile, size: int) -> bool:
        asked[0] += 1
        if asked[0] == question:
            entry.release()  # as when so many other sessions are used that this one makes room
        return covers(tail, file, size)

    monkeypatch.setattr(Tail, "covers", leave_and_cover)
    assert backend.sessionkit_save("k")


@pytest.mark.parametrize("saved", [False, True])
@pytest.mark.parametrize("length", [1, 2])
def test_save_syncs_what_another_process_appended_behind_a_synced_message(
    open_backend: OpenBackend, files: Watched, length: int, *, saved: bool
) -> None:
    backend, other = open_backend(files), open_backend(durability="os")
    add(backend, "1")
    add(backend, "2")
    if saved:
        backend.sessionkit_save("k")
    add(other, *["3"] * length)
    files.calls.clear()
    backend.sessionkit_save("k")
    assert files.calls == ["k.jsonl"]


@pytest.mark.parametrize("saved", [False, True])
def test_save_syncs_a_log_that_took_the_place_of_the_one_that_was_synced(
    directory: Path, open_backend: OpenBackend, files: Watched, *, saved: bool
) -> None:
    backend = open_backend(files)
    add(backend, "1")
    add(backend, "2")
    if saved:
        backend.sessionkit_save("k")
    log = directory / "k.jsonl"
    data = log.read_bytes()
    log.rename(directory / "old")
    log.write_bytes(data)
    files.calls.clear()
    backend.sessionkit_save("k")
    assert files.calls == ["directory", "k.jsonl"]


def test_save_syncs_what_another_process_wrote(open_backend: OpenBackend, files: Watched) -> None:
    add(open_backend(durability="os"), "1")
    backend = open_backend(files)
    files.calls.clear()
    backend.sessionkit_save("k")
    assert "k.jsonl" in files.calls


def test_interval_syncs_in_the_background(open_backend: OpenBackend, files: Watched) -> None:
    backend = open_backend(files, durability="interval", interval=0.01)
    add(backend, "1")
    add(backend, "2")
    assert files.synced.wait(10)
    assert backend.sessionkit_get_history("k", 0, None).total == 2


@pytest.mark.parametrize("durability", ["interval", "os"])
def test_close_syncs_what_is_left(open_backend: OpenBackend, files: Watched, durability: str) -> None:
    backend = open_backend(files, durability=durability, interval=3600)
    add(backend, "1")
    add(backend, "2")
    files.calls.clear()
    backend.sessionkit_close()
    assert files.calls == ["k.jsonl"]


class Failing(Watched):
    """Files whose data cannot be synced."""

    def sync_data(self, file: OpenFile) -> None:
        self.synced.set()
        raise OSError(errno.EIO, os.strerror(errno.EIO), file.path)

    def sync(self, file: OpenFile) -> None:
        if "broken" in self.calls:
            raise OSError(errno.EIO, os.strerror(errno.EIO), file.path)
        super().sync(file)


def test_a_failure_in_the_background_is_put_right_by_save(directory: Path, open_backend: OpenBackend) -> None:
    files = Failing()
    backend = open_backend(files, durability="interval", interval=0.01)
    add(backend, "1")
    add(backend, "2")
    assert files.synced.wait(10)
    backend._durability.stop()
    inode = (directory / "k.jsonl").stat().st_ino
    backend.sessionkit_save("k")
    assert (directory / "k.jsonl").stat().st_ino != inode
    assert [message.text for message in open_backend().sessionkit_get_history("k", 0, None).messages] == ["1", "2"]


def test_a_failure_in_the_background_that_stays_is_told_by_save_and_close(open_backend: OpenBackend) -> None:
    files = Failing()
    backend = open_backend(files, durability="interval", interval=0.01)
    add(backend, "1")
    add(backend, "2")
    assert files.synced.wait(10)
    backend._durability.stop()
    files.calls.append("broken")
    for tell in (lambda: backend.sessionkit_save("k"), backend.sessionkit_close):
        with pytest.raises(OutcomeUnknownError, match=r"'k'.*Input/output error"):
            tell()
