"""The ``memory`` backend: sessions in a dict, gone with the store.

The smallest complete backend: the reference for authors (with its base class, which holds the hooks on one
session), and what unit tests of agents run on.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from sessionkit.findings import Finding
from sessionkit.hookspecs import hookimpl
from sessionkit.operations import check_conditions, page
from sessionkit.plugins.descriptors import BackendPlugin, NoOptions
from sessionkit.sessions import ABSENT, SessionPage, Version
from sessionkit.state import SessionState
from sessionkit.state_backend import StateBackend


class MemoryBackend(StateBackend):
    """Keeps a :class:`SessionState` for each session, and one lock around them all."""

    def __init__(self) -> None:
        super().__init__()
        self._states: dict[str, SessionState] = {}
        self._lock = threading.Lock()

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        with self._lock:
            yield self._state(key)

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with self._lock:
            state = self._state(key)
            yield state
            if state.version != ABSENT:
                self._states[key] = state

    def _state(self, key: str) -> SessionState:
        return self._states.get(key) or SessionState(key=key, fresh=self.fresh)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        with self._lock:
            keys = sorted(key for key in self._states if key.startswith(prefix) and (cursor is None or key > cursor))
            return page([self._states[key].info() for key in keys[: limit + 1]], limit)

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        with self._lock:
            check_conditions(self._state(key), if_version=if_version)
            return self._states.pop(key, None) is not None

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        return [Finding.ok("keeping", "sessions are kept in memory, and are gone when the store is closed")]


def _make(options: NoOptions) -> MemoryBackend:
    return MemoryBackend()


plugin = BackendPlugin(factory=_make, api_version=(1, 1))
