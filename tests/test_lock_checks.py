"""Whether locks keep others out, and whether somebody sits on one."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from sessionkit.findings import Level
from sessionkit.lock_checks import check_holders, check_locks

fcntl = pytest.importorskip("fcntl")
PROBE = ".probe"


def try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def test_locks_that_hold_are_found_to_hold(tmp_path: Path) -> None:
    assert check_locks(tmp_path, PROBE, try_lock).level is Level.OK
    assert os.listdir(tmp_path) == []


def test_locks_that_keep_nobody_out_are_a_problem(tmp_path: Path) -> None:
    finding = check_locks(tmp_path, PROBE, lambda descriptor: True)
    assert (finding.level, "can be locked by somebody else" in finding.found) == (Level.PROBLEM, True)
    assert os.listdir(tmp_path) == []


def test_a_file_system_without_locks_is_a_problem(tmp_path: Path) -> None:
    def refuse(descriptor: int) -> bool:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    finding = check_locks(tmp_path, PROBE, refuse)
    assert (finding.level, "cannot be locked" in finding.found) == (Level.PROBLEM, True)
    assert os.listdir(tmp_path) == []


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "a").touch()
    return tmp_path


def test_nobody_holds_a_lock(directory: Path) -> None:
    assert check_holders(directory, lambda: None, patience=0).level is Level.OK


def test_a_lock_that_is_given_back_is_that_of_a_writer_at_work(directory: Path) -> None:
    holders: Iterator[str | None] = iter(["the lock 1", "the lock 1", None])
    assert check_holders(directory, lambda: next(holders), patience=60).level is Level.OK


def test_a_lock_under_which_files_change_is_that_of_a_writer_at_work(directory: Path) -> None:
    def held() -> str:
        file = directory / "a"
        os.utime(file, ns=(0, file.stat().st_mtime_ns + 1_000_000_000))
        return "the lock 1"

    assert check_holders(directory, held, patience=0.06).level is Level.OK


def test_somebody_who_holds_a_lock_and_writes_nothing_is_told(directory: Path) -> None:
    finding = check_holders(directory, lambda: "the lock 1 of .lock", patience=0.06)
    assert finding.level is Level.WARNING
    assert finding.found.startswith("somebody has held the lock 1 of .lock for 0.06 s")
