"""Stores whose versions and generations say the wrong thing, and those that do not heed them."""

from __future__ import annotations

from collections import Counter

from sessionkit.errors import VersionConflict
from sessionkit.hookspecs import hookimpl
from sessionkit.sessions import ABSENT, UNCHANGED, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import Changes, MemoryStore


@caught_by("test_every_change_changes_the_version")
class OnlyMessagesMakeVersions(MemoryStore):
    """Counts versions by the number of messages."""

    def touched(self, state: SessionState) -> Version:
        if state.version != ABSENT:
            state.version = f"v{len(state.messages)}"
        return state.version


@caught_by("test_a_write_returns_the_version_that_is_read_afterwards")
class ReturnsTheVersionBefore(MemoryStore):
    """Returns the version that an updated session had before."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        before = state.version
        super().update(state, changes)
        return before


@caught_by("test_reading_and_saving_do_not_change_the_version")
class SavesAreChanges(MemoryStore):
    """Gives a session a new version when it is saved."""

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self._states[key].version = self.fresh()
        return True


@caught_by("test_reading_and_saving_do_not_change_the_version")
class CompactionsAreCuts(MemoryStore):
    """Begins a new generation when a save rewrites the file."""

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        self._states[key].generation = self.fresh()
        return True


@caught_by("test_an_update_or_truncation_of_nothing_keeps_the_version")
class EveryCallIsAChange(MemoryStore):
    """Makes a new version with each call, also when nothing was changed."""

    def touched(self, state: SessionState) -> Version:
        return self.touch(state)


@caught_by("test_a_version_is_never_repeated")
class VersionsAreHashes(MemoryStore):
    """Takes a hash of the contents for the version, which is the same again when the contents are."""

    def touched(self, state: SessionState) -> Version:
        state.version = f"v{hash((tuple(state.messages), state.summary, str(state.metadata)))}"
        return state.version


@caught_by("test_a_version_is_never_repeated")
class VersionsBeginAnew(MemoryStore):
    """Counts the versions of a session from 1, after a deletion too."""

    def __init__(self) -> None:
        super().__init__()
        self._writes: Counter[str] = Counter()

    def touched(self, state: SessionState) -> Version:
        self._writes[state.key] += 1
        state.version = f"{self._writes[state.key]}"
        return state.version

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        self._writes.pop(key, None)
        return super().sessionkit_delete_session(key, if_version)


@caught_by("test_a_version_is_never_repeated")
class VersionsAreSeconds(MemoryStore):
    """Takes the time of the last change, in seconds, for the version."""

    def touched(self, state: SessionState) -> Version:
        state.version = state.updated[:19]
        return state.version


@caught_by("test_a_replacement_in_another_state_is_refused")
class UpdatesIgnoreConditions(MemoryStore):
    """Updates a session in whatever state it is."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        return super().update(state, {**changes, "if_version": None})


@caught_by("test_a_replacement_in_another_state_is_refused")
class ChecksAfterwards(MemoryStore):
    """Looks at the condition when the update is done."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        before, expected = state.version, changes["if_version"]
        version = super().update(state, {**changes, "if_version": None})
        if expected not in (None, before):
            raise VersionConflict(f"session {state.key!r} was changed since it was read")
        return version


@caught_by("test_a_truncation_in_another_state_is_refused")
class CutsIgnoreConditions(MemoryStore):
    """Truncates a session in whatever state it is."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(state, {**changes, "if_version": None})


@caught_by("test_a_truncation_in_another_state_is_refused")
class CutsNothingUnchecked(MemoryStore):
    """Does not look at the condition when no message has to go."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        if changes["keep_last"] >= len(state.messages):
            changes["if_version"] = None
        return super().truncate(state, changes)


@caught_by("test_a_write_in_the_same_state_is_done", raises="VersionConflict")
class QuotesVersions(MemoryStore):
    """Compares a version with its form in a header, which has quotes."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        expected = changes["if_version"]
        return super().update(state, {**changes, "if_version": expected and f'"{expected}"'})


