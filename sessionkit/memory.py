"""The ``memory`` backend: sessions in a dict, gone with the store.

The smallest complete backend: the reference for authors, and what unit tests of agents run on.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from itertools import count
from typing import Any, Literal, TypeAlias

from sessionkit.hookspecs import Backend, hookimpl
from sessionkit.messages import Message
from sessionkit.plugins.descriptors import BackendPlugin, NoOptions
from sessionkit.sessions import ABSENT, History, Session, SessionPage, Unchanged, Version
from sessionkit.state import SessionState

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class MemoryBackend(Backend):
    """Keeps a :class:`SessionState` for each session, and one lock around them all."""

    def __init__(self) -> None:
        self._states: dict[str, SessionState] = {}
        self._lock = threading.Lock()
        self._nonce = os.urandom(8).hex()
        self._counter = count(1)

    def _fresh(self) -> str:
        return f"{self._nonce}-{next(self._counter)}"

    def _state(self, key: str) -> SessionState:
        return self._states.get(key) or SessionState(key=key, fresh=self._fresh)

    def _keep(self, state: SessionState) -> Version:
        if state.version != ABSENT:
            self._states[state.key] = state
        return state.version

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        with self._lock:
            state = self._state(key)
            state.append(messages)
            return self._keep(state)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        with self._lock:
            return self._state(key).history(start, limit)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        with self._lock:
            return self._state(key).snapshot(limit)

    @hookimpl
    def sessionkit_update_session(
        self,
        key: str,
        messages: Sequence[Message] | _Unchanged,
        summary: str | _Unchanged,
        metadata: dict[str, Any] | _Unchanged,
        aliases: Sequence[str] | _Unchanged,
        created: str | _Unchanged,
        updated: str | _Unchanged,
        if_version: Version | None,
        write_id: str,
    ) -> Version:
        with self._lock:
            state = self._state(key)
            state.update(
                messages=messages,
                summary=summary,
                metadata=metadata,
                aliases=aliases,
                created=created,
                updated=updated,
                if_version=if_version,
            )
            return self._keep(state)

    @hookimpl
    def sessionkit_truncate_history(
        self,
        key: str,
        keep_last: int | None,
        drop_first: int | None,
        summary: str | _Unchanged,
        if_version: Version | None,
        if_generation: str | None,
        write_id: str,
    ) -> Version:
        with self._lock:
            state = self._state(key)
            state.truncate(
                keep_last=keep_last,
                drop_first=drop_first,
                summary=summary,
                if_version=if_version,
                if_generation=if_generation,
            )
            return self._keep(state)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        with self._lock:
            keys = sorted(key for key in self._states if key.startswith(prefix) and (cursor is None or key > cursor))
            sessions = [self._states[key].info() for key in keys[:limit]]
        return SessionPage(sessions=sessions, next=keys[limit - 1] if len(keys) > limit else None)

    @hookimpl
    def sessionkit_delete_session(self, key: str) -> bool:
        with self._lock:
            return self._states.pop(key, None) is not None


def _make(options: NoOptions) -> MemoryBackend:
    return MemoryBackend()


plugin = BackendPlugin(factory=_make)
