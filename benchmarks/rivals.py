"""What appends are compared with: the least that a durable append can do, picoclaw's calls, and SQLite."""

from __future__ import annotations

import json
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from time import perf_counter
from typing import TypeAlias

from sessionkit_jsonl import platforms
from sessionkit_jsonl.names import Names

Append: TypeAlias = Callable[[bytes], None]
"""Appends a line durably."""


@contextmanager
def bare_file(directory: Path) -> Iterator[Append]:
    """One write and one sync on a descriptor that stays open."""
    descriptor = os.open(directory / "bare.jsonl", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def append(line: bytes) -> None:
        os.write(descriptor, line)
        os.fdatasync(descriptor)

    try:
        yield append
    finally:
        os.close(descriptor)


@contextmanager
def our_calls(directory: Path) -> Iterator[Append]:
    """The system calls of an append of the jsonl backend, in their order; what it computes in between is left out."""
    log, lock = (os.fspath(directory / name) for name in ("calls.jsonl", "lock"))
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
    descriptors = os.open(log, flags, 0o600), os.open(lock, flags, 0o600)
    names = Names(os.fspath(directory), patience=1)
    names.confirm()

    def append(line: bytes) -> None:
        platforms.current.lock(descriptors[1], 0)
        os.stat(log)
        names.mark()
        os.write(descriptors[0], line)
        os.fdatasync(descriptors[0])
        platforms.current.unlock(descriptors[1], 0)

    try:
        yield append
    finally:
        names.close()
        for descriptor in descriptors:
            os.close(descriptor)


def picoclaws_calls(directory: Path) -> Append:
    """The calls that picoclaw makes for an append, in their order; what it computes in between is left out."""
    directory.mkdir()
    log, document, temporary = directory / "a.jsonl", directory / "a.meta.json", directory / "a.tmp"
    moment = "2026-01-31T12:00:00.123456789Z"
    meta = {"key": "a", "summary": "", "skip": 0, "count": 1, "created_at": moment, "updated_at": moment}
    text = json.dumps(meta, indent=2).encode()

    def append(line: bytes) -> None:
        _write(log, line, os.O_APPEND)
        _write(temporary, text, os.O_EXCL)
        os.rename(temporary, document)
        descriptor = os.open(directory, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)

    return append


def _write(path: Path, data: bytes, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | flags, 0o600)
    os.write(descriptor, data)
    os.fsync(descriptor)
    os.close(descriptor)


@contextmanager
def sqlite_full(path: Path) -> Iterator[Append]:
    """One INSERT in a transaction of its own, in WAL mode, synced."""
    with closing(_connect(path)) as connection:
        yield lambda line: _insert(connection, line)


def sqlite_in_threads(path: Path, line: bytes, threads: int) -> Callable[[int], list[float]]:
    """The same from several threads, with a connection each: the seconds of a call."""
    _connect(path).close()

    def run(calls: int) -> list[float]:
        def work() -> None:
            with closing(_connect(path)) as connection:
                for _ in range(calls):
                    _insert(connection, line)

        return [side_by_side(work, threads) / (calls * threads)]

    return run


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, timeout=60)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("CREATE TABLE IF NOT EXISTS messages (id INTEGER PRIMARY KEY, session TEXT, body TEXT)")
    return connection


def _insert(connection: sqlite3.Connection, line: bytes) -> None:
    connection.execute("INSERT INTO messages (session, body) VALUES (?, ?)", ("a", line.decode()))


def side_by_side(work: Callable[[], None], threads: int) -> float:
    """The seconds from the start of several threads to the end of the last one."""
    start = threading.Barrier(threads + 1)
    failed: list[BaseException] = []

    def run() -> None:
        start.wait()
        try:
            work()
        except BaseException as error:  # the measurement is void, whatever it was
            failed.append(error)

    running = [threading.Thread(target=run) for _ in range(threads)]
    for thread in running:
        thread.start()
    start.wait()
    begin = perf_counter()
    for thread in running:
        thread.join()
    if failed:
        raise failed[0]
    return perf_counter() - begin
