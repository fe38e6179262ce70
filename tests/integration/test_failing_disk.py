"""The policy for failed writes on real disks: one that is full, and one that may not be written to any more."""

from __future__ import annotations

import logging
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sessionkit import BackendUnavailableError, SessionStore, WriteFailedError, open_store

KEY = "cli:direct"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"no file system can be mounted here: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def texts(store: SessionStore) -> list[str]:
    return [message.text[:20] for message in store.get_history(KEY)]


def write_for_ever(store: SessionStore) -> None:
    while True:
        store.add_message(KEY, "user", "x" * 2000)


def fill(folder: Path) -> Path:
    """Take all the room that is left."""
    filler = folder / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(b"x" * 4096):
                pass
        except OSError:
            return filler
    raise AssertionError("the disk has no end")


def test_a_full_disk_holds_writes_and_stores_them_in_order_when_there_is_room(
    disk: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with open_store(f"jsonl:{disk}/sessions") as store:
        store.add_message(KEY, "user", "before")
        filler = fill(disk)
        for number in range(20):
            store.add_message(KEY, "user", f"{number:<2000}")
        with pytest.raises(WriteFailedError) as failure:
            store.save(KEY)
        stored = texts(store)
        held = [write.arguments["messages"][0].text[:20] for write in failure.value.held]
        written = ["before", *(f"{number:<20}" for number in range(20))]
        assert stored + held == written
        assert held
        errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
        assert len(errors) == 1
        assert "No space left" in errors[0].getMessage()
        filler.unlink()
        store.save(KEY)
        assert texts(store) == written
    with open_store(f"jsonl:{disk}/sessions") as store:
        assert texts(store) == written


def test_a_full_disk_raises_at_once_when_that_is_the_policy(disk: Path) -> None:
    with open_store(f"jsonl:{disk}/sessions", on_write_error="raise") as store:
        store.add_message(KEY, "user", "before")
        filler = fill(disk)
        with pytest.raises(BackendUnavailableError, match="No space left"):
            write_for_ever(store)
        stored = texts(store)
        filler.unlink()
        store.add_message(KEY, "user", "after")
        assert texts(store) == [*stored, "after"]


def test_a_full_disk_fails_the_save_of_a_backend_that_keeps_sessions_in_memory(disk: Path) -> None:
    store = open_store(f"json:{disk}/sessions")
    store.add_message(KEY, "user", "before")
    store.save(KEY)
    filler = fill(disk)
    store.add_message(KEY, "user", "x" * 100_000)
    with pytest.raises(BackendUnavailableError, match="No space left"):
        store.save(KEY)
    filler.unlink()
    store.save(KEY)
    store.close()
    with open_store(f"json:{disk}/sessions") as store:
        assert len(texts(store)) == 2


@pytest.fixture
def unwritable(tmp_path: Path) -> Iterator[Callable[[bool], None]]:
    """Makes the directory ``sessions`` unwritable, also for root, and writable again."""
    folder = tmp_path / "sessions"

    def switch(on: bool) -> None:
        changed = subprocess.run(["chattr", "+i" if on else "-i", str(folder)], capture_output=True, check=False)
        if on and changed.returncode:
            pytest.skip(f"no directory can be made unwritable here: {changed.stderr.decode().strip()}")

    yield switch
    switch(False)


@pytest.mark.parametrize("backend", ["json", "jsonl"])
def test_a_directory_made_unwritable_loses_nothing(
    tmp_path: Path, backend: str, unwritable: Callable[[bool], None]
) -> None:
    url = f"{backend}:{tmp_path}/sessions"
    store = open_store(url)
    store.add_message(KEY, "user", "before")
    store.save(KEY)
    unwritable(True)
    store.add_message("new", "user", "session")
    store.truncate_history(KEY, 0, summary="told")
    store.add_message(KEY, "user", "after")
    for key in (KEY, "new"):
        with pytest.raises((WriteFailedError, BackendUnavailableError), match=r"not permitted|denied"):
            store.save(key)
    unwritable(False)
    store.close()
    with open_store(url) as store:
        assert (texts(store), store.get_summary(KEY)) == (["after"], "told")
        assert [message.text for message in store.get_history("new")] == ["session"]
