"""Storage that fails for real: full disks, directories that nobody may write to, processes that are killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sessionkit_json import SessionManager, temporary

from sessionkit.errors import BackendUnavailableError, OutcomeUnknownError, VersionConflict, WriteFailedError

from .conftest import Reopen

KEY = "cli:direct"
NAME = "cli_direct.json"


def _texts(manager: SessionManager, key: str = KEY) -> list[str]:
    return [message.text for message in manager.get_history(key)]


def _temporary_files(directory: Path) -> list[str]:
    return [name for name in os.listdir(directory) if name.endswith(temporary.SUFFIX)]


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no small file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


def test_a_full_disk_leaves_the_old_document_and_the_session_unsaved(small_disk: Path) -> None:
    manager = SessionManager(small_disk / "sessions")
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    manager.add_message(KEY, "user", "x" * 100_000)
    for _ in range(2):
        with pytest.raises(BackendUnavailableError, match="No space left") as caught:
            manager.save(KEY)
        assert KEY in str(caught.value)
    with pytest.raises(WriteFailedError, match=KEY):
        manager.close()
    assert _temporary_files(small_disk / "sessions") == []
    assert _texts(SessionManager(small_disk / "sessions")) == ["one"]
    assert len(_texts(manager)) == 2
    manager.truncate_history(KEY, 0)
    manager.close()
    assert _texts(SessionManager(small_disk / "sessions")) == []


def test_a_change_that_could_not_be_saved_is_not_taken_for_an_append_later(small_disk: Path) -> None:
    manager = SessionManager(small_disk)
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    manager.set_summary(KEY, "x" * 100_000)
    with pytest.raises(BackendUnavailableError):
        manager.save(KEY)
    other = SessionManager(small_disk)
    other.add_message(KEY, "user", "two")
    other.save(KEY)
    with pytest.raises(VersionConflict):
        manager.save(KEY)
    assert len(manager.get_summary(KEY)) == 100_000


def test_a_change_that_autosave_cannot_save_is_undone_and_can_be_repeated(small_disk: Path) -> None:
    manager = SessionManager(small_disk / "sessions", autosave=True)
    manager.add_message(KEY, "user", "one")
    ballast = small_disk / "ballast"
    ballast.write_bytes(b"x" * (50 << 10))
    with pytest.raises(BackendUnavailableError):
        manager.add_message(KEY, "user", "x" * 20_000)
    assert _texts(manager) == ["one"]
    ballast.unlink()
    manager.add_message(KEY, "user", "x" * 20_000)
    assert _texts(manager) == _texts(SessionManager(small_disk / "sessions")) == ["one", "x" * 20_000]


_SHORT_WRITES = """
import resource, sys
from sessionkit.errors import BackendUnavailableError
from sessionkit_json import SessionManager
manager = SessionManager(sys.argv[1])
manager.add_message("cli:direct", "user", "one")
manager.save("cli:direct")
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
manager.add_message("cli:direct", "user", "x" * 10_000)
try:
    manager.save("cli:direct")
except BackendUnavailableError as error:
    print(error)
"""


def test_a_file_size_limit_leaves_the_old_document(directory: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _SHORT_WRITES, str(directory)], capture_output=True, text=True, check=True
    )
    assert "File too large" in done.stdout
    assert _temporary_files(directory) == []
    assert _texts(SessionManager(directory)) == ["one"]


_UNWRITABLE = """
import os, sys
from sessionkit.errors import BackendUnavailableError
from sessionkit_json import SessionManager
if os.geteuid() == 0:
    os.setegid(65534)
    os.seteuid(65534)
manager = SessionManager(sys.argv[1])
print([message.text for message in manager.get_history("cli:direct")])
manager.add_message("cli:direct", "user", "two")
for attempt in (lambda: manager.save("cli:direct"), lambda: manager.sessionkit_delete_session("cli:direct", None)):
    try:
        attempt()
    except BackendUnavailableError as error:
        print(error)
