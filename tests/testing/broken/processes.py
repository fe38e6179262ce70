"""Stores that are wrong when several processes use them, or when one of these dies."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, ClassVar

from sessionkit.errors import VersionConflict
from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.plugins.descriptors import Capability
from sessionkit.sessions import ABSENT, Version
from sessionkit.state import SessionState

from .handing_over import Meeting, meet_another_process
from .registry import caught_by
from .sqlite import FILE, BufferedStore, SqliteStore
from .stores import Changes


@caught_by("test_another_process_reads_what_was_saved")
class OneFileForEachProcess(SqliteStore):
    """Names its file by the number of the process."""

    def file(self) -> str:
        return f"{os.getpid()}-{FILE}"


@caught_by("test_processes_that_append_to_one_session_lose_nothing")
class LocksNoOtherProcess(SqliteStore):
    """Reads the history, adds to it and writes it back, while another process does the same."""

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with self._lock:
            read = list(self.load(key).messages)
            meet_another_process(self._directory)
            with self.writing(key) as state:
                state.messages = read
                return state.append(messages)


@caught_by("test_a_store_sees_what_other_processes_do")
class ReadsOnce(SqliteStore):
    """Reads a session from its file once, and from memory after that."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._read: dict[str, SessionState] = {}

    def load(self, key: str) -> SessionState:
        return self._read.setdefault(key, super().load(key))


@caught_by("test_stores_in_one_process_are_as_safe_as_processes")
class LocksByProcess(SqliteStore):
    """Locks a file in a way that keeps other processes out, and no other store in the same one."""

    _meeting: ClassVar[Meeting] = Meeting()

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with (self._directory / "lock").open("w") as file:
            fcntl.lockf(file, fcntl.LOCK_EX)
            read = list(self.load(key).messages)
            self._meeting.wait()
            with self.writing(key) as state:
                state.messages = read
                return state.append(messages)


@caught_by("test_a_conditional_write_sees_what_other_stores_wrote")
class ComparesWhatItRemembers(SqliteStore):
    """Holds a condition against the version that it wrote itself."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._wrote: dict[str, Version] = {}

    def touched(self, state: SessionState) -> Version:
        self._wrote[state.key] = state.version
        return state.version

    def update(self, state: SessionState, changes: Changes) -> Version:
        expected = changes["if_version"]
        if expected is not None and expected != self._wrote.get(state.key, ABSENT):
            raise VersionConflict(f"session {state.key!r} was changed since it was read")
        return super().update(state, {**changes, "if_version": None})


@caught_by("test_acknowledged_writes_survive_the_death_of_the_writer")
class AcknowledgesBeforeStoring(BufferedStore):
    """Promises durability, and stores a session when it is saved."""

    capabilities: ClassVar[frozenset[Capability]] = SqliteStore.capabilities


@caught_by("test_a_killed_writer_leaves_the_listing_and_other_sessions_whole")
class TheRestLater(SqliteStore):
    """Stores the first message of a batch at once, and the rest with the next write."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._rest: list[Message] = []

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        now, self._rest = [*self._rest, messages[0]], list(messages[1:])
        return super().append(state, now)


@caught_by("test_a_killed_writer_leaves_the_listing_and_other_sessions_whole")
class MetadataBeforeData(BufferedStore):
    """Writes down at once how many messages a session has, and the messages when it is saved."""

    capabilities: ClassVar[frozenset[Capability]] = SqliteStore.capabilities

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with super().writing(key) as state:
            yield state
            document = self.document(state) | {"messages": []}
            self._connection.execute("INSERT OR REPLACE INTO sessions VALUES (?, ?)", (key, self.pack(document)))


@caught_by("test_every_kind_of_write_survives_the_death_of_the_writer")
class UpdatesLater(SqliteStore):
    """Stores messages at once, and changes of a session's other fields when it is closed."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._later: list[tuple[str, Changes]] = []

    def change(self, key: str, changes: Changes) -> Version:
        if self.load(key).version == ABSENT:
            return super().change(key, changes)
        self._later.append((key, changes))
        return self.fresh()

    @hookimpl
    def sessionkit_close(self) -> None:
        for key, changes in self._later:
            super().change(key, changes)
        super().sessionkit_close()


@caught_by("test_what_was_saved_survives_the_death_of_the_process")
class SavesOnce(BufferedStore):
    """Saves a session the first time only, and then when it is closed."""

    def __init__(self, options: Any) -> None:
        super().__init__(options)
        self._saved: set[str] = set()

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        if key not in self._saved:
            self.flush(key)
        self._saved.add(key)
        return True
