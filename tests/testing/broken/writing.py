"""Stores whose appends, updates and deletions do something else than they should."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, Version, now
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import Changes, MemoryStore


@caught_by("test_an_append_adds_at_the_end")
class NewestFirst(MemoryStore):
    """Puts new messages before the old ones."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        state.messages[:0] = messages
        return self.touch(state)


@caught_by("test_a_batch_is_stored_whole_and_in_order")
class LosesTheLastOfABatch(MemoryStore):
    """Stores all messages of a batch but the last."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        return super().append(state, messages[:-1] or messages)


@caught_by("test_a_batch_is_stored_whole_and_in_order")
class BatchesOfAHundred(MemoryStore):
    """Stores no more than a hundred messages of a batch."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        return super().append(state, messages[:100])


@caught_by("test_a_batch_is_stored_whole_and_in_order")
class BatchesBackwards(MemoryStore):
    """Pushes the messages of a batch one by one, from the wrong end."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        return super().append(state, messages[::-1])


@caught_by("test_equal_messages_are_all_kept")
class DropsRepetitions(MemoryStore):
    """Takes a message that it has already for a repeated write."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        return super().append(state, [message for message in messages if message not in state.messages])


@caught_by("test_an_append_leaves_the_rest_of_the_session_alone")
class AppendsForgetMetadata(MemoryStore):
    """Writes the session's record anew with each append, without its metadata."""

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        state.metadata = {}
        return super().append(state, messages)


@caught_by("test_created_is_set_once")
class ResetsCreated(MemoryStore):
    """Sets the time of creation with each replacement of the history."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["messages"] is not UNCHANGED:
            state.created = ""
        return super().update(state, changes)


@caught_by("test_an_update_of_nothing_creates_an_unknown_session")
class CreatesOnlyWithContent(MemoryStore):
    """Does nothing when nothing is to change, to unknown sessions too."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if all(value in (UNCHANGED, None) for value in changes.values()):
            return state.version
        return super().update(state, changes)


@caught_by("test_set_history_replaces_the_messages_and_nothing_else")
class ReplacementsForgetTheSummary(MemoryStore):
    """Begins a session anew when its history is replaced."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["messages"] is not UNCHANGED:
            state.summary = ""
        return super().update(state, changes)


@caught_by("test_set_history_replaces_the_messages_and_nothing_else")
class ReplacementsAppend(MemoryStore):
    """Adds the new history to the old one."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["messages"] is not UNCHANGED:
            changes["messages"] = [*state.messages, *changes["messages"]]
        return super().update(state, changes)


@caught_by("test_set_history_of_nothing_leaves_an_empty_session")
class EmptyIsAbsent(MemoryStore):
    """Takes a session whose history was emptied for one that does not exist."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        version = super().update(state, changes)
        if changes["messages"] == ():
            state.version = ABSENT
        return version


@caught_by("test_an_update_changes_what_is_given_and_nothing_else")
class UpdatesForgetAliases(MemoryStore):
    """Takes aliases that are not given for none."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["aliases"] is UNCHANGED:
            state.aliases = ()
        return super().update(state, changes)


@caught_by("test_an_update_changes_what_is_given_and_nothing_else")
class MergesMetadata(MemoryStore):
    """Adds new metadata to the old instead of replacing it."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["metadata"] is not UNCHANGED:
            changes["metadata"] = state.metadata | changes["metadata"]
        return super().update(state, changes)


@caught_by("test_fields_can_be_emptied")
class EmptyIsUnchanged(MemoryStore):
    """Takes an empty summary for one that is not given."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        return super().update(state, {**changes, "summary": changes["summary"] or UNCHANGED})


@caught_by("test_times_that_are_given_are_kept_digit_for_digit")
class TimesInMicroseconds(MemoryStore):
    """Keeps times as numbers of microseconds."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if isinstance(changes["created"], str):
            changes["created"] = datetime.fromisoformat(changes["created"]).isoformat()
        return super().update(state, changes)


@caught_by("test_updated_is_set_and_never_goes_back")
class TrustsTheClock(MemoryStore):
    """Sets the present time, also when it is earlier than what is there."""

    def touched(self, state: SessionState) -> Version:
        state.updated = now()
        return state.version


@caught_by("test_delete_removes_everything_of_a_session")
class DeletionsLeaveTheSummary(MemoryStore):
    """Keeps summaries in another place, and forgets it when a session is deleted."""

    def __init__(self) -> None:
        super().__init__()
        self._summaries: dict[str, str] = {}

    def touched(self, state: SessionState) -> Version:
        state.summary = state.summary or self._summaries.get(state.key, "")
        self._summaries[state.key] = state.summary
        return state.version


@caught_by("test_delete_tells_whether_there_was_a_session")
class DeletesWhatIsNotThere(MemoryStore):
    """Says that every session was there."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        super().sessionkit_delete_session(key, if_version)
        return True


@caught_by("test_delete_leaves_other_sessions_alone")
class DeletesByPrefix(MemoryStore):
    """Deletes all sessions whose keys begin with the key."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        gone = [name for name in self._states if name.startswith(key)]
        for name in gone:
            super().sessionkit_delete_session(name, if_version)
        return bool(gone)


@caught_by("test_a_fork_shares_nothing_with_its_origin")
class SharesEqualHistories(MemoryStore):
    """Keeps equal histories once, and appends to all of them at the same time."""

    def __init__(self) -> None:
        super().__init__()
        self._pool: dict[tuple[Message, ...], list[Message]] = {}

    def update(self, state: SessionState, changes: Changes) -> Version:
        version = super().update(state, changes)
        state.messages = self._pool.setdefault(tuple(state.messages), state.messages)
        return version


@caught_by("test_save_of_any_session_returns", raises="KeyError")
class SavesOnlyWhatItKnows(MemoryStore):
    """Fails to save a session that does not exist."""

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        return self._states[key].version != ABSENT


@caught_by("test_save_of_any_session_returns", raises="StoreError")
class SavesWithoutAnAnswer(MemoryStore):
    """Returns nothing from a save."""

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        return None  # type: ignore[return-value] # this is the fault
