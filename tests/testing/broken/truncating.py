"""Stores that cut a history in the wrong place, or change something else with it."""

from __future__ import annotations

from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import Changes, MemoryStore


@caught_by("test_truncation_keeps_the_last_messages")
class KeepsOneTooMany(MemoryStore):
    """Cuts one message too early."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(state, {**changes, "keep_last": changes["keep_last"] + 1})


@caught_by("test_truncation_keeps_the_last_messages")
class KeepsTheFirst(MemoryStore):
    """Keeps the oldest messages instead of the newest."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return self.update(state, {"messages": state.messages[: changes["keep_last"]]})


@caught_by("test_truncation_to_none_or_fewer_empties_the_history")
class ZeroKeepsAll(MemoryStore):
    """Takes the last 0 messages of a list by a slice from -0, which is all of them."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return self.update(state, {"messages": state.messages[-changes["keep_last"] :]})


@caught_by("test_truncation_with_a_summary_changes_both")
class SummaryOnlyWithACut(MemoryStore):
    """Ignores the summary when no message has to go."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        if changes["keep_last"] >= len(state.messages):
            return state.version
        return super().truncate(state, changes)


@caught_by("test_truncation_without_a_summary_keeps_it")
class CutsTheSummaryToo(MemoryStore):
    """Takes a summary that is not given for an empty one."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(
            state, {**changes, "summary": changes["summary"] if changes["summary"] is not UNCHANGED else ""}
        )


@caught_by("test_truncation_without_a_summary_keeps_it")
class CutsAliases(MemoryStore):
    """Writes the session's record anew after a cut, without the aliases."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        state.aliases = ()
        return super().truncate(state, changes)


@caught_by("test_truncating_an_unknown_session_creates_nothing")
class CutsCreate(MemoryStore):
    """Creates the session that it was asked to truncate."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        if state.version == ABSENT:
            self.touch(state)
        return super().truncate(state, changes)


@caught_by("test_truncating_an_unknown_session_with_a_summary_keeps_the_summary")
class CutsNothingOfTheUnknown(MemoryStore):
    """Does nothing to an unknown session, and loses the summary that was given."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return state.version if state.version == ABSENT else super().truncate(state, changes)


@caught_by("test_drop_first_removes_the_oldest_messages")
class DropsWhatItShouldKeep(MemoryStore):
    """Takes how many messages go for how many stay."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(state, {**changes, "keep_last": changes["drop_first"], "drop_first": None})


@caught_by("test_appends_after_a_truncation_follow_what_was_kept")
class CutsComeBack(MemoryStore):
    """Only hides what is cut off; a later truncation that keeps more shows it again."""

    def __init__(self) -> None:
        super().__init__()
        self._hidden: dict[str, list[Message]] = {}

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        everything = self._hidden.pop(state.key, []) + state.messages
        place = max(len(everything) - changes["keep_last"], 0)
        self._hidden[state.key] = everything[:place]
        return self.update(state, {"messages": everything[place:]})
