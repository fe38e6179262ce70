"""Systems that lack something, on one that has it: what stands in is chosen by hand."""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, platforms
from sessionkit_jsonl.platforms import Platform

from sessionkit import SessionStore
from sessionkit.testing.crash import CrashChecker

Reopen: TypeAlias = Callable[..., SessionStore]

BARE = Platform(ranges=False, data_sync=False, directory_sync=False, links=False, watches=False)


def test_a_power_cut_is_survived_where_files_have_one_name_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platforms, "current", Platform(ranges=False, data_sync=False, links=False))

    def opened(path: Path) -> JSONLBackend:
        return JSONLBackend(JSONLOptions(path=path))

    report = CrashChecker(open=opened, second_states=20).check([lambda store: store.add_message("k", "user", "one")])
    assert report.violations == (), report
    assert report.states > 50


def test_without_links_colliding_keys_stay_apart_and_damaged_documents_are_kept(
    directory: Path, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "current", BARE)
    store = reopen()
    for key in ("a:b", "a/b"):
        store.add_message(key, "user", key)
    (directory / "a_b.meta.json").write_bytes(b'{"key": "a:b", "summ')
    store = reopen()
    store.set_summary("a:b", "s")
    assert (directory / "a_b.badmeta").read_bytes() == b'{"key": "a:b", "summ'
    assert [message.text for key in ("a:b", "a/b") for message in reopen().get_history(key)] == ["a:b", "a/b"]


def test_linux_has_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    if sys.platform != "linux":
        pytest.skip("this is not Linux")
    assert platforms.current == Platform()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert not platforms._this().ranges  # it may have the locks, and orders the fields of their structure otherwise
    monkeypatch.delattr(os, "fdatasync")
    assert not platforms._this().data_sync


class Disk:
    """Counts what reaches it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answer: int = 0) -> None:
        self.calls: list[str] = []
        self.answer = answer
        monkeypatch.setattr(platforms, "fcntl", SimpleNamespace(fcntl=self.fcntl))
        monkeypatch.setattr(platforms, "_FULL_SYNC", 51)
        monkeypatch.setattr(os, "fsync", lambda fd: self.calls.append("fsync"))
        monkeypatch.setattr(os, "fdatasync", lambda fd: self.calls.append("fdatasync"))

    def fcntl(self, fd: int, command: int) -> None:
        assert command == 51
        self.calls.append("full")
        if self.answer:
            raise OSError(self.answer, os.strerror(self.answer))


def test_a_full_sync_takes_the_place_of_both_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    disk, system = Disk(monkeypatch), Platform(full_sync=True)
    system.sync_data(0)
    system.sync(0)
    assert disk.calls == ["full", "full"]


@pytest.mark.parametrize("answer", [errno.ENOTSUP, errno.EINVAL, errno.ENOTTY])
def test_a_file_system_without_full_sync_is_synced_as_it_can(monkeypatch: pytest.MonkeyPatch, answer: int) -> None:
    disk = Disk(monkeypatch, answer)
    Platform(full_sync=True).sync_data(0)
    assert disk.calls == ["full", "fsync"]


def test_a_full_sync_that_fails_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch, errno.EIO)
    with pytest.raises(OSError, match="Input/output error"):
        Platform(full_sync=True).sync_data(0)
    assert disk.calls == ["full"]


def test_without_fdatasync_fsync_does(monkeypatch: pytest.MonkeyPatch) -> None:
    disk = Disk(monkeypatch)
    Platform(data_sync=False).sync_data(0)
    Platform().sync_data(0)
    assert disk.calls == ["fsync", "fdatasync"]


@pytest.mark.parametrize(("answer", "fails"), [(errno.EINVAL, False), (errno.ENOTSUP, False), (errno.EIO, True)])
def test_only_a_file_system_that_cannot_sync_directories_is_excused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: int, fails: bool
) -> None:
    closed: list[int] = []
    synced: list[int] = []
    close = os.close

    def noted_close(fd: int) -> None:
        closed.append(fd)
        close(fd)

    def noted_fsync(fd: int) -> None:
        synced.append(fd)
        raise OSError(answer, os.strerror(answer))

    monkeypatch.setattr(os, "fsync", noted_fsync)
    monkeypatch.setattr(os, "close", noted_close)
    with pytest.raises(OSError, match="Input/output error") if fails else contextlib.nullcontext():
        Platform().sync_directory(str(tmp_path))
    assert len(synced) == 1
    assert synced[0] in closed


POOR = """
import errno, os, sys
import importlib.metadata, json, logging, pathlib, random, subprocess, tempfile, threading  # what they need, they have
sys.modules["fcntl"] = None
for name in ("O_CLOEXEC", "O_NONBLOCK", "O_DIRECTORY", "fdatasync", "register_at_fork", "link", "pread", "pwrite"):
    delattr(os, name)
del errno.EUCLEAN
from sessionkit import BackendUnavailableError, open_store
from sessionkit_jsonl import JSONLBackend, plugin
try:
    open_store(f"jsonl:{sys.argv[1]}/sessions")
except BackendUnavailableError as error:
    print(error)
print(os.listdir(sys.argv[1]))
"""


def test_where_nothing_of_this_is_there_the_package_is_imported_and_says_that_it_does_not_run(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", POOR, str(tmp_path)], check=False, capture_output=True, text=True, timeout=60
    )
    assert done.stderr == ""
    assert "the jsonl backend does not run on this system" in done.stdout
    assert done.stdout.endswith("use another backend\n[]\n")
