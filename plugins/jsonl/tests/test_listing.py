"""Listing a directory."""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.files import OpenFile, open_for_reading
from sessionkit_jsonl.headers import find_header
from sessionkit_jsonl.mounts import is_local

from sessionkit import SessionStore
from sessionkit.filenames import hashed_name
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED as U
from sessionkit.sessions import Heading, SessionInfo

OpenBackend: TypeAlias = Callable[..., JSONLBackend]
OpenStore: TypeAlias = Callable[..., SessionStore]

SUFFIXES = (".meta.json", ".jsonl")


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


def agreed(backend: JSONLBackend) -> list[SessionInfo]:
    """The listing, when the headings say the same before it and after it."""
    before = headings(backend)
    listed = everything(backend)
    assert before == headings(backend) == [described(info) for info in listed]
    return listed


def headings(backend: JSONLBackend) -> list[tuple[object, ...]]:
    return [described(heading) for heading in backend.sessionkit_list_headings("", None, 1000).headings]


def described(heading: Heading) -> tuple[object, ...]:
    return heading.key, heading.summary, heading.metadata, heading.aliases


def test_pages_are_in_the_order_of_names_and_end(open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, "b", "a", "c:1", "c/2", "cb", "d")
    assert pages(backend) == [["a", "b"], ["c:1", "c/2"], ["cb", "d"]]
    assert pages(backend, "c") == [["c:1", "c/2"], ["cb"]]
    assert pages(backend, "c/") == [["c/2"]]
    assert pages(backend, "x") == [[]]


def test_the_size_is_that_of_the_document_and_the_log(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, "a")
    for _ in range(2):
        (info,) = backend.sessionkit_list_sessions("", None, 10).sessions
        assert info.size == sum(os.path.getsize(directory / f"a.{suffix}") for suffix in ("jsonl", "meta.json"))
        add(backend, "a")


@pytest.mark.parametrize("prefix", ["a", "a:", "a\n", "\u00e9", "e", "x" * 130, "x" * 300, "\u00e9" * 70, "..", "."])
def test_a_prefix_finds_keys_whatever_their_files_are_called(open_backend: OpenBackend, prefix: str) -> None:
    backend = open_backend(durability="os")
    keys = [
        "a:b",
        "a/b",
        "a_b",
        "a\nb",
        "\u00e9x",
        "e\u0301x",
        "x" * 120,
        "x" * 140,
        "x" * 310,
        "\u00e9" * 90,
        "...",
        "A:",
    ]
    add(backend, *keys)
    assert sorted(key for page in pages(backend, prefix) for key in page) == sorted(
        key for key in keys if key.startswith(prefix)
    )


def test_files_that_their_key_does_not_lead_to_are_not_listed(directory: Path, open_backend: OpenBackend) -> None:
    add(open_backend(durability="os"), "a:b", "c")
    backend = open_backend()
    for suffix in (".meta.json", ".jsonl"):
        (directory / f"moved{suffix}").write_bytes((directory / f"c{suffix}").read_bytes())
        (directory / f"{hashed_name('a:b')}{suffix}").write_bytes((directory / f"a_b{suffix}").read_bytes())
    (directory / f"{hashed_name('a:b')}.meta.json").write_text('{"key": "a:b", "summary": "of the hashed name"}')
    assert [(info.key, info.summary) for info in agreed(backend)] == [("a:b", "of the hashed name"), ("c", "")]
    for suffix in (".meta.json", ".jsonl"):
        (directory / f"{hashed_name('a:b')}{suffix}").unlink()
    assert [(info.key, info.summary) for info in agreed(backend)] == [("a:b", ""), ("c", "")]


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