@caught_by("test_absent_means_create_only")
class AbsentMeansEmpty(MemoryStore):
    """Takes a session without messages for none."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["if_version"] == ABSENT and not state.messages:
            changes["if_version"] = None
        return super().update(state, changes)


@caught_by("test_a_deleted_session_is_in_no_earlier_state")
class ConditionsHoldForTheUnknown(MemoryStore):
    """Looks at conditions of sessions only that there are."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if state.version == ABSENT:
            changes["if_version"] = None
        return super().update(state, changes)


@caught_by("test_a_deleted_session_is_in_no_earlier_state")
class CutsOfTheUnknownUnchecked(MemoryStore):
    """Answers at once that a session is unknown, whatever the condition of a truncation says."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return ABSENT if state.version == ABSENT else super().truncate(state, changes)


@caught_by("test_a_deletion_in_another_state_is_refused", "test_a_deletion_of_what_is_gone_is_refused")
class DeletionsIgnoreConditions(MemoryStore):
    """Deletes a session in whatever state it is."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        return super().sessionkit_delete_session(key, None)


@caught_by("test_a_deletion_in_the_same_state_is_done", raises="VersionConflict")
class DeletesExistingOnesOnly(MemoryStore):
    """Takes every condition for one on a session that exists."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        if if_version is not None and key not in self._states:
            raise VersionConflict(f"session {key!r} does not exist any more")
        return super().sessionkit_delete_session(key, if_version)


@caught_by("test_a_deletion_of_what_is_gone_is_refused")
class DeletesTheGoneAgain(MemoryStore):
    """Answers at once that there was no session, whatever the condition says."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        return key in self._states and super().sessionkit_delete_session(key, if_version)


@caught_by("test_a_condition_counts_also_when_nothing_is_to_change")
class NothingToChangeUnchecked(MemoryStore):
    """Does not look at the condition of an update that changes nothing."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if state.version != ABSENT and all(changes[name] is UNCHANGED for name in changes if name != "if_version"):
            return state.version
        return super().update(state, changes)


@caught_by("test_the_generation_changes_exactly_with_removal_and_replacement")
class CutsKeepTheGeneration(MemoryStore):
    """Goes on in the same generation after a truncation."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        before = state.generation
        version = super().truncate(state, changes)
        state.generation = before
        return version


@caught_by("test_the_generation_changes_exactly_with_removal_and_replacement")
class SummariesAreCuts(MemoryStore):
    """Begins a new generation with a new summary."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["summary"] is not UNCHANGED:
            state.generation = self.fresh()
        return super().update(state, changes)


@caught_by("test_the_generation_is_not_repeated_after_a_deletion")
class GenerationsBeginAnew(MemoryStore):
    """Takes the first message for the generation, which a new session may have too."""

    def touched(self, state: SessionState) -> Version:
        state.generation = repr(state.messages[:1])
        return state.version


@caught_by("test_summarize_keeps_what_arrived_meanwhile", raises="VersionConflict")
class AppendsAreCuts(MemoryStore):
    """Begins a new generation with each append, so that no summary of a running conversation is ever in time."""

    def touched(self, state: SessionState) -> Version:
        state.generation = state.version
        return state.version


@caught_by("test_summarize_is_refused_after_a_competing_cut")
class IgnoresGenerations(MemoryStore):
    """Drops the oldest messages, whichever they are by now."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(state, {**changes, "if_generation": None})


@caught_by("test_a_summary_of_an_absent_session_is_refused_when_there_is_one_now")
class EmptyGenerationIsNoCondition(MemoryStore):
    """Takes the generation of a session that does not exist for no condition."""

    def truncate(self, state: SessionState, changes: Changes) -> Version:
        return super().truncate(state, {**changes, "if_generation": changes["if_generation"] or None})
