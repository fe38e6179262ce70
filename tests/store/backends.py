"""Backends that fail when they are told to, and stores around them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

from sessionkit.hookspecs import Backend, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.messages import Message
from sessionkit.sessions import Unchanged, Version
from sessionkit.store import OnWriteError, SessionStore
from sessionkit.store.runtime import Recipe

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class FlakyBackend(MemoryBackend):
    """A memory backend whose writes ask ``before_write`` first; what that raises, the write raises."""

    def __init__(self) -> None:
        super().__init__()
        self.before_write: Callable[[str, str], None] = lambda hook, key: None
        self.saved: list[str] = []
        self.closed = 0
        self.write_ids: list[str] = []

    def fail(self, error: BaseException | None) -> None:
        """Let every write fail with an error; None mends it."""

        def before_write(hook: str, key: str) -> None:
            if error is not None:
                raise error

        self.before_write = before_write

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        self.write_ids.append(write_id)
        self.before_write("add_messages", key)
        return super().sessionkit_add_messages(key, messages, write_id)

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
        self.before_write("update_session", key)
        return super().sessionkit_update_session(
            key, messages, summary, metadata, aliases, created, updated, if_version, write_id
        )

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
        self.before_write("truncate_history", key)
        return super().sessionkit_truncate_history(
            key, keep_last, drop_first, summary, if_version, if_generation, write_id
        )

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        self.before_write("delete_session", key)
        return super().sessionkit_delete_session(key, if_version)

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self.saved.append(key)
        return True

    @hookimpl
    def sessionkit_close(self) -> None:
        self.closed += 1


class Gate:
    """Lets a test hold a write inside the backend, and go on when it says so."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.open = threading.Event()

    def __call__(self, hook: str, key: str) -> None:
        self.arrived.set()
        assert self.open.wait(30)


def store_on(
    backend: Backend,
    *,
    on_write_error: OnWriteError = "log",
    extensions: Sequence[tuple[str, object]] = (),
) -> SessionStore:
    """A store on one backend object, without configuration."""
    made = [(name, _constant(extension)) for name, extension in extensions]
    recipe = Recipe(
        name="test", source="tests", backend=lambda: backend, extensions=made, on_write_error=on_write_error
    )
    return SessionStore(recipe)


def _constant(value: object) -> Callable[[], object]:
    return lambda: value


def texts(store: SessionStore, key: str) -> list[str]:
    """The texts of a session's messages."""
    return [message.text for message in store.get_history(key)]
