"""Stores that do harm when they are cleaned, looked through or mended, or that overlook damage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessionkit.damage import Damage
from sessionkit.hookspecs import hookimpl
from sessionkit.state import SessionState

from .registry import caught_by
from .sqlite import SqliteStore
from .stores import MemoryStore


@caught_by("test_compacting_changes_nothing_that_can_be_read")
class CompactsTooMuch(MemoryStore):
    """Takes the summary for something that is no longer needed."""

    @hookimpl
    def sessionkit_compact(self, key: str) -> int:
        with self.writing(key) as state:
            size = len(state.summary)
            state.summary = ""
        return size


@caught_by("test_compacting_changes_nothing_that_can_be_read")
class CompactsIntoANewVersion(MemoryStore):
    """Gives a session that it compacts another version."""

    @hookimpl
    def sessionkit_compact(self, key: str) -> int:
        with self.writing(key) as state:
            self.touch(state)
        return 0


@caught_by("test_a_sound_store_is_found_sound")
class TakesTruncationForDamage(MemoryStore):
    """Takes a session with a summary for one that lost messages."""

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        state = None if key is None else self._states.get(key)
        if state is None or not state.summary:
            return []
        return [Damage(kind="lost", key=key, problem="messages are missing", remedy="restore a backup")]


@caught_by("test_a_sound_store_is_found_sound", "test_repairing_a_sound_store_changes_nothing")
class WritesWhatItLooksAt(MemoryStore):
    """Writes each session again when it looks at it, with another version."""

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        if key is not None:
            with self.writing(key) as state:
                self.touch(state)
        return []

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        return self.sessionkit_verify(key)


@caught_by("test_damage_is_found")
class OverlooksDamage(SqliteStore):
    """Reads a document that is damaged as that of a session without messages."""

    def unpack(self, key: str, data: bytes) -> dict[str, Any]:
        try:
            return super().unpack(key, data)
        except Exception:  # the fault: whatever it is
            return self.document(SessionState(key=key, fresh=self.fresh))
