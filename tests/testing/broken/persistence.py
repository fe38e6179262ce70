"""Stores that lose something between closing and opening, or disturb each other."""

from __future__ import annotations

import os
from typing import Any, ClassVar

from sessionkit.errors import BackendUnavailableError
from sessionkit.hookspecs import hookimpl
from sessionkit.operations import check_conditions
from sessionkit.plugins.descriptors import Capability
from sessionkit.sessions import ABSENT, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .sqlite import BufferedStore, SqliteStore
from .stores import MemoryStore


@caught_by("test_closing_twice_is_closing_once", raises="RuntimeError")
class ReleasesALockItDoesNotHold(MemoryStore):
    """Fails when it is closed."""

    @hookimpl
    def sessionkit_close(self) -> None:
        self._lock.release()


@caught_by("test_two_stores_can_be_open_at_once", raises="BackendUnavailableError")
class OneConnectionForAll(SqliteStore):
    """Shares a connection between all stores of a process, and closes it with the first of them."""

    _shared: ClassVar[dict[str, Any]] = {}

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        own, self._connection = self._connection, self._shared.setdefault(str(options.path), self._connection)
        if own is not self._connection:
            own.close()


@caught_by("test_what_was_saved_is_there_when_it_is_opened_again")
class ForgetsWhenItIsClosed(MemoryStore):
    """Promises to be persistent, and keeps everything in memory."""

    capabilities: ClassVar[frozenset[Capability]] = frozenset({Capability.PERSISTENT})


@caught_by("test_what_was_saved_is_there_when_it_is_opened_again")
class ForgetsAliases(BufferedStore):
    """Has no place for aliases in its files."""

    def document(self, state: SessionState) -> dict[str, Any]:
        return super().document(state) | {"aliases": []}


@caught_by("test_saving_makes_it_readable_for_another_store")
class SavesWhenItIsClosed(BufferedStore):
    """Does nothing when it should save, and everything when it is closed."""

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        return True


@caught_by("test_close_saves_what_is_unsaved")
class ClosesWithTheLast(BufferedStore):
    """Saves the session that was written to last when it is closed, and no other."""

    @hookimpl
    def sessionkit_close(self) -> None:
        self._unsaved = dict(list(self._unsaved.items())[-1:])
        super().sessionkit_close()


@caught_by("test_a_deletion_outlives_the_store")
class DeletesInMemory(BufferedStore):
    """Deletes a session from memory and leaves it in its file."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        with self.reading(key) as state:
            check_conditions(state, if_version=if_version)
            existed = state.version != ABSENT
        self._unsaved[key] = SessionState(key=key, fresh=self.fresh)
        return existed

    def flush(self, *keys: str) -> None:
        super().flush(*(key for key in keys if self._unsaved[key].version != ABSENT))


@caught_by("test_versions_hold_over_reopening")
class CountsVersionsFromOne(SqliteStore):
    """Counts the versions of an open store, and begins again with the next one."""

    def fresh(self) -> str:
        return f"{next(self._counter)}"


@caught_by("test_versions_hold_over_reopening")
class VersionsInMemory(BufferedStore):
    """Gives each session a new version when it reads it from its file."""

    def load(self, key: str) -> SessionState:
        state = super().load(key)
        if state.version != ABSENT:
            state.version = self.fresh()
        self._unsaved[key] = state
        return state


@caught_by("test_hostile_keys_are_kept_apart_over_reopening")
class RowsIgnoreCase(BufferedStore):
    """Tells keys apart in memory that are one in its files."""

    def load(self, key: str) -> SessionState:
        return super().load(key.casefold())

    def store(self, state: SessionState) -> None:
        state.key = state.key.casefold()
        super().store(state)


@caught_by(
    "test_a_forked_child_works_on_its_own",
    "test_acknowledged_writes_survive_the_death_of_the_writer",
    raises="BackendUnavailableError",
)
class LocksByAFile(SqliteStore):
    """Keeps other processes out by a file that only a close removes, and no death."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        try:
            os.close(os.open(self._directory / "lock", os.O_CREAT | os.O_EXCL))
        except FileExistsError as error:
            raise BackendUnavailableError(f"{self._directory} is in use") from error

    @hookimpl
    def sessionkit_close(self) -> None:
        super().sessionkit_close()
        (self._directory / "lock").unlink()


@caught_by("test_a_forked_child_writes_on_when_its_parent_has_closed")
class KeepsTheDatabaseOverAFork(SqliteStore):
    """Inherits an open database, whose locks SQLite takes for the child's: its log goes with the parent."""

    def before_fork(self) -> None:
        pass

    def after_fork_in_parent(self) -> None:
        pass
