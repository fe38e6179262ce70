"""Stores that are wrong when two threads come at once. See :mod:`.handing_over` for how they come at once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from sessionkit.errors import VersionConflict
from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.operations import check_conditions
from sessionkit.sessions import UNCHANGED, History, Session, Version

from .handing_over import HalfDone, Meeting
from .registry import caught_by
from .stores import Changes, MemoryStore


class Half(MemoryStore):
    """Shows a reader what a write has done so far."""

    def __init__(self) -> None:
        super().__init__()
        self.half_done = HalfDone()

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        with self.half_done.passing():
            return super().sessionkit_get_history(key, start, limit)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        with self.half_done.passing():
            return super().sessionkit_get_session(key, limit)


@caught_by("test_threads_that_append_to_one_session_lose_nothing")
class ReadsModifiesWrites(MemoryStore):
    """Reads the history, adds to it and writes it back, without a lock around all three."""

    def __init__(self) -> None:
        super().__init__()
        self._meeting = Meeting()

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with self.reading(key) as state:
            read = list(state.messages)
        self._meeting.wait()
        with self.writing(key) as state:
            state.messages = [*read, *messages]
            return self.touch(state)


@caught_by("test_threads_on_different_sessions_do_not_disturb_each_other")
class OneScratchForAll(MemoryStore):
    """Prepares each write in the same place."""

    def __init__(self) -> None:
        super().__init__()
        self._meeting = Meeting()

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        self._scratch = messages
        self._meeting.wait()
        return super().add(key, self._scratch)


@caught_by("test_a_batch_is_seen_whole_or_not_at_all")
class OneByOne(Half):
    """Writes the messages of a batch one by one."""

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        for message in messages:
            version = self.half_done.after(partial(super().add, key, [message]))
        return version


@caught_by("test_a_truncation_and_its_summary_are_one_step")
class SummaryAfterTheCut(Half):
    """Truncates first, and sets the summary then."""

    def cut(self, key: str, changes: Changes) -> Version:
        self.half_done.after(partial(super().cut, key, {**changes, "summary": UNCHANGED}))
        return super().change(key, {"summary": changes["summary"]})


@caught_by("test_a_replacement_is_one_step")
class EmptiesThenFills(Half):
    """Deletes the old history before it writes the new one."""

    def change(self, key: str, changes: Changes) -> Version:
        self.half_done.after(partial(super().change, key, {**changes, "messages": ()}))
        return super().change(key, {"messages": changes["messages"]})


@caught_by("test_of_competing_conditional_writes_one_wins")
class ChecksThenWrites(MemoryStore):
    """Looks at the condition, and writes when somebody else may have written in between."""

    def __init__(self) -> None:
        super().__init__()
        self._meeting = Meeting()

    def change(self, key: str, changes: Changes) -> Version:
        with self.reading(key) as state:
            if changes["if_version"] not in (None, state.version):
                raise VersionConflict(f"session {key!r} was changed since it was read")
        self._meeting.wait()
        return super().change(key, {**changes, "if_version": None})


class AppendsBetween(MemoryStore):
    """Lets an append come between the two halves of something else."""

    def __init__(self) -> None:
        super().__init__()
        self.half_done = HalfDone()

    def add(self, key: str, messages: Sequence[Message]) -> Version:
        with self.half_done.passing(wait=True):
            return super().add(key, messages)


@caught_by("test_a_session_that_is_moved_while_others_append_loses_nothing")
class ChecksThenDeletes(AppendsBetween):
    """Looks at the condition, and deletes when somebody else may have appended in between."""

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        self.half_done.after(partial(self._check, key, if_version))
        return super().sessionkit_delete_session(key, None)

    def _check(self, key: str, if_version: Version | None) -> None:
        with self.reading(key) as state:
            check_conditions(state, if_version=if_version)


@caught_by("test_summaries_that_race_with_appends_lose_nothing")
class CountsThenCuts(AppendsBetween):
    """Works out how many messages stay, and truncates when more may have arrived."""

    def cut(self, key: str, changes: Changes) -> Version:
        stay = self.half_done.after(partial(self._count, key)) - changes["drop_first"]
        return super().cut(key, {**changes, "keep_last": stay, "drop_first": None})

    def _count(self, key: str) -> int:
        with self.reading(key) as state:
            return len(state.messages)
