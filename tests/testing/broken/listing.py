"""Stores that list too much, too little, or the wrong thing."""

from __future__ import annotations

from fnmatch import fnmatchcase

import attrs

from sessionkit.hookspecs import hookimpl
from sessionkit.sessions import HeadingPage, SessionInfo, SessionPage, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .stores import MemoryStore


class Choosing(MemoryStore):
    """Lists the keys that :meth:`chosen` chooses, in pages that are cut by the key."""

    def chosen(self, prefix: str) -> list[str]:
        return sorted(key for key in self._states if key.startswith(prefix))

    def info(self, key: str) -> SessionInfo:
        return self._states[key].info()

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        with self._lock:
            keys = [key for key in self.chosen(prefix) if cursor is None or key > cursor]
            sessions = [self.info(key) for key in keys[:limit]]
        return SessionPage(sessions=sessions, next=keys[limit - 1] if len(keys) > limit else None)


@caught_by("test_a_listing_of_nothing_is_empty")
class ListsItsIndex(MemoryStore):
    """Takes a file of its own for a session."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit)
        return attrs.evolve(page, sessions=[*page.sessions, SessionInfo(key="index", version="1")])


@caught_by("test_pages_hold_every_session_once_and_no_more_than_asked_for")
class IgnoresTheLimit(MemoryStore):
    """Returns all sessions in one page."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        return super().sessionkit_list_sessions(prefix, cursor, 1_000_000)


@caught_by("test_pages_hold_every_session_once_and_no_more_than_asked_for")
class PagesOverlap(MemoryStore):
    """Begins a page with the session that ended the one before."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit)
        last = [self._states[cursor].info()] if cursor in self._states else []
        return attrs.evolve(page, sessions=[*last, *page.sessions][:limit])


@caught_by("test_pages_hold_every_session_once_and_no_more_than_asked_for")
class LosesOneForEachPage(MemoryStore):
    """Passes over the session with which the next page should begin."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit + 1)
        return attrs.evolve(page, sessions=page.sessions[:limit])


@caught_by("test_a_listing_keeps_to_the_prefix")
class PrefixesArePatterns(Choosing):
    """Takes the prefix for a pattern with wildcards."""

    def chosen(self, prefix: str) -> list[str]:
        return sorted(key for key in self._states if fnmatchcase(key, prefix + "*"))


@caught_by("test_a_listing_keeps_to_the_prefix")
class FindsAnywhere(Choosing):
    """Lists the sessions whose keys have the prefix anywhere."""

    def chosen(self, prefix: str) -> list[str]:
        return sorted(key for key in self._states if prefix in key)


@caught_by("test_writes_do_not_move_sessions_between_pages")
class NewestChangeFirst(MemoryStore):
    """Lists by the time of the last change, and counts the sessions that were listed."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        found = [state for key, state in self._states.items() if key.startswith(prefix)]
        found.sort(key=lambda state: state.updated, reverse=True)
        begin = int(cursor or 0)
        page = [state.info() for state in found[begin : begin + limit]]
        return SessionPage(sessions=page, next=str(begin + limit) if len(found) > begin + limit else None)


@caught_by("test_a_session_that_is_deleted_while_it_is_listed_does_not_end_the_listing")
class LooksForTheLastOne(MemoryStore):
    """Looks for the session that ended the page before, and ends when it is gone."""

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        if cursor is not None and cursor not in self._states:
            return SessionPage(sessions=[])
        return super().sessionkit_list_sessions(prefix, cursor, limit)


@caught_by("test_headings_are_those_of_the_listing")
class HeadingsStayAsTheyWere(MemoryStore):
    """Keeps headings for those who ask again, and does not hear of changes."""

    def __init__(self) -> None:
        super().__init__()
        self._kept: dict[tuple[str, str | None, int], HeadingPage] = {}

    @hookimpl
    def sessionkit_list_headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        page = HeadingPage.of(self.sessionkit_list_sessions(prefix, cursor, limit))
        return self._kept.setdefault((prefix, cursor, limit), page)


@caught_by("test_a_size_that_is_told_is_that_of_what_is_stored")
class TellsTheCountAsSize(Choosing):
    """Tells how many messages a session has where its bytes should stand."""

    def info(self, key: str) -> SessionInfo:
        info = super().info(key)
        return attrs.evolve(info, size=info.count)


@caught_by("test_a_deleted_session_is_not_listed")
class IndexKeepsTheDeleted(Choosing):
    """Does not take a deleted session out of its index."""

    def __init__(self) -> None:
        super().__init__()
        self._index: dict[str, SessionInfo] = {}

    def touched(self, state: SessionState) -> Version:
        self._index[state.key] = state.info()
        return state.version

    def chosen(self, prefix: str) -> list[str]:
        return sorted(key for key in self._index if key.startswith(prefix))

    def info(self, key: str) -> SessionInfo:
        return self._index[key]


@caught_by("test_an_empty_session_is_listed")
class ListsOnlyConversations(Choosing):
    """Lists sessions that have messages."""

    def chosen(self, prefix: str) -> list[str]:
        return [key for key in super().chosen(prefix) if self._states[key].messages]


@caught_by("test_a_listing_is_up_to_date")
class ListsFromACache(Choosing):
    """Remembers what it told of a session until there are more messages."""

    def __init__(self) -> None:
        super().__init__()
        self._told: dict[tuple[str, int], SessionInfo] = {}

    def info(self, key: str) -> SessionInfo:
        info = super().info(key)
        return self._told.setdefault((key, info.count), info)


@caught_by("test_a_long_listing_is_whole")
class ListsAHundred(Choosing):
    """Lists no more than a hundred sessions."""

    def chosen(self, prefix: str) -> list[str]:
        return super().chosen(prefix)[:100]
