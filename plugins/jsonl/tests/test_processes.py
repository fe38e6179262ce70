"""Several processes, threads and stores on one directory."""

from __future__ import annotations

import fcntl
import json
import os
import struct
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, platforms, read_archive
from sessionkit_jsonl import directory as look_for_files
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.locks import slot_of

from sessionkit import SessionStore

Reopen: TypeAlias = Callable[..., SessionStore]

MESSAGES = [{"role": "user", "content": "one"}, {"role": "user", "content": "two"}]

WORKER = """
import json, sys
from sessionkit import open_store
from sessionkit_jsonl import platforms
from sessionkit.errors import VersionConflict
path, name, task, system = sys.argv[1:]
if system == "bare":
    lacks = dict.fromkeys(("ranges", "data_sync", "directory_sync", "links", "watches"), False)
    platforms.current = platforms.Platform(**lacks)
options = {"path": path, "compact_threshold": 0, "archive": task == "churn"}
store = open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": options}})
print("ready", flush=True)
sys.stdin.readline()
done = []
for number in range(25):
    text = f"{name}-{number}"
    if task == "append":
        store.add_messages("k", [{"role": "user", "content": text}] * (1 + number % 3))
    elif task == "churn":
        store.add_message("k", "user", text)
        if number % 3 == 0:
            store.truncate_history("k", 5)
        store.save("k")
    elif task == "delete":
        store.add_message("k", "user", text)
        store.delete_session("k")
    elif task == "count":
        while True:
            session = store.get_session("k")
            count = int(session.summary or 0) + 1
            try:
                store.update_session("k", summary=str(count), if_version=session.version)
                break
            except VersionConflict:
                pass
    elif task == "collide":
        store.add_message(name, "user", text)
    done.append(text)
print(json.dumps(done))
"""


BARE = platforms.Platform(ranges=False, data_sync=False, directory_sync=False, links=False, watches=False)


