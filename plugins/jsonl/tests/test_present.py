"""Which names of sessions are in a directory, and when it is read."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest
from sessionkit_jsonl import present as module
from sessionkit_jsonl.mounts import is_local
from sessionkit_jsonl.present import Present

MINUTE = 60_000_000_000

pytestmark = pytest.mark.skipif(
    not is_local(Path.cwd()), reason="the clock of the file system may be another machine's"
)


@pytest.fixture
def later(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a minute be over since the last change of names."""
    now = time.time_ns
    monkeypatch.setattr(time, "time_ns", lambda: now() + MINUTE)


def write(directory: Path, *names: str) -> None:
    """Make files. The directory gets another time than before, however coarse the clock is."""
    before = directory.stat().st_mtime_ns
    for name in names:
        (directory / name).touch()
    os.utime(directory, ns=(0, before + 1_001))


def test_a_name_has_a_document_or_a_log(tmp_path: Path) -> None:
    write(tmp_path, "b.meta.json", "b.jsonl", "a.jsonl", "c.meta.json", "c.archive", ".sessionkit.lock", "x.json")
    present = Present(str(tmp_path))
    assert present.look() == frozenset()
    assert present.names == ["a", "b", "c"]
    assert "c" in present
    assert "x" not in present


def test_a_look_tells_what_is_gone(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl", "b.jsonl")
    present = Present(str(tmp_path))
    present.look()
    (tmp_path / "a.jsonl").unlink()
    write(tmp_path, "c.jsonl")
    assert present.look() == {"a"}
    assert present.names == ["b", "c"]


def test_one_name_in_place_of_another_is_seen(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    present = Present(str(tmp_path))
    present.look()
    (tmp_path / "a.jsonl").rename(tmp_path / "b.jsonl")
    present.look()
    assert present.names == ["b"]
    assert "a" not in present


@pytest.mark.usefixtures("later")
def test_a_look_after_all_files_were_read_does_not_read_them_again(tmp_path: Path, listed: list[str]) -> None:
    write(tmp_path, "a.jsonl")
    present = Present(str(tmp_path))
    assert present.files() == ["a.jsonl"]
    present.look()
    present.look()
    assert present.names == ["a"]
    assert listed == [str(tmp_path)]


@pytest.mark.usefixtures("later")
def test_it_does_when_a_name_changed_in_between(tmp_path: Path) -> None:
    write(tmp_path, "a.jsonl")
    present = Present(str(tmp_path))
    present.files()
    write(tmp_path, "b.jsonl")
    present.look()
    assert present.names == ["a", "b"]


@pytest.mark.parametrize("set_back", [False, True])
def test_it_does_when_the_clock_had_not_gone_on_since_the_last_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, set_back: bool
) -> None:
    (tmp_path / "a.jsonl").touch()
    if set_back:  # as copying a directory does
        os.utime(tmp_path, ns=(0, 0))
    status = tmp_path.stat()
    monkeypatch.setattr(module, "fingerprint", lambda path: (1, 2, status.st_mtime_ns, status.st_ctime_ns))
    monkeypatch.setattr(time, "time_ns", lambda: status.st_ctime_ns + 50_000_000)
    present = Present(str(tmp_path))
    present.files()
    (tmp_path / "b.jsonl").touch()  # in the same tick
    for name in ("c", "d"):
        present.look()
        assert "b" in present
        (tmp_path / f"{name}.jsonl").touch()
    present.look()
    assert present.names == ["a", "b", "c", "d"]


@pytest.mark.usefixtures("later")
def test_it_does_when_there_were_too_many_to_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, listed: list[str]
) -> None:
    monkeypatch.setattr(module, "_MOST_HELD", 1)
    write(tmp_path, "a.jsonl", "b.jsonl")
    present = Present(str(tmp_path))
    present.files()
    present.look()
    assert present.names == ["a", "b"]
    assert listed == [str(tmp_path)] * 2
