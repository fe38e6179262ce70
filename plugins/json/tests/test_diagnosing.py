"""What the backend tells of its directory."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sessionkit_json import SessionManager, diagnosing
from sessionkit_json.locks import FOLDER, slot_locked

from sessionkit import Finding, Level


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


def of(manager: SessionManager, check: str) -> list[Finding]:
    return [finding for finding in manager.sessionkit_diagnose() if finding.check == check]


def test_a_sound_directory_has_neither_warnings_nor_problems(directory: Path) -> None:
    manager = SessionManager(directory)
    manager.add_message("k", "user", "hello")
    manager.save("k")
    before = sorted(os.listdir(directory))
    findings = manager.sessionkit_diagnose()
    assert [str(finding) for finding in findings if finding.level in (Level.WARNING, Level.PROBLEM)] == []
    assert {"directory", "rights", "writing", "file system", "room", "locks", "lock holders", "durability"} <= {
        finding.check for finding in findings
    }
    assert of(manager, "sessions")[0].found.startswith("1 document (")
    assert sorted(os.listdir(directory)) == before


@pytest.mark.parametrize(("autosave", "text"), [(True, "when it returns"), (False, "until save")])
def test_when_changes_are_durable_is_told(directory: Path, autosave: bool, text: str) -> None:
    (finding,) = of(SessionManager(directory, autosave=autosave), "durability")
    assert text in finding.found


def test_unsaved_sessions_are_counted(directory: Path) -> None:
    manager = SessionManager(directory)
    manager.add_message("k", "user", "hello")
    (finding,) = of(manager, "unsaved")
    assert finding.found.startswith("1 session has changes")
    manager.save("k")
    assert of(manager, "unsaved") == []


def test_without_a_directory_there_is_little_to_say() -> None:
    (finding,) = SessionManager().sessionkit_diagnose()
    assert (finding.level, finding.check) == (Level.OK, "keeping")


def test_files_of_the_jsonl_backend_are_told(directory: Path) -> None:
    manager = SessionManager(directory)
    for name in ("a.jsonl", "a.meta.json"):
        (directory / name).touch()
    (finding,) = of(manager, "other format")
    assert (finding.level, finding.found) == (
        Level.WARNING,
        "2 files of the jsonl backend, such as a.jsonl; none is read here",
    )


def test_a_lock_that_somebody_holds_is_seen(directory: Path) -> None:
    directory.mkdir()
    assert diagnosing._held(directory / FOLDER) is None
    with slot_locked(directory, "k"):
        held = diagnosing._held(directory / FOLDER)
        assert held is not None
        assert held.startswith(f"the lock {FOLDER}/")
    assert diagnosing._held(directory / FOLDER) is None
