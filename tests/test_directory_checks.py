"""What is said of a directory in which sessions are kept."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Any

import pytest

from sessionkit import directory_checks, mounts
from sessionkit.directory_checks import FEW_FILES, LITTLE_ROOM, NO_FILES, NO_ROOM, check_directory
from sessionkit.findings import Finding, Level

PROBE = ".probe"
pytestmark = pytest.mark.skipif(not hasattr(os, "geteuid"), reason="rights are something else here")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    path = tmp_path / "sessions"
    path.mkdir(mode=0o700)
    return path


def of(directory: Path, check: str) -> Finding:
    (finding,) = [finding for finding in check_directory(directory, PROBE) if finding.check == check]
    return finding


def test_a_sound_directory_is_told_and_left_as_it_was(directory: Path) -> None:
    (directory / "a").touch()
    assert of(directory, "directory").found == f"{directory}, with 1 file"
    assert of(directory, "writing").level is Level.OK
    assert os.listdir(directory) == ["a"]


def test_a_directory_that_is_not_there_is_a_problem_and_all_that_is_said(directory: Path) -> None:
    (finding,) = check_directory(directory / "none", PROBE)
    assert (finding.level, finding.check) == (Level.PROBLEM, "directory")


@pytest.mark.parametrize(
    ("mode", "level"),
    [
        (0o700, Level.OK),
        (0o750, Level.OK),
        (0o755, Level.WARNING),
        (0o777, Level.PROBLEM),
        (0o777 | stat.S_ISVTX, Level.WARNING),
    ],
)
def test_rights_of_others_are_told(directory: Path, mode: int, level: Level) -> None:
    directory.chmod(mode)
    finding = of(directory, "rights")
    assert finding.level is level
    assert finding.found.startswith(f"mode {mode:04o}, owner ")


def test_a_directory_of_another_user_is_told(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 54321)
    status = os.stat_result((0o40700, 0, 0, 0, 12345, 0, 0, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self: status)
    finding = of(directory, "rights")
    assert (finding.level, finding.advice) == (Level.WARNING, f"run as that user, or chown 54321 {directory}")


def test_a_directory_that_cannot_be_written_to_is_a_problem(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*arguments: object) -> int:
        raise OSError(30, os.strerror(30))

    monkeypatch.setattr(os, "open", refuse)
    finding = of(directory, "writing")
    assert (finding.level, "Read-only file system" in finding.found) == (Level.PROBLEM, True)


@pytest.mark.parametrize(
    ("kind", "level"),
    [("ext4", Level.OK), ("nfs4", Level.WARNING), ("tmpfs", Level.WARNING), ("overlay", Level.WARNING)],
)
def test_the_kind_of_the_file_system_is_told(
    directory: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, level: Level
) -> None:
    table = tmp_path / "mountinfo"
    table.write_text(f"1 0 0:1 / / rw - {kind} /dev/a rw\n")
    monkeypatch.setattr(mounts, "TABLE", table)
    assert of(directory, "file system").level is level
    assert of(directory, "file system").found.startswith(kind)


def test_a_file_system_of_unknown_kind_is_no_error(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(directory_checks, "file_system", lambda path: "")
    assert of(directory, "file system").level is Level.UNKNOWN


@pytest.mark.parametrize(
    ("free", "level"),
    [(NO_ROOM - 1, Level.PROBLEM), (NO_ROOM, Level.WARNING), (LITTLE_ROOM - 1, Level.WARNING), (LITTLE_ROOM, Level.OK)],
)
def test_little_room_is_told(directory: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: Level) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: _room(free, 10**6))
    assert of(directory, "room").level is level


@pytest.mark.parametrize(("files", "level"), [(NO_FILES - 1, Level.PROBLEM), (FEW_FILES - 1, Level.WARNING)])
def test_few_inodes_are_told(directory: Path, monkeypatch: pytest.MonkeyPatch, files: int, level: Level) -> None:
    monkeypatch.setattr(os, "statvfs", lambda path: _room(10**12, files))
    assert of(directory, "inodes").level is level


def _room(free: int, files: int) -> Any:
    return os.statvfs_result((1, 1, free, free, free, files, files, files, 0, 255))
