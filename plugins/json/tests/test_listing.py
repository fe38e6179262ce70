"""Listings: sorted by key, a page at a time, of what is saved and what is not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sessionkit_json import SessionManager
from sessionkit_json import directory as directory_module

from sessionkit.sessions import SessionInfo

from .conftest import Reopen


def _keys(manager: SessionManager, prefix: str = "", limit: int = 100) -> list[str]:
    return [info.key for info in _infos(manager, prefix, limit)]


def _infos(manager: SessionManager, prefix: str = "", limit: int = 100) -> list[SessionInfo]:
    infos: list[SessionInfo] = []
    page = manager.sessionkit_list_sessions(prefix, None, limit)
    infos.extend(page.sessions)
    while page.next is not None:
        page = manager.sessionkit_list_sessions(prefix, page.next, limit)
        assert len(page.sessions) <= limit
        infos.extend(page.sessions)
    return infos


@pytest.fixture
def seven(manager: SessionManager, reopen: Reopen) -> SessionManager:
    """Some sessions saved by another process, some by this one, some unsaved."""
    other = reopen()
    for key in ("b", "a:2", "é"):
        other.add_message(key, "user", key)
    other.close()
    for key in ("a:1", "Z"):
        manager.add_message(key, "user", key)
        manager.save(key)
    for key in ("a:3", "😀"):
        manager.add_message(key, "user", key)
    return manager


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100])
def test_every_session_appears_once_in_the_order_of_the_keys(seven: SessionManager, limit: int) -> None:
    assert _keys(seven, limit=limit) == ["Z", "a:1", "a:2", "a:3", "b", "é", "😀"]


@pytest.mark.parametrize("limit", [1, 2, 100])
def test_a_prefix_selects(seven: SessionManager, limit: int) -> None:
    assert _keys(seven, "a:", limit) == ["a:1", "a:2", "a:3"]
    assert _keys(seven, "c", limit) == []


def test_an_entry_is_the_session_without_its_messages(seven: SessionManager) -> None:
    for info in _infos(seven):
        session = seven.sessionkit_get_session(info.key, 0)
        assert type(info) is SessionInfo
        assert (info.version, info.generation, info.count) == (session.version, session.generation, 1)
        assert (info.created, info.updated) == (session.created, session.updated)


def test_the_size_is_that_of_the_document_and_none_for_what_is_unsaved(seven: SessionManager, directory: Path) -> None:
    sizes = {info.key: info.size for info in _infos(seven)}
    assert sizes["a:1"] == (directory / "a_1.json").stat().st_size
    assert [key for key, size in sizes.items() if size is None] == ["a:3", "😀"]


def test_the_first_page_tells_what_cannot_be_read(seven: SessionManager, directory: Path, reopen: Reopen) -> None:
    seven.close()
    (directory / "torn.json").write_text('{"key": "torn"')
    (directory / "b.json").rename(directory / "copy of b.json")
    (directory / "package.json").write_text("{}")
    manager = reopen()
    for _ in range(2):
        page = manager.sessionkit_list_sessions("", None, 2)
        renamed, torn = sorted(page.unreadable)
        assert renamed == f"{directory / 'copy of b.json'} is named otherwise than its session 'b'; rename it to b.json"
        assert torn.startswith(f"{directory / 'torn.json'} is not the document of a session: ")
        assert not manager.sessionkit_list_sessions("", page.next, 2).unreadable


def test_writes_between_pages_neither_hide_nor_repeat_a_session(seven: SessionManager) -> None:
    first = seven.sessionkit_list_sessions("", None, 3)
    seven.add_message("Z", "user", "more")
    seven.add_message("b", "user", "more")
    seven.save("b")
    seven.sessionkit_delete_session("a:2", None)
    rest = seven.sessionkit_list_sessions("", first.next, 100)
    assert [info.key for info in (*first.sessions, *rest.sessions)] == ["Z", "a:1", "a:2", "a:3", "b", "é", "😀"]
    assert {info.key: info.count for info in rest.sessions}["b"] == 2


def test_a_listing_keeps_no_session_in_memory(manager: SessionManager, reopen: Reopen) -> None:
    manager.add_message("a", "user", "one")
    manager.close()
    other = reopen()
    _keys(other)
    assert other._sessions == {}


def test_a_document_is_read_once_for_each_change(
    manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in "abc":
        manager.add_message(key, "user", key)
    manager.close()
    other = reopen()
    loaded: list[str] = []
    load = directory_module._load

    def recording(path: Path) -> object:
        loaded.append(path.name)
        return load(path)

    monkeypatch.setattr(directory_module, "_load", recording)
    _keys(other)
    assert sorted(loaded) == ["a.json", "b.json", "c.json"]
    loaded.clear()
    _keys(other, limit=1)
    assert loaded == []
    manager.add_message("b", "user", "more")
    manager.save("b")
    loaded.clear()
    assert [info.count for info in _infos(other)] == [1, 2, 1]
    assert loaded == ["b.json"]


def test_a_settled_directory_is_looked_through_once(
    directory: Path, manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    for key in "abc":
        manager.add_message(key, "user", key)
    manager.close()
    os.utime(directory, (1, 1))
    other = reopen()
    scans: list[Path] = []
    scandir = os.scandir

    def recording(path: Path) -> object:
        scans.append(path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", recording)
    assert _keys(other, limit=1) == ["a", "b", "c"]
    assert len(scans) == 1
    manager.add_message("bb", "user", "new")
    manager.save("bb")
    assert _keys(other, limit=1) == ["a", "b", "bb", "c"]


def test_a_deleted_session_is_listed_no_more(seven: SessionManager, reopen: Reopen) -> None:
    assert "b" in _keys(seven)
    reopen().sessionkit_delete_session("b", None)
    assert "b" not in _keys(seven)


def test_a_session_saved_in_the_same_tick_of_the_clock_is_listed(
    directory: Path, manager: SessionManager, reopen: Reopen
) -> None:
    manager.add_message("a", "user", "one")
    manager.save("a")
    before = directory.stat()
    assert _keys(manager) == ["a"]
    other = reopen()
    other.add_message("b", "user", "one")
    other.save("b")
    os.utime(directory, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _keys(manager) == ["a", "b"]


def test_what_was_deleted_is_forgotten_by_the_catalog(seven: SessionManager, reopen: Reopen) -> None:
    _keys(seven)
    reopen().sessionkit_delete_session("b", None)
    _keys(seven)
    assert seven._catalog is not None
    assert "b.json" not in seven._catalog._entries
