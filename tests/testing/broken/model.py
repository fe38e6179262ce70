"""Stores whose fault needs several operations, each of which is right."""

from __future__ import annotations

from sessionkit.sessions import ABSENT, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import Changes, MemoryStore


@caught_by("test_any_sequence_of_operations_equals_the_model")
class CutsOfTheEmptyDelete(MemoryStore):
    """Removes a session that is truncated when it is empty already."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        was_empty = state.version != ABSENT and not state.messages
        version = super().truncate(state, changes)
        if was_empty:
            state.version = ABSENT
        return version


@caught_by("test_any_sequence_of_operations_equals_the_model")
class NoRoomForASummary(MemoryStore):
    """Has no room for both a summary and metadata when there are more than two messages."""

    def touched(self, state: SessionState) -> Version:
        if len(state.messages) > 2 and state.metadata:
            state.summary = ""
        return state.version