@pytest.fixture(params=["this", "bare"])
def system(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The system with what it has, and one that has only what every one has."""
    if request.param == "bare":
        monkeypatch.setattr(platforms, "current", BARE)
    return str(request.param)


def run(directory: Path, *workers: tuple[str, str], system: str = "this") -> list[list[str]]:
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WORKER, str(directory), name, task, system],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for name, task in workers
    ]
    for process in processes:
        assert process.stdout is not None
        process.stdout.readline()
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    done = []
    for process in processes:
        output, errors = process.communicate()
        assert process.returncode == 0, errors
        done.append(json.loads(output))
    return done


def texts(store: SessionStore, key: str = "k") -> list[str]:
    return [message.text for message in store.get_history(key)]


def test_no_acknowledged_message_of_several_processes_is_lost(directory: Path, reopen: Reopen, system: str) -> None:
    done = run(directory, ("a", "append"), ("b", "append"), ("c", "append"), system=system)
    found = texts(reopen())
    assert len(found) == 3 * sum(1 + number % 3 for number in range(25))
    for mine in done:
        wanted = [text for number, text in enumerate(mine) for _ in range(1 + number % 3)]
        assert [text for text in found if text in mine] == wanted


def test_a_batch_of_one_process_is_not_parted_by_another(directory: Path, reopen: Reopen) -> None:
    run(directory, ("a", "append"), ("b", "append"))
    found = texts(reopen())
    for text in set(found):
        first = found.index(text)
        assert found[first : first + found.count(text)] == [text] * found.count(text)


def test_processes_may_truncate_and_compact_while_others_write(directory: Path, reopen: Reopen, system: str) -> None:
    store = reopen()
    stop = threading.Event()
    seen: list[str] = []
    problems: list[Any] = []

    def read() -> None:
        while not stop.is_set():
            try:
                session = store.get_session("k")
                if session.count != len(session.messages):
                    problems.append(session)
                if session.messages:
                    seen.append(session.messages[-1].text)
            except Exception as error:
                problems.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    try:
        done = run(directory, ("a", "churn"), ("b", "churn"), system=system)
    finally:
        stop.set()
        reader.join()
    assert not problems
    assert seen
    for mine in done:
        kept = [text for text in texts(store) if text in mine]
        assert kept == mine[len(mine) - len(kept) :]
    reopen(compact_threshold=0, archive=True).save("k")
    everything = [message.text for message in read_archive(directory / "k.archive")] + texts(store)
    assert len(everything) == sum(map(len, done))
    for mine in done:
        assert [text for text in everything if text in mine] == mine


def test_conditions_hold_over_processes(directory: Path, reopen: Reopen) -> None:
    run(directory, ("a", "count"), ("b", "count"))
    assert reopen().get_summary("k") == "50"


def test_processes_may_delete_what_others_write(directory: Path, reopen: Reopen) -> None:
    done = run(directory, ("a", "delete"), ("b", "append"))
    assert all(text in done[1] for text in texts(reopen()))


def test_processes_that_make_colliding_keys_at_once_keep_them_apart(directory: Path, reopen: Reopen) -> None:
    done = run(directory, ("x:y", "collide"), ("x/y", "collide"), ("x_y", "collide"))
    store = reopen()
    assert [texts(store, key) for key in ("x:y", "x/y", "x_y")] == done
    assert sorted(info.key for info in store.list_sessions()) == ["x/y", "x:y", "x_y"]


def test_threads_and_stores_of_one_process_lose_nothing(reopen: Reopen) -> None:
    stores = [reopen(), reopen()]
    barrier = threading.Barrier(6)

    def work(name: int) -> None:
        barrier.wait()
        for number in range(20):
            stores[name % 2].add_message("k", "user", f"{name}-{number}")
            stores[name % 2].get_history("k", 3)

    threads = [threading.Thread(target=work, args=(name,)) for name in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found = texts(reopen())
    assert len(found) == 120
    for name in range(6):
        assert [text for text in found if text.startswith(f"{name}-")] == [f"{name}-{number}" for number in range(20)]


@pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning")
def test_a_forked_child_does_not_keep_the_locks_of_its_parent(backend: JSONLBackend, reopen: Reopen) -> None:
    mine = backend._locks
    reading, writing = os.pipe()
    with mine.holding(7):
        child = os.fork()
        if child == 0:  # pragma: no cover - another process
            os.close(writing)
            os.read(reading, 1)
            os._exit(0)
    os.close(reading)
    try:
        with mine.holding(7):
            pass
        with JSONLBackend(backend._options)._locks.holding(7):
            pass
    finally:
        os.close(writing)
        os.waitpid(child, 0)


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this platform has no locks of open files")
def test_a_lock_file_that_was_removed_excludes_again(directory: Path, backend: JSONLBackend) -> None:
    with backend._locks.holding(1):
        pass
    path = directory / ".sessionkit.lock"
    path.unlink()
    with backend._locks.holding(1), path.open("rb+") as file:
        wanted = struct.pack("@hhqqi4x", fcntl.F_WRLCK, os.SEEK_SET, 1, 1, 0)
        with pytest.raises(BlockingIOError):
            fcntl.fcntl(file, fcntl.F_OFD_SETLK, wanted)


@pytest.mark.skipif(not hasattr(fcntl, "F_OFD_SETLK"), reason="this platform has no locks of open files")
def test_each_session_has_a_lock_of_its_own_and_colliding_keys_share_one(backend: JSONLBackend) -> None:
    assert slot_of("a:b") == slot_of("a/b") == slot_of("A_B")
    assert slot_of("a:b") != slot_of("a:c")
    with backend._locks.holding(slot_of("a:b")), backend._locks.holding(slot_of("a:c")):
        pass


def test_without_byte_ranges_the_lock_file_is_one_lock(
    directory: Path, backend: JSONLBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(platforms, "current", BARE)
    path = directory / ".sessionkit.lock"
    with backend._locks.holding(0), path.open("rb+") as file, pytest.raises(BlockingIOError):
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    with path.open("rb+") as file:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def test_an_append_goes_to_the_file_that_has_the_name(directory: Path, reopen: Reopen) -> None:
    """Another process replaced the file: what is appended must not vanish with the old one."""
    one, other = reopen(), reopen()
    one.add_message("k", "user", "old")
    other.set_history("k", [{"role": "user", "content": "new"}])
    one.add_message("k", "user", "then")
    assert texts(one) == texts(other) == texts(reopen()) == ["new", "then"]


@pytest.mark.parametrize("key", ["a/b", "a:b"])
def test_a_session_that_comes_and_goes_during_a_look_is_not_read_without_its_document(
    backend: JSONLBackend, reopen: Reopen, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    """The look finds no document, and the log; there is no document either when it looks again."""
    other = reopen()
    find, is_current = look_for_files.find, Entry.is_current
    moments: list[Callable[[], object]] = [
        lambda: (other.add_messages("a:b", MESSAGES), other.truncate_history("a:b", 1)),
        lambda: other.delete_session("a:b"),
    ]

    def find_slowly(directory: str, wanted: str) -> Any:
        found = find(directory, wanted)
        if wanted == key and len(moments) == 2:
            moments.pop(0)()
        return found

    def look_again_late(entry: Entry, look: Any) -> bool:
        if look.key == key and len(moments) == 1:
            moments.pop(0)()
        return is_current(entry, look)

    monkeypatch.setattr(look_for_files, "find", find_slowly)
    monkeypatch.setattr(Entry, "is_current", look_again_late)
    assert backend.sessionkit_get_history(key, 0, None).messages == []
    assert not moments
