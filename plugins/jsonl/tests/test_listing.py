"""Listing a directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.directory import Found, read_meta

from sessionkit import SessionStore
from sessionkit.filenames import hashed_name
from sessionkit.messages import Message
from sessionkit.sessions import SessionInfo

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


def add(backend: JSONLBackend, *keys: str) -> None:
    for key in keys:
        backend.sessionkit_add_messages(key, [Message.simple("user", key)], "")


def pages(backend: JSONLBackend, prefix: str = "", limit: int = 2) -> list[list[str]]:
    found: list[list[str]] = []
    cursor = None
    while True:
        page = backend.sessionkit_list_sessions(prefix, cursor, limit)
        found.append([info.key for info in page.sessions])
        if page.next is None:
            return found
        cursor = page.next


def everything(backend: JSONLBackend) -> list[SessionInfo]:
    return list(backend.sessionkit_list_sessions("", None, 1000).sessions)


def test_pages_are_sorted_by_key_and_end(open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, "b", "a", "c:1", "c/2", "d")
    assert pages(backend) == [["a", "b"], ["c/2", "c:1"], ["d"]]
    assert pages(backend, "c") == [["c/2", "c:1"]]
    assert pages(backend, "x") == [[]]


def test_an_unreadable_neighbour_is_left_out_and_told_once(
    directory: Path, open_backend: OpenBackend, caplog: pytest.LogCaptureFixture
) -> None:
    backend = open_backend()
    add(backend, "a", "b", "c")
    (directory / "b.jsonl").unlink()
    (directory / "b.jsonl").mkdir()
    (directory / "loop.meta.json").symlink_to("loop.meta.json")
    for _ in range(2):
        assert [info.key for info in everything(backend)] == ["a", "c"]
    assert sum("left out of listings" in record.message for record in caplog.records) == 2


def test_a_page_tells_of_its_unreadable_sessions_and_the_first_of_those_without_key(
    directory: Path, open_backend: OpenBackend
) -> None:
    backend = open_backend()
    add(backend, "a", "b", "c", "d")
    (directory / "c.jsonl").unlink()
    (directory / "c.jsonl").mkdir()
    (directory / "loop.meta.json").symlink_to("loop.meta.json")
    for _ in range(2):
        first = backend.sessionkit_list_sessions("", None, 1)
        second = backend.sessionkit_list_sessions("", first.next, 9)
        assert [line.partition(": ")[0] for line in first.unreadable] == [str(directory / "loop")]
        assert [line.partition(": ")[0] for line in second.unreadable] == [str(directory / "c")]
        assert [info.key for page in (first, second) for info in page.sessions] == ["a", "b", "d"]


def test_what_is_no_session_is_not_listed(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    add(backend, "a")
    (directory / "notes.txt").write_text("x")
    (directory / "a.archive").write_text("x")
    (directory / "old.json").write_text("{}")
    (directory / f"{hashed_name('lost')}.jsonl").write_text("")
    assert [info.key for info in everything(backend)] == ["a"]


def test_a_log_without_document_is_the_session_of_its_name(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    (directory / "a_b.jsonl").write_text('{"role":"user","content":"x"}\n')
    assert [(info.key, info.count) for info in everything(backend)] == [("a_b", 1)]
    assert backend.sessionkit_get_session("a_b", 0) == open_backend().sessionkit_get_session("a_b", 0)


def test_documents_and_logs_that_did_not_change_are_read_once(
    open_backend: OpenBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = open_backend(durability="os")
    add(backend, *(f"{number:03}" for number in range(40)))
    fresh = open_backend()
    read: list[str] = []
    original = fresh._listing._read

    def counted(key: str) -> Any:
        read.append(key)
        return original(key)

    monkeypatch.setattr(fresh._listing, "_read", counted)
    owners: list[str] = []

    def counted_meta(base: str) -> Found:
        owners.append(base)
        return read_meta(base)

    monkeypatch.setattr("sessionkit_jsonl.listing.read_meta", counted_meta)
    for _ in range(3):
        assert sum(map(len, pages(fresh, limit=5))) == 40
    assert (len(read), len(owners)) == (40, 40)
    add(backend, "007")
    assert sum(map(len, pages(fresh, limit=5))) == 40
    assert (read[40:], len(owners)) == (["007"], 40)
    assert [info.count for info in everything(fresh)].count(2) == 1


def test_an_alias_is_looked_up_without_reading_documents_again(
    reopen: Callable[..., SessionStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    writing = reopen(durability="os")
    for number in range(20):
        writing.update_session(f"{number:02}", aliases=[f"alias {number}"])
    store = reopen()
    read: list[str] = []

    def counted_meta(base: str) -> Found:
        read.append(base)
        return read_meta(base)

    monkeypatch.setattr("sessionkit_jsonl.listing.read_meta", counted_meta)
    monkeypatch.setattr("sessionkit_jsonl.directory.read_meta", counted_meta)
    assert store.resolve("alias 7") == "07"
    read.clear()
    assert [store.resolve(f"alias {number}") for number in (3, 19)] == ["03", "19"]
    assert not [base for base in read if "alias" not in base]  # a key of that name is looked for
    writing.update_session("03", aliases=["another"])
    assert (store.resolve("another"), store.resolve("alias 3")) == ("03", None)
    assert {os.path.basename(base) for base in read if "a" not in os.path.basename(base)} == {"03"}


def test_deleted_and_new_sessions_are_seen(open_backend: OpenBackend) -> None:
    backend, other = open_backend(), open_backend()
    add(backend, "a", "b")
    assert len(everything(other)) == 2
    backend.sessionkit_delete_session("a")
    add(backend, "c")
    assert [info.key for info in everything(other)] == ["b", "c"]


def test_a_listing_does_not_close_the_files_of_sessions_in_use(open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, *(f"{number:03}" for number in range(150)))
    fresh = open_backend(durability="os")
    add(fresh, "000")
    everything(fresh)
    assert list(fresh._entries._open) == ["000"]


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="open files are counted in /proc")
def test_open_files_are_bounded_however_many_sessions_are_used(open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    before = len(os.listdir("/proc/self/fd"))
    add(backend, *(f"{number:03}" for number in range(400)))
    assert len(os.listdir("/proc/self/fd")) - before <= 2 * 128 + 5
    for number in (0, 200, 399):
        history = backend.sessionkit_get_history(f"{number:03}", 0, None)
        assert [message.text for message in history.messages] == [f"{number:03}"]
