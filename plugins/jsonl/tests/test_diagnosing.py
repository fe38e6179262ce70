"""What the backend tells of its directory."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from sessionkit_jsonl import JSONLBackend, diagnosing, platforms
from sessionkit_jsonl.files import Files, temporary_name
from sessionkit_jsonl.locks import LOCK_NAME, Locks
from sessionkit_jsonl.platforms import Platform

from sessionkit import Finding, Level, Message, SessionStore

OpenBackend = Callable[..., JSONLBackend]


def of(backend: JSONLBackend, check: str) -> list[Finding]:
    return [finding for finding in backend.sessionkit_diagnose() if finding.check == check]


def test_a_sound_directory_has_neither_warnings_nor_problems(store: SessionStore, directory: Path) -> None:
    store.add_message("k", "user", "hello")
    before = sorted(os.listdir(directory))
    findings = store.diagnose()
    assert [str(finding) for finding in findings if finding.level in (Level.WARNING, Level.PROBLEM)] == []
    assert {"directory", "rights", "writing", "file system", "room", "locks", "lock holders", "durability"} <= {
        finding.check for finding in findings
    }
    assert sorted(os.listdir(directory)) == before


def test_sessions_and_archives_are_counted(open_backend: OpenBackend) -> None:
    backend = open_backend(archive=True, compact_threshold=0)
    for key in "ab":
        backend.sessionkit_add_messages(key, [Message.simple("user", "x" * 2048)], "")
    (finding,) = of(backend, "sessions")
    assert finding.found.startswith("2 files with messages (4.")
    backend.sessionkit_truncate_history("a", 0, None, "", None, None, "")
    backend.sessionkit_save("a")
    (finding,) = of(backend, "sessions")
    assert "and 1 file with archived messages (2." in finding.found


def test_what_was_set_aside_is_told(backend: JSONLBackend, directory: Path) -> None:
    (directory / "a.damaged").write_bytes(b"{" * 2000)
    (directory / "b.badmeta").write_bytes(b"{" * 48)
    (finding,) = of(backend, "set aside")
    assert finding.level is Level.WARNING
    assert "2 files hold what could not be read and was put aside (2.0 KiB), such as a.damaged" in finding.found
    assert "sessionkit verify" in finding.advice


def test_a_temporary_file_of_a_living_process_is_told_and_left(backend: JSONLBackend, directory: Path) -> None:
    used = Files().temporary(str(directory))
    (finding,) = of(backend, "temporary files")
    assert finding.found.startswith("1 file in use")
    assert Path(used.path).exists()


def test_a_deletion_that_was_cut_short_is_told(backend: JSONLBackend, directory: Path) -> None:
    (directory / "a.meta.json").write_text("{}")
    (directory / "a.archive").touch()
    (finding,) = of(backend, "half deleted")
    assert (finding.level, finding.found) == (Level.WARNING, "the deletion of a was cut short")


def test_documents_of_the_json_backend_are_told(backend: JSONLBackend, directory: Path) -> None:
    (directory / "telegram_1.json").write_text("{}")
    (finding,) = of(backend, "other format")
    assert (finding.level, "sessionkit migrate" in finding.advice) == (Level.WARNING, True)


@pytest.mark.parametrize(
    ("durability", "text"), [("always", "when it returns"), ("interval", "power cut loses"), ("os", "power cut loses")]
)
def test_what_a_power_cut_takes_is_told(open_backend: OpenBackend, durability: str, text: str) -> None:
    (finding,) = of(open_backend(durability=durability), "durability")
    assert finding.found.startswith(f"{durability}: ")
    assert text in finding.found


@pytest.fixture(params=[platforms.current, Platform(ranges=False)], ids=["ranges", "whole file"])
def platform(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Platform:
    if request.param.ranges is False and request.param is platforms.current:
        pytest.skip("this system has no locks on ranges")
    monkeypatch.setattr(platforms, "current", request.param)
    found: Platform = request.param
    return found


def test_a_lock_that_somebody_holds_is_seen(backend: JSONLBackend, directory: Path, platform: Platform) -> None:
    locks = Locks(str(directory), Files())
    slot = platform.slots - 1
    assert diagnosing._held(directory) is None
    with locks.holding(slot):
        assert diagnosing._held(directory) == f"the lock {slot} of {LOCK_NAME}"
    assert diagnosing._held(directory) is None
    locks.close()


def test_a_probe_that_a_killed_process_left_is_swept_as_any_temporary_file() -> None:
    assert temporary_name().startswith(".sessionkit-")
    assert temporary_name().endswith(".tmp")
