"""Stores that hide a failure, or make it worse, and those that tell secrets."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

import attrs

from sessionkit.errors import BackendUnavailableError, CorruptSessionError, StoreError
from sessionkit.messages import Message
from sessionkit.plugins.options import directory_option, option
from sessionkit.sessions import Version
from sessionkit.state import SessionState

from .registry import caught_by
from .sqlite import SqliteStore


@caught_by("test_a_write_that_fails_raises_and_stores_nothing")
class SwallowsErrors(SqliteStore):
    """Answers as if a write that failed were done."""

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with suppress(StoreError):
            return super().add(key, messages)
        return self.fresh()


@caught_by("test_a_write_that_fails_raises_and_stores_nothing")
class ChangesMemoryFirst(SqliteStore):
    """Changes what it has in memory before it stores it, and does not undo that."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._read: dict[str, SessionState] = {}

    def load(self, key: str) -> SessionState:
        return self._read.setdefault(key, super().load(key))


@caught_by("test_writes_that_failed_are_held_and_stored_in_order_later")
class RetriesByItself(SqliteStore):
    """Keeps a write that failed to try it again, and says that it failed."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._failed: list[Message] = []

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        try:
            version = super().add(key, [*self._failed, *messages])
        except StoreError:
            self._failed += messages
            raise
        self._failed = []
        return version


@attrs.frozen(kw_only=True)
class TalkativeOptions:
    """Shows all options in its repr."""

    path: Path = directory_option(help="the directory of the database")  # noqa: RUF009 - it makes a field
    password: str = option(default="", secret=True, help="never shown, were it not for __repr__")

    def __repr__(self) -> str:
        return f"TalkativeOptions(path={self.path}, password={self.password})"


@caught_by("test_secrets_are_not_in_the_options_repr")
class ShowsItsOptions(SqliteStore):
    """Has options that show their secrets."""

    options: ClassVar[type[Any]] = TalkativeOptions


@caught_by("test_an_error_of_opening_does_not_show_a_secret")
class ComplainsWithThePassword(SqliteStore):
    """Says with which password a store could not be opened."""

    def __init__(self, options: Any) -> None:
        try:
            super().__init__(options)
        except BackendUnavailableError as error:
            raise BackendUnavailableError(f"{options.path} does not open with {options.password!r}") from error


@caught_by("test_a_session_that_cannot_be_read_is_an_error_and_not_an_empty_one")
class DamagedIsEmpty(SqliteStore):
    """Takes a session that it cannot read for an empty one."""

    def load(self, key: str) -> SessionState:
        try:
            return super().load(key)
        except CorruptSessionError:
            return SessionState(key=key, fresh=self.fresh)