def test_a_page_tells_of_what_cannot_be_read_where_it_would_stand(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    add(backend, "a", "b", "c", "d")
    (directory / "c.jsonl").unlink()
    (directory / "c.jsonl").mkdir()
    (directory / "loop.meta.json").symlink_to("loop.meta.json")
    for _ in range(2):
        first = backend.sessionkit_list_sessions("", None, 1)
        second = backend.sessionkit_list_sessions("", first.next, 9)
        assert first.unreadable == []
        assert [line.partition(": ")[0] for line in second.unreadable] == [
            str(directory / "c"),
            str(directory / "loop"),
        ]
        assert [info.key for page in (first, second) for info in page.sessions] == ["a", "b", "d"]


def test_what_is_no_session_is_not_listed(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    add(backend, "a")
    (directory / "notes.txt").write_text("x")
    (directory / "a.archive").write_text("x")
    (directory / "old.json").write_text("{}")
    (directory / f"{hashed_name('lost')}.jsonl").write_text("")
    assert [info.key for info in agreed(backend)] == ["a"]


def test_a_log_without_document_is_the_session_of_its_name(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    (directory / "a_b.jsonl").write_text('{"role":"user","content":"x"}\n')
    assert [(info.key, info.count) for info in agreed(backend)] == [("a_b", 1)]
    assert backend.sessionkit_get_session("a_b", 0) == open_backend().sessionkit_get_session("a_b", 0)


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the files that are opened for reading."""
    names: list[str] = []

    def counted(path: str) -> OpenFile | None:
        names.append(os.path.basename(path))
        return open_for_reading(path)

    monkeypatch.setattr("sessionkit_jsonl.directory.open_for_reading", counted)
    monkeypatch.setattr("sessionkit_jsonl.entry.open_for_reading", counted)
    return names


def test_documents_and_logs_that_did_not_change_are_read_once(open_backend: OpenBackend, opened: list[str]) -> None:
    backend = open_backend(durability="os")
    add(backend, *(f"{number:03}" for number in range(40)))
    fresh = open_backend()
    opened.clear()
    for _ in range(3):
        assert sum(map(len, pages(fresh, limit=5))) == 40
    assert sorted(opened) == sorted(f"{number:03}{suffix}" for number in range(40) for suffix in SUFFIXES)
    add(backend, "007")
    opened.clear()
    assert sum(map(len, pages(fresh, limit=5))) == 40
    assert opened == ["007.meta.json", "007.jsonl"]
    assert [info.count for info in everything(fresh)].count(2) == 1


def test_headings_take_no_look_at_logs_and_documents_that_did_not_change_are_read_once(
    open_backend: OpenBackend, opened: list[str]
) -> None:
    backend = open_backend(durability="os")
    add(backend, *(f"{number:02}" for number in range(20)))
    fresh = open_backend()
    opened.clear()
    for _ in range(3):
        assert len(headings(fresh)) == 20
    assert sorted(opened) == [f"{number:02}.meta.json" for number in range(20)]
    backend.sessionkit_update_session("07", U, "s", U, U, U, U, None, "")
    opened.clear()
    assert ("07", "s", {}, ()) in headings(fresh)
    assert opened == ["07.meta.json"]


def test_headings_of_directories_that_crashes_left_are_those_of_the_listing(
    directory: Path, open_backend: OpenBackend
) -> None:
    backend = open_backend(durability="os")
    add(backend, "a", "b", "c", "d")
    document = json.loads((directory / "a.meta.json").read_bytes())
    log = open_for_reading(str(directory / "a.jsonl"))
    assert log is not None
    header = find_header(log, log.status().st_size)
    assert header is not None
    following = {"nonce": header.nonce, "document": {**document, "summary": "takes its place"}}
    document["sessionkit"] = {**document["sessionkit"], "next": following}
    (directory / "a.meta.json").write_text(json.dumps(document))
    (directory / "b.jsonl").unlink()
    (directory / "c.meta.json").write_text('{"key": "c", "summ')
    (directory / "d.meta.json").unlink()
    listed = agreed(open_backend())
    assert [(info.key, info.summary) for info in listed] == [("a", "takes its place"), ("c", ""), ("d", "")]


def test_a_page_reads_the_files_of_its_own_sessions(open_backend: OpenBackend, opened: list[str]) -> None:
    add(open_backend(durability="os"), *(f"{number:02}" for number in range(20)))
    fresh = open_backend()
    opened.clear()
    page = fresh.sessionkit_list_sessions("", None, 3)
    assert sorted(opened) == [f"{number:02}{suffix}" for number in range(3) for suffix in sorted(SUFFIXES)]
    opened.clear()
    fresh.sessionkit_list_sessions("1", page.next, 2)
    assert sorted(opened) == [f"{number:02}{suffix}" for number in (10, 11) for suffix in sorted(SUFFIXES)]


@contextlib.contextmanager
def a_while_later(directory: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let the last change of names be some time ago: the next one gives the directory another time, however coarse."""
    os.utime(directory, ns=(0, directory.stat().st_mtime_ns - 10_000_000_001))
    now = time.time_ns
    with monkeypatch.context() as patched:
        patched.setattr(time, "time_ns", lambda: now() + 10_000_000_001)
        yield


@pytest.mark.skipif(not is_local(Path.cwd()), reason="the clock of the file system may be another machine's")
def test_names_are_read_again_when_one_changed(
    directory: Path, open_backend: OpenBackend, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend, other = open_backend(durability="os"), open_backend(durability="os")
    add(backend, "a", "b")
    with a_while_later(directory, monkeypatch):
        everything(backend)
        listed.clear()
        add(backend, "a")
        assert [info.count for info in everything(backend)] == [2, 1]
        assert listed == []
    add(other, "c")
    assert [info.key for info in everything(backend)] == ["a", "b", "c"]
    backend.sessionkit_delete_session("a", None)
    assert [info.key for info in everything(backend)] == ["b", "c"]


def test_names_that_have_just_changed_are_read_each_time(
    directory: Path, open_backend: OpenBackend, listed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    backend = open_backend(durability="os")
    add(backend, "a")
    changed = directory.stat().st_ctime_ns
    everything(backend)
    for later, reads in ((0, 1), (99_000_000, 1), (3_000_000_000, 1), (3_000_000_000, 0)):
        monkeypatch.setattr(time, "time_ns", lambda later=later: changed + later)
        listed.clear()
        everything(backend)
        assert len(listed) == reads


def test_a_document_that_is_written_in_place_is_read_again(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, "a")
    for summary in ("x", "y", "a longer one"):
        for _ in range(2):
            agreed(backend)
        (directory / "a.meta.json").write_text(f'{{"key": "a", "summary": "{summary}"}}')
        assert [info.summary for info in agreed(backend)] == [summary]


def test_an_alias_is_found_without_reading_what_did_not_change(reopen: OpenStore, opened: list[str]) -> None:
    with reopen() as store:
        for number in range(5):
            store.update_session(f"k{number}", aliases=[f"alias{number}"])
        assert store.resolve("alias3") == "k3"
        opened.clear()
        assert store.resolve("alias4") == "k4"
        assert [name for name in opened if name.startswith("k")] == []


def test_deleted_and_new_sessions_are_seen(open_backend: OpenBackend) -> None:
    backend, other = open_backend(), open_backend()
    add(backend, "a", "b")
    assert len(agreed(other)) == 2
    backend.sessionkit_delete_session("a", None)
    add(backend, "c")
    assert [info.key for info in agreed(other)] == ["b", "c"]


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