print([message.text for message in manager.get_history("cli:direct")])
"""


def test_a_directory_only_for_reading_can_be_read(tmp_path: Path, directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    (directory / NAME).chmod(0o644)
    (directory / ".sessionkit-locks").chmod(0o555)
    for lock in (directory / ".sessionkit-locks").iterdir():
        lock.chmod(0o444)
    directory.chmod(0o555)
    parents = [parent for parent in directory.parents if parent.is_relative_to(Path(os.sep, *directory.parts[1:3]))]
    modes = {parent: parent.stat().st_mode for parent in parents}
    for parent in parents:  # pytest's own directories are closed to others
        parent.chmod(0o755)
    try:
        done = subprocess.run(
            [sys.executable, "-c", _UNWRITABLE, str(directory)], capture_output=True, text=True, check=False
        )
    finally:
        for parent, mode in modes.items():
            parent.chmod(mode)
        directory.chmod(0o700)
    if "ModuleNotFoundError" in done.stderr or "PermissionError" in done.stderr:
        pytest.skip("another user cannot run this interpreter here")
    assert done.returncode == 0, done.stderr
    read, *errors, kept = done.stdout.splitlines()
    assert (read, kept) == ("['one']", "['one', 'two']")
    assert len(errors) == 2
    assert all("Permission denied" in error and "cli:direct" in error for error in errors)
    assert _texts(SessionManager(directory)) == ["one"]


def test_a_file_in_place_of_the_directory_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(BackendUnavailableError, match="file"):
            SessionManager(path)


def test_a_rename_that_could_not_be_synced_is_told_and_written_again(
    directory: Path, manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    sync = temporary.sync_directory

    def failing(path: Path) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(temporary, "sync_directory", failing)
    with pytest.raises(OutcomeUnknownError, match="power cut"):
        manager.save(KEY)
    monkeypatch.setattr(temporary, "sync_directory", sync)
    before = (directory / NAME).stat().st_ino
    manager.add_message(KEY, "user", "two")
    manager.save(KEY)
    assert (directory / NAME).stat().st_ino != before
    assert _texts(manager) == _texts(reopen()) == ["one", "two"]


def test_an_interrupted_save_repeats_no_message(
    manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    sync = temporary.sync_directory

    def interrupted(path: Path) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(temporary, "sync_directory", interrupted)
    with pytest.raises(KeyboardInterrupt):
        manager.save(KEY)
    monkeypatch.setattr(temporary, "sync_directory", sync)
    manager.add_message(KEY, "user", "two")
    manager.close()
    assert _texts(reopen()) == ["one", "two"]


# --- killed processes

_KILLED = """
import os, signal, sys
from sessionkit_json import SessionManager
manager = SessionManager(sys.argv[1])
manager.add_message("cli:direct", "user", "two")
replace = os.replace
def kill(source, target):
    if sys.argv[2] == "after":
        replace(source, target)
    os.kill(os.getpid(), signal.SIGKILL)
os.replace = kill
manager.save("cli:direct")
"""


@pytest.mark.parametrize(("when", "left"), [("before", ["one"]), ("after", ["one", "two"])])
def test_a_process_killed_around_the_rename_leaves_one_state_or_the_other(
    directory: Path, manager: SessionManager, when: str, left: list[str]
) -> None:
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    done = subprocess.run([sys.executable, "-c", _KILLED, str(directory), when], check=False)
    assert done.returncode == -signal.SIGKILL
    assert len(_temporary_files(directory)) == (1 if when == "before" else 0)
    reopened = SessionManager(directory)
    assert _temporary_files(directory) == []
    assert _texts(reopened) == left
    reopened.add_message(KEY, "user", "next")
    reopened.save(KEY)
    assert _texts(SessionManager(directory)) == [*left, "next"]


def test_a_temporary_file_of_a_living_writer_is_not_swept(
    directory: Path, manager: SessionManager, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    manager.add_message(KEY, "user", "one")
    sync = os.fsync

    def opened_meanwhile(descriptor: int) -> None:
        reopen()
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", opened_meanwhile)
    manager.save(KEY)
    monkeypatch.undo()
    assert _texts(reopen()) == ["one"]


_APPENDING = """
import sys
from sessionkit_json import SessionManager
manager = SessionManager(sys.argv[1], autosave=sys.argv[2] == "autosave")
for number in range(20):
    manager.add_message("cli:direct", sys.argv[3], str(number))
    manager.save("cli:direct")
"""


@pytest.mark.parametrize("mode", ["autosave", "save"])
def test_processes_that_append_to_one_session_lose_nothing(directory: Path, mode: str) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", _APPENDING, str(directory), mode, name], stderr=subprocess.PIPE)
        for name in ("a", "b", "c")
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=60)
        assert writer.returncode == 0, errors.decode()
    history = SessionManager(directory).get_history(KEY)
    for name in ("a", "b", "c"):
        assert [m.text for m in history if m.role == name] == [str(number) for number in range(20)]
