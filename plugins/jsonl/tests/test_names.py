"""Whether names in a directory changed: the kernel tells it in one call, or everybody has to look."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import mounts, platforms
from sessionkit_jsonl.names import Names
from sessionkit_jsonl.platforms import Platform

from sessionkit import SessionStore

OpenStore: TypeAlias = Callable[..., SessionStore]

MANY = 40
"""After so many appends of a store, the directory is watched."""


@pytest.fixture
def names(tmp_path: Path) -> Names:
    names = Names(str(tmp_path), patience=1)
    names.confirm()
    if names._watch is None:
        pytest.skip("the kernel does not tell of changes in the directory for temporary files")
    return names


CHANGES: dict[str, Callable[[Path], object]] = {
    "made": lambda path: (path / "new").open("x").close(),
    "renamed": lambda path: (path / "one").rename(path / "two"),
    "replaced": lambda path: (path / "other").replace(path / "one"),
    "linked": lambda path: (path / "two").hardlink_to(path / "one"),
    "removed": lambda path: (path / "one").unlink(),
    "written": lambda path: (path / "one").write_text("anew"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_is_known_when_it_is_done(names: Names, tmp_path: Path, change: Callable[[Path], object]) -> None:
    for name in ("one", "other"):
        (tmp_path / name).write_text("")
    before = names.mark()
    assert names.mark() == before
    change(tmp_path)
    after = names.mark()
    assert after != before
    assert names.mark() == after


def test_an_append_to_an_open_file_is_no_change(names: Names, tmp_path: Path) -> None:
    with (tmp_path / "one").open("a", buffering=1) as file:
        before = names.mark()
        file.write("line\n")
        assert names.mark() == before


def test_another_directory_in_the_place_of_the_watched_one_is_noticed(names: Names, tmp_path: Path) -> None:
    before = names.confirm()
    tmp_path.rename(tmp_path.with_name(f"{tmp_path.name} moved"))
    tmp_path.mkdir()
    assert names.confirm() != before
    watched = names.confirm()
    assert names.mark() == watched
    (tmp_path / "new").touch()
    assert names.mark() != watched


def test_the_watch_of_another_directory_gives_no_answer_of_the_one_before(names: Names, tmp_path: Path) -> None:
    before = names.confirm()
    tmp_path.rename(tmp_path.with_name(f"{tmp_path.name} moved"))
    tmp_path.mkdir()
    names.confirm()
    assert names.confirm() != before
    assert names._watch is not None


def test_stores_of_one_directory_share_a_watch_and_the_last_one_ends_it(names: Names, tmp_path: Path) -> None:
    other = Names(str(tmp_path), patience=1)
    assert other.confirm() == names.mark()
    assert other._watch is names._watch
    names.close()
    before = other.mark()
    (tmp_path / "new").touch()
    assert other.mark() != before
    other.close()
    assert other.mark() < 0


def test_nobody_waits_for_one_who_reads_the_events_and_nobody_misses_one(names: Names, tmp_path: Path) -> None:
    before = names.mark()
    assert names._watch is not None
    assert names._watch.inotify is not None
    with names._watch.inotify._reading:
        assert names.mark() < 0
    assert names.mark() == before


def test_what_changes_in_one_directory_is_no_change_of_another(names: Names, tmp_path: Path) -> None:
    (tmp_path / "inside").mkdir()
    other = Names(str(tmp_path / "inside"), patience=1)
    before = other.confirm(), names.mark()
    (tmp_path / "inside" / "new").touch()
    assert other.mark() != before[0]
    assert names.mark() == before[1]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform does not fork")
def test_a_forked_child_takes_no_events_from_its_parent(names: Names, tmp_path: Path) -> None:
    before = names.mark()
    (tmp_path / "new").touch()
    child = os.fork()
    if child == 0:  # pragma: no cover - another process
        own = Names(str(tmp_path), patience=1)
        seen = own.confirm()
        (tmp_path / "child").touch()
        os._exit(0 if seen >= 0 and own.mark() != seen else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert names.mark() != before


@pytest.mark.parametrize("lack", ["inotify", "a local file system", "instances"])
def test_where_nothing_is_told_every_question_has_another_answer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lack: str
) -> None:
    if lack == "inotify":
        monkeypatch.setattr(platforms, "current", Platform(watches=False))
    elif lack == "instances":
        monkeypatch.setattr(os, "open", _refuse)
    else:
        monkeypatch.setattr(mounts, "file_system", lambda path: "nfs4")
    names = Names(str(tmp_path), patience=2)
    answers = [names.confirm(), names.mark(), names.confirm(), names.mark(), names.confirm()]
    assert len(set(answers)) == 5


def _refuse(*arguments: object) -> int:
    raise OSError(24, os.strerror(24))


@pytest.fixture
def watching(reopen: OpenStore) -> SessionStore:
    store = reopen()
    for number in range(MANY):
        store.add_message("k", "user", str(number))
    return store


def test_the_version_after_an_append_tells_of_what_another_process_did(
    watching: SessionStore, reopen: OpenStore
) -> None:
    other = reopen()
    for keep in (3, 2):
        other.truncate_history("k", keep, summary="what was said")
        version = watching.add_message("k", "user", "then")
        assert version == watching.get_session("k").version == reopen().get_session("k").version
        assert len(watching.get_history("k")) == keep + 1


def test_a_document_that_somebody_edits_is_seen_by_the_next_append(
    watching: SessionStore, reopen: OpenStore, directory: Path
) -> None:
    path = directory / "k.meta.json"
    path.write_text(path.read_text().replace('"summary": ""', '"summary": "edited"').replace('"rev": "', '"rev": "e'))
    assert watching.add_message("k", "user", "then") == reopen().get_session("k").version


def test_an_append_finds_the_file_that_another_process_put_in_the_place_of_the_old_one(
    watching: SessionStore, reopen: OpenStore
) -> None:
    reopen().set_history("k", [{"role": "user", "content": "new"}])
    watching.add_message("k", "user", "then")
    assert [message.text for message in reopen().get_history("k")] == ["new", "then"]


def test_a_lock_file_that_was_removed_is_made_again(watching: SessionStore, directory: Path) -> None:
    (directory / ".sessionkit.lock").unlink()
    watching.add_message("k", "user", "then")
    assert (directory / ".sessionkit.lock").exists()


def test_a_directory_that_was_replaced_is_written_to_at_its_path(
    watching: SessionStore, reopen: OpenStore, directory: Path
) -> None:
    moved = directory.rename(directory.with_name("moved"))
    directory.mkdir()
    watching.add_message("k", "user", "then")
    assert [message.text for message in reopen().get_history("k")] == ["then"]
    assert (moved / "k.jsonl").read_bytes().count(b"\n") == MANY
