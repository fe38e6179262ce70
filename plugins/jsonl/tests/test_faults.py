"""Full disks, failing disks, and what may not be touched: an error, and never half a message."""

from __future__ import annotations

import errno
import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions
from sessionkit_jsonl.files import Files, OpenFile

from sessionkit.errors import BackendUnavailableError, CorruptSessionError, OutcomeUnknownError
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


class FaultyFiles(Files):
    """Files on which certain calls fail: by name, how often they succeed before."""

    faults: dict[str, tuple[int, int]]

    def __init__(self, **faults: tuple[int, int]) -> None:
        object.__setattr__(self, "faults", faults)

    def _fail(self, call: str, path: str) -> None:
        if call in self.faults:
            remaining, number = self.faults[call]
            self.faults[call] = remaining - 1, number
            if remaining <= 0:
                raise OSError(number, os.strerror(number), path)

    def sync_data(self, file: OpenFile) -> None:
        self._fail("sync_data", file.path)
        super().sync_data(file)

    def sync(self, file: OpenFile) -> None:
        self._fail("sync", file.path)
        super().sync(file)

    def sync_directory(self, path: str) -> None:
        self._fail("sync_directory", path)
        super().sync_directory(path)

    def truncate(self, file: OpenFile, size: int) -> None:
        self._fail("truncate", file.path)
        super().truncate(file, size)

    def write(self, file: OpenFile, data: bytes) -> None:
        try:
            self._fail("write", file.path)
        except OSError:
            super().write(file, data[: len(data) * 2 // 3])
            raise
        super().write(file, data)


def texts(backend: JSONLBackend, key: str = "k") -> list[str]:
    return [message.text for message in backend.sessionkit_get_history(key, 0, None).messages]


def add(backend: JSONLBackend, *contents: str) -> str:
    return backend.sessionkit_add_messages("k", [Message.simple("user", text) for text in contents], "")


@pytest.fixture
def given(backend: JSONLBackend) -> JSONLBackend:
    add(backend, "1", "2")
    add(backend, "3")
    return backend


@pytest.mark.usefixtures("given")
@pytest.mark.parametrize("batch", [["new"], ["new", "newer", "newest"]])
def test_a_record_that_does_not_fit_is_cut_back(directory: Path, open_backend: OpenBackend, batch: list[str]) -> None:
    before = (directory / "k.jsonl").read_bytes()
    backend = open_backend(FaultyFiles(write=(0, errno.ENOSPC)))
    version = backend.sessionkit_get_session("k", 0).version
    with pytest.raises(BackendUnavailableError, match=r"'k' was not changed: .*k.jsonl: No space left .*free some"):
        add(backend, *batch)
    assert (directory / "k.jsonl").read_bytes() == before
    assert backend.sessionkit_get_session("k", 0).version == version
    backend = open_backend()
    add(backend, "then")
    assert texts(backend) == ["1", "2", "3", "then"]


@pytest.mark.usefixtures("given")
def test_beside_a_foreign_writer_nothing_is_cut_back(directory: Path, open_backend: OpenBackend) -> None:
    before = (directory / "k.jsonl").read_bytes()
    backend = open_backend(FaultyFiles(write=(0, errno.ENOSPC)), foreign_writers=True)
    with pytest.raises(BackendUnavailableError):
        add(backend, "new")
    torn = (directory / "k.jsonl").read_bytes()
    assert torn.startswith(before)
    assert len(torn) > len(before)
    backend = open_backend(foreign_writers=True)
    add(backend, "then")
    assert texts(backend) == texts(open_backend()) == ["1", "2", "3", "then"]


@pytest.mark.usefixtures("given")
def test_a_record_that_cannot_be_cut_back_is_of_unknown_outcome(open_backend: OpenBackend) -> None:
    backend = open_backend(FaultyFiles(write=(0, errno.ENOSPC), truncate=(0, errno.EIO)))
    with pytest.raises(OutcomeUnknownError, match=r"'k'.*may or may not be stored"):
        add(backend, "new")
    backend = open_backend()
    add(backend, "then")
    assert texts(backend) == ["1", "2", "3", "then"]


@pytest.mark.usefixtures("given")
def test_a_failed_sync_leaves_no_message_behind_that_a_retry_would_double(
    directory: Path, open_backend: OpenBackend
) -> None:
    inode = (directory / "k.jsonl").stat().st_ino
    backend = open_backend(FaultyFiles(sync_data=(0, errno.EIO)))
    before = backend.sessionkit_get_session("k", None)
    with pytest.raises(BackendUnavailableError, match="Input/output error"):
        add(backend, "new")
    assert (directory / "k.jsonl").stat().st_ino != inode
    assert backend.sessionkit_get_session("k", None) == before
    backend = open_backend()
    add(backend, "new")
    assert texts(backend) == ["1", "2", "3", "new"]


@pytest.mark.usefixtures("given")
def test_a_failed_sync_that_cannot_be_repaired_is_of_unknown_outcome(open_backend: OpenBackend) -> None:
    backend = open_backend(FaultyFiles(sync_data=(0, errno.EIO), sync=(0, errno.EIO)))
    with pytest.raises(OutcomeUnknownError):
        add(backend, "new")
    assert open_backend().sessionkit_get_session("k", 0).count in (3, 4)


@pytest.mark.usefixtures("given")
def test_save_writes_a_file_anew_whose_sync_fails(directory: Path, open_backend: OpenBackend) -> None:
    backend = open_backend(FaultyFiles(sync_data=(0, errno.EIO)), durability="os")
    add(backend, "4")
    before = backend.sessionkit_get_session("k", None)
    inode = (directory / "k.jsonl").stat().st_ino
    backend.sessionkit_save("k")
    assert (directory / "k.jsonl").stat().st_ino != inode
    assert backend.sessionkit_get_session("k", None) == before


@pytest.mark.parametrize("call", ["write", "sync", "sync_directory"])
def test_a_first_message_that_fails_leaves_no_session(open_backend: OpenBackend, call: str) -> None:
    open_backend()
    backend = open_backend(FaultyFiles(**{call: (0, errno.EIO)}))
    with pytest.raises((BackendUnavailableError, OutcomeUnknownError)):
        add(backend, "new")
    backend = open_backend()
    assert not backend.sessionkit_get_session("k", 0).exists
    add(backend, "new")
    assert texts(backend) == ["new"]


@pytest.mark.usefixtures("given")
def test_a_rename_that_may_not_be_durable_is_of_unknown_outcome(open_backend: OpenBackend) -> None:
    backend = open_backend(FaultyFiles(sync_directory=(1, errno.EIO)))
    with pytest.raises(OutcomeUnknownError, match="after a power cut"):
        backend.sessionkit_truncate_history("k", 1, None, "s", None, None, "")


@pytest.mark.usefixtures("given")
def test_a_file_that_may_not_be_read_is_an_error_and_no_empty_history(
    directory: Path, open_backend: OpenBackend
) -> None:
    (directory / "k.jsonl").unlink()
    (directory / "k.jsonl").mkdir()
    with pytest.raises(CorruptSessionError, match=r"'k' cannot be read: .*k\.jsonl: Is a directory"):
        texts(open_backend())
    (directory / "k.jsonl").rmdir()
    (directory / "k.meta.json").unlink()
    (directory / "k.meta.json").symlink_to("k.meta.json")
    with pytest.raises(CorruptSessionError, match="symbolic links"):
        open_backend().sessionkit_get_session("k", 0)


def test_a_path_that_is_no_directory_is_an_error_at_once(directory: Path) -> None:
    directory.write_text("")
    with pytest.raises(BackendUnavailableError, match="Not a directory"):
        JSONLBackend(JSONLOptions(path=directory))


@pytest.fixture
def full_disk(directory: Path) -> Iterator[Path]:
    """A file system of 128 KiB, almost full."""
    mount, umount = shutil.which("mount"), shutil.which("umount")
    directory.mkdir()
    if (
        mount is None
        or umount is None
        or os.geteuid() != 0
        or subprocess.run(
            [mount, "-t", "tmpfs", "-o", "size=128k,mode=700", "tmpfs", str(directory)],
            check=False,
            capture_output=True,
        ).returncode
    ):
        pytest.skip("no file system can be mounted here")
    (directory / "ballast").write_bytes(b"x" * 64 * 1024)
    yield directory
    subprocess.run([umount, "-l", str(directory)], check=True)


def test_on_a_full_disk_what_was_acknowledged_is_there_and_nothing_else(
    full_disk: Path, open_backend: OpenBackend
) -> None:
    backend = open_backend()
    stored: list[str] = []

    def fill() -> None:
        for number in range(200):
            add(backend, f"{number}" * 300)
            stored.append(f"{number}" * 300)

    with pytest.raises(BackendUnavailableError, match="No space left on device"):
        fill()
    assert stored
    assert texts(backend) == texts(open_backend()) == stored
    with pytest.raises(BackendUnavailableError):
        backend.sessionkit_add_messages("other", [Message.simple("user", "x" * 9000)], "")
    (full_disk / "ballast").unlink()
    add(backend, "then")
    assert texts(open_backend()) == [*stored, "then"]
    assert not open_backend().sessionkit_get_session("other", 0).exists


CHILD = """
import json, os, sys
from sessionkit import open_store
for line in sys.argv[2:]:
    exec(line)
store = open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": {"path": sys.argv[1]}}})
outcomes = []
for number in range(6):
    try:
        store.add_message("k", "user", str(number) * 100)
        outcomes.append("stored")
    except Exception as error:
        outcomes.append(type(error).__name__ + ": " + str(error))
print(json.dumps(outcomes))
"""


def run(directory: Path, *lines: str, under: list[str] | None = None) -> list[str]:
    done = subprocess.run(
        [*(under or []), sys.executable, "-c", CHILD, str(directory), *lines],
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    outcomes: list[str] = json.loads(done.stdout)
    return outcomes


def stored(outcomes: list[str]) -> list[str]:
    return [str(number) * 100 for number, outcome in enumerate(outcomes) if outcome == "stored"]


def test_a_file_that_may_not_grow_keeps_what_it_has(directory: Path, open_backend: OpenBackend) -> None:
    limit = f"import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (600, {resource.RLIM_INFINITY}))"
    outcomes = run(directory, limit)
    assert outcomes[0] == "stored"
    assert outcomes[-1].startswith("BackendUnavailableError")
    assert "File too large; the file may not grow" in outcomes[-1]
    assert texts(open_backend()) == stored(outcomes)


def test_a_file_system_that_is_read_only_is_named(full_disk: Path, open_backend: OpenBackend) -> None:
    (full_disk / "ballast").unlink()
    backend = open_backend()
    add(backend, "1")
    backend.sessionkit_close()
    mount = shutil.which("mount") or ""
    subprocess.run([mount, "-o", "remount,ro", str(full_disk)], check=True)
    backend = open_backend()
    with pytest.raises(BackendUnavailableError, match=r"'k' was not changed: .*: Read-only .*mounted read-only"):
        add(backend, "2")
    assert texts(backend) == ["1"]
    assert [info.key for info in backend.sessionkit_list_sessions("", None, 10).sessions] == ["k"]


@pytest.fixture
def immutable(directory: Path, open_backend: OpenBackend) -> Iterator[Path]:
    """A data file that not even root may change."""
    add(open_backend(), "1")
    chattr, path = shutil.which("chattr"), directory / "k.jsonl"
    if chattr is None or subprocess.run([chattr, "+i", str(path)], check=False, capture_output=True).returncode:
        pytest.skip("no file can be made immutable here")
    yield path
    subprocess.run([chattr, "-i", str(path)], check=True)


def test_a_file_that_may_not_be_written_is_named(immutable: Path, open_backend: OpenBackend) -> None:
    backend = open_backend()
    with pytest.raises(BackendUnavailableError, match=f"'k' was not changed: {immutable}: .*; give this user access"):
        add(backend, "2")
    with pytest.raises(BackendUnavailableError, match="give this user access"):
        backend.sessionkit_update_session("k", [], UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, "")
    assert texts(backend) == ["1"]


def strace(log: Path, *arguments: str) -> list[str]:
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    command = [program, "-f", "-qq", "-o", str(log), *arguments]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode:
        pytest.skip("strace may not trace here")
    return command


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        ("fdatasync:error=EIO:when=2", "Input/output error"),
        ("fdatasync:error=EIO:when=2+", "Input/output error"),
        ("ftruncate:error=EIO", ""),
    ],
)
def test_a_disk_that_really_fails_loses_nothing_that_was_acknowledged(
    tmp_path: Path, directory: Path, open_backend: OpenBackend, fault: str, reason: str
) -> None:
    outcomes = run(directory, under=strace(tmp_path / "log", "-e", f"inject={fault}"))
    assert outcomes[0] == "stored"
    failed = [outcome for outcome in outcomes if outcome != "stored"]
    assert bool(failed) == bool(reason)
    assert all(outcome.startswith("BackendUnavailableError") and reason in outcome for outcome in failed)
    assert texts(open_backend()) == stored(outcomes)
