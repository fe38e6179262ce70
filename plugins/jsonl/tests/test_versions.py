"""Versions change with every change and with nothing else; generations when messages go."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest

from sessionkit import SessionStore, VersionConflict

Reopen: TypeAlias = Callable[..., SessionStore]

FIVE = [{"role": "user", "content": str(number)} for number in range(5)]


def test_a_save_that_compacts_leaves_version_and_generation_alone(reopen: Reopen) -> None:
    store = reopen(compact_threshold=0)
    store.add_messages("k", FIVE)
    store.truncate_history("k", 2, summary="s")
    before = store.get_session("k")
    store.save("k")
    assert store.get_session("k") == reopen().get_session("k") == before
    store.add_message("k", "user", "5")
    store.truncate_history("k", 1)
    store.save("k")
    store.set_history("k", FIVE, if_version=store.get_session("k").version)


def test_compaction_leaves_the_versions_of_a_session_of_picoclaw_alone(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    (directory / "k.jsonl").write_text('{"role":"user","content":"1"}\n{"role":"user","content":"2"}\n')
    (directory / "k.meta.json").write_text('{"key": "k", "skip": 1, "count": 2, "updated_at": "2026-01-02T03:04:05Z"}')
    store = reopen(compact_threshold=0)
    before = store.get_session("k")
    assert before.updated == "2026-01-02T03:04:05Z"
    store.save("k")
    assert (directory / "k.jsonl").read_bytes().count(b"\n") == 1
    assert store.get_session("k") == reopen().get_session("k") == before


def test_appending_changes_the_version_and_not_the_generation(reopen: Reopen) -> None:
    store = reopen()
    store.update_session("k", summary="no message yet")
    generation = store.get_session("k").generation
    versions = {store.add_message("k", "user", "the same") for _ in range(5)}
    assert len(versions) == 5
    assert store.get_session("k").generation == generation


def test_every_truncation_and_replacement_is_a_generation(reopen: Reopen) -> None:
    store = reopen()
    store.add_messages("k", FIVE)
    generations = [store.get_session("k").generation]
    for change in (
        lambda: store.truncate_history("k", 3),
        lambda: store.set_history("k", FIVE),
        lambda: store.set_history("k", FIVE),
        lambda: store.truncate_history("k", 0),
        lambda: store.delete_session("k"),
        lambda: store.add_messages("k", FIVE),
    ):
        change()
        generations.append(store.get_session("k").generation)
    assert len(set(generations)) == len(generations)


def test_nothing_to_truncate_changes_nothing(directory: Path, reopen: Reopen) -> None:
    store = reopen()
    version = store.add_messages("k", FIVE)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert store.truncate_history("k", 5) == version
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_session_made_again_has_no_version_of_the_old_one(reopen: Reopen) -> None:
    store = reopen()
    old = store.add_message("k", "user", "the same")
    store.delete_session("k")
    assert store.add_message("k", "user", "the same") != old
    with pytest.raises(VersionConflict):
        store.set_history("k", [], if_version=old)


def test_two_stores_tell_the_same_version(reopen: Reopen) -> None:
    one, other = reopen(), reopen()
    for number in range(3):
        version = (one, other)[number % 2].add_message("k", "user", str(number))
        assert one.get_session("k").version == other.get_session("k").version == version
