"""Stores that tell something else than what they keep."""

from __future__ import annotations

import attrs

from sessionkit.sessions import ABSENT, History, Session
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import MemoryStore


@caught_by("test_an_unknown_session_is_empty_and_absent")
class UnknownIsEmpty(MemoryStore):
    """Gives a session that does not exist a version like any other."""

    def snapshot(self, state: SessionState, limit: int | None) -> Session:
        session = state.snapshot(limit)
        return session if session.exists else attrs.evolve(session, version="0")


@caught_by("test_reading_creates_nothing")
class ReadingCreates(MemoryStore):
    """Makes a session when it is read for the first time."""

    def snapshot(self, state: SessionState, limit: int | None) -> Session:
        if state.version == ABSENT:
            self.touch(state)
        return self._states.setdefault(state.key, state).snapshot(limit)


@caught_by("test_a_limit_returns_the_newest")
class OldestInsteadOfNewest(MemoryStore):
    """Counts a limit from the beginning of the history."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        return state.history(max(start, 0), limit)


@caught_by("test_a_limit_of_none_or_fewer_returns_nothing")
class ZeroIsNoLimit(MemoryStore):
    """Takes a limit of 0 for none."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        return state.history(start, limit or None)


@caught_by("test_every_stretch_of_a_history_can_be_read")
class WrapsAround(MemoryStore):
    """Counts a start before the beginning once more from the end, as a slice does."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        first = start + len(state.messages) if start < 0 else start
        messages = state.messages[first:][:limit]
        return attrs.evolve(state.history(0, 0), messages=messages, start=max(first, 0))


@caught_by("test_a_snapshot_counts_all_messages_whatever_the_limit")
class CountsWhatItShows(MemoryStore):
    """Counts the messages of the snapshot instead of those of the session."""

    def snapshot(self, state: SessionState, limit: int | None) -> Session:
        session = state.snapshot(limit)
        return attrs.evolve(session, count=len(session.messages))


@caught_by("test_what_was_read_does_not_change_with_later_writes")
class HandsOutItsOwnList(MemoryStore):
    """Returns the list in which it keeps the messages, and goes on to append to it."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        return attrs.evolve(state.history(start, limit), messages=state.messages)


@caught_by("test_a_long_history_is_read_whole")
class AThousandAtMost(MemoryStore):
    """Returns a page of a thousand messages where all were asked for."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        return state.history(start, 1000 if limit is None else limit)


@caught_by("test_history_session_and_listing_agree")
class HistoriesHaveTheirOwnVersion(MemoryStore):
    """Counts the versions of a history apart from those of its session."""

    def history(self, state: SessionState, start: int, limit: int | None) -> History:
        history = state.history(start, limit)
        return attrs.evolve(history, version=f"{history.total}")


@caught_by("test_an_alias_is_no_key")
class AliasesResolveThemselves(MemoryStore):
    """Opens a session by its alias when there is none of that key."""

    def _state(self, key: str) -> SessionState:
        named = [state for state in self._states.values() if key in state.aliases]
        return named[0] if named and key not in self._states else super()._state(key)
