"""What broken stores are made from: backends that keep the contract, cut into steps that a fault can replace.

:class:`MemoryStore` and :class:`SqliteStore` pass the whole suite. A broken store derives from one of them and
replaces one step, so that each fault is as small as it would be in a real backend.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, ClassVar, Literal, TypeAlias

from sessionkit.hookspecs import hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.messages import Message
from sessionkit.plugins.descriptors import BackendPlugin, Capability, NoOptions
from sessionkit.sessions import History, Session, Unchanged, Version
from sessionkit.state import SessionState
from sessionkit.state_backend import StateBackend

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]

Changes: TypeAlias = dict[str, Any]
"""The arguments of an update or a truncation, by name."""


class Steps(StateBackend):
    """Each write in two steps: on a key (``add``, ``change``, ``cut``), and on the state of a session that is held."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset()
    options: ClassVar[type[Any]] = NoOptions
    plugin: ClassVar[BackendPlugin]

    def __init_subclass__(cls) -> None:
        cls.plugin = cls.describe()

    @classmethod
    def describe(cls) -> BackendPlugin:
        """What the entry point of this store names."""
        return BackendPlugin(factory=lambda options: cls(), capabilities=cls.capabilities)

    @classmethod
    def settings(cls, directory: Path) -> dict[str, Any]:
        """The options with which it is opened, in a directory that is the test's own."""
        return {}

    # -- on a key

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with self.writing(key) as state:
            return self.append(state, messages)

    def change(self, key: str, changes: Changes) -> Version:
        with self.writing(key) as state:
            return self.update(state, changes)

    def cut(self, key: str, changes: Changes) -> Version:
        with self.writing(key) as state:
            return self.truncate(state, changes)

    # -- on a state

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        state.append(messages)
        return self.touched(state)

    def update(self, state: SessionState, changes: Changes) -> Version:
        state.update(**changes)
        return self.touched(state)

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        state.truncate(**changes)
        return self.touched(state)

    def touched(self, state: SessionState) -> Version:
        """Called after each write; answers the version."""
        return state.version

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        return state.history(start, limit)

    def snapshot(self, state: SessionState, limit: int | None) -> Session:
        return state.snapshot(limit)

    # -- the hooks, made from the steps

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        return self.add(key, messages)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        with self.reading(key) as state:
            return self.history(state, start, limit)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        with self.reading(key) as state:
            return self.snapshot(state, limit)

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
        changes = {"messages": messages, "summary": summary, "metadata": metadata, "aliases": aliases}
        return self.change(key, {**changes, "created": created, "updated": updated, "if_version": if_version})

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
        changes = {"keep_last": keep_last, "drop_first": drop_first, "summary": summary}
        return self.cut(key, {**changes, "if_version": if_version, "if_generation": if_generation})


class MemoryStore(Steps, MemoryBackend):
    """The memory backend in steps."""

    def touch(self, state: SessionState) -> Version:
        """Make a new state of it without changing anything."""
        return state.append(())
