from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions
from sessionkit_jsonl.group import Unit

from sessionkit import SessionStore, open_store

OpenBackend: TypeAlias = Callable[..., JSONLBackend]
OpenStore: TypeAlias = Callable[..., SessionStore]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def open_backend(directory: Path) -> Iterator[OpenBackend]:
    """Open the directory as another process would: with nothing in memory."""
    opened: list[JSONLBackend] = []

    def open_(files: Any = None, **options: Any) -> JSONLBackend:
        opened.append(JSONLBackend(JSONLOptions(path=directory, **options), files))
        return opened[-1]

    yield open_
    for backend in opened:
        backend._durability.stop()


@pytest.fixture
def listed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The directories that are listed, each time that one is."""
    paths: list[str] = []
    original = os.listdir

    def counted(path: str) -> list[str]:
        paths.append(path)
        return original(path)

    monkeypatch.setattr(os, "listdir", counted)
    return paths


@pytest.fixture
def backend(open_backend: OpenBackend) -> JSONLBackend:
    return open_backend()


@pytest.fixture
def reopen(directory: Path) -> Iterator[OpenStore]:
    """Open the directory as another process would, through the facade; every fault raises."""
    opened: list[SessionStore] = []

    def open_(**options: Any) -> SessionStore:
        settings = {"path": str(directory), **options}
        opened.append(open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": settings}}))
        return opened[-1]

    yield open_
    for store in opened:
        store.close()


@pytest.fixture
def store(reopen: OpenStore) -> SessionStore:
    return reopen()


@pytest.fixture
def waiting(monkeypatch: pytest.MonkeyPatch) -> threading.Semaphore:
    """Counts those who began to wait."""
    semaphore = threading.Semaphore(0)
    wait = Unit.wait

    def noted(unit: Unit) -> None:
        semaphore.release()
        wait(unit)

    monkeypatch.setattr(Unit, "wait", noted)
    return semaphore


class Threads:
    """Threads with what came of them."""

    def __init__(self) -> None:
        self.outcomes: dict[str, object] = {}
        self._threads: list[threading.Thread] = []

    def start(self, name: str, call: Callable[[], object]) -> None:
        def run() -> None:
            try:
                self.outcomes[name] = call()
            except BaseException as error:  # told to the test, interrupts too
                self.outcomes[name] = error

        self._threads.append(threading.Thread(target=run))
        self._threads[-1].start()

    def join(self) -> None:
        for thread in self._threads:
            thread.join(10)
            assert not thread.is_alive()


@pytest.fixture
def threads() -> Iterator[Threads]:
    started = Threads()
    yield started
    started.join()
