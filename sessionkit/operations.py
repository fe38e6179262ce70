"""What each operation means for a history: the arithmetic that every backend shares."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

import attrs

from sessionkit.errors import VersionConflict
from sessionkit.sessions import ABSENT, UNCHANGED, SessionInfo, SessionPage, Version, now, read_time

_Info = TypeVar("_Info", bound=SessionInfo)


def window(total: int, start: int, limit: int | None) -> tuple[int, int]:
    """The first position and the one after the last, of a stretch of a history of ``total`` messages.

    >>> window(100, -20, None), window(5, -20, None), window(100, 10, 3), window(5, 9, None)
    ((80, 100), (0, 5), (10, 13), (5, 5))
    """
    first = max(total + start, 0) if start < 0 else min(start, total)
    last = total if limit is None else min(first + max(limit, 0), total)
    return first, last


def tail(total: int, limit: int | None) -> int:
    """The first position of the last ``limit`` messages: none for 0 or less, all for None.

    >>> tail(100, 20), tail(100, None), tail(100, 0), tail(100, -3)
    (80, 0, 100, 100)
    """
    return 0 if limit is None else max(total - max(limit, 0), 0)


def dropped(total: int, keep_last: int | None, drop_first: int | None) -> int:
    """How many messages a truncation removes from the beginning.

    >>> dropped(10, 4, None), dropped(10, 0, None), dropped(10, -1, None), dropped(10, None, 3)
    (6, 10, 10, 3)
    """
    if drop_first is not None:
        return min(max(drop_first, 0), total)
    return tail(total, keep_last)


def later(old: str, new: str) -> str:
    """The later of two RFC 3339 times, digit for digit; the new one when they are the same moment.

    A clock that was set back must not make a session look older than it is.

    Args:
        old: what is stored; the new one is the answer when this cannot be read.
        new: a time.

    >>> later("2026-01-01T00:00:00Z", "2025-01-01T00:00:00Z")
    '2026-01-01T00:00:00Z'
    """
    if len(old) == len(new) and old <= new and old.endswith("Z") and new.endswith("Z"):
        return new  # as a rule: both are ours, and the order of the letters is the order of the times
    old_time, new_time = read_time(old), read_time(new)
    if old_time is None or (new_time is not None and new_time >= old_time):
        return new
    return old


def changed(session: _Info, *, cut: bool = False, **fields: Any) -> _Info:
    """What a session is after a write, but for its messages.

    For backends that keep what is told of a session apart from its messages, such as in a row of a table.

    Args:
        session: what it was; one that is absent comes to be.
        cut: whether messages were removed or replaced: that makes another generation.
        fields: the arguments of an update by their names (summary, metadata, …), and ``count`` when there are more
            or fewer messages; UNCHANGED ones stay as they are.

    Returns:
        The session with its new fields and times, and a version that no session ever had. When fields are given
        and all of them are UNCHANGED, nothing was to change: a session that exists comes back as it was.

    >>> session = changed(SessionInfo(key="k"), summary="s", aliases=UNCHANGED)
    >>> session.exists, session.summary, session.aliases
    (True, 's', ())
    >>> changed(session, summary=UNCHANGED) is session
    True
    >>> changed(session).generation == session.generation != changed(session, cut=True).generation
    True
    """
    given = {name: value for name, value in fields.items() if value is not UNCHANGED}
    if fields and not given and not cut and session.exists:
        return session
    moment = now()
    state: dict[str, Any] = {
        "created": session.created or moment,
        "updated": later(session.updated, moment),
        "version": os.urandom(16).hex(),
    }
    if cut or not session.generation:
        state["generation"] = os.urandom(16).hex()
    return attrs.evolve(session, **state | given)


class Versioned(Protocol):
    """A session as far as conditions go: a :class:`~sessionkit.sessions.SessionInfo`, or a backend's own object."""

    @property
    def key(self) -> str:
        """Its name."""

    @property
    def version(self) -> Version:
        """The token of its state."""

    @property
    def generation(self) -> str:
        """The token of what is removed and replaced in it."""


def check_conditions(
    session: Versioned, *, if_version: Version | None = None, if_generation: str | None = None
) -> None:
    """Refuse a write to a session when the write's conditions do not hold; None is no condition.

    Raises:
        VersionConflict: the session is in another state than the caller said.

    >>> check_conditions(SessionInfo(key="k", version="v2"), if_version="v2")
    >>> check_conditions(SessionInfo(key="k", version="v2"), if_version="v1")
    Traceback (most recent call last):
    sessionkit.errors.VersionConflict: session 'k' was changed since it was read; read it again
    """
    if if_version is not None and if_version != session.version:
        raise VersionConflict(_describe_conflict(session.key, session.version, if_version))
    if if_generation is not None and if_generation != session.generation:
        raise VersionConflict(
            f"the history of session {session.key!r} was truncated or replaced since it was read; read it again"
        )


def _describe_conflict(key: str, version: Version, if_version: Version) -> str:
    if if_version == ABSENT:
        return f"session {key!r} exists already"
    if version == ABSENT:
        return f"session {key!r} does not exist any more"
    return f"session {key!r} was changed since it was read; read it again"


def page(found: Sequence[SessionInfo], limit: int) -> SessionPage:
    """A page of a listing in the order of keys; its cursor is the last key on it.

    Args:
        found: the sessions behind the cursor of the page before, in the order of their keys. One more than
            ``limit`` is enough: it tells that another page follows.
        limit: how many sessions a page has.

    >>> page([SessionInfo(key="a"), SessionInfo(key="b")], limit=1).next
    'a'
    """
    return SessionPage(sessions=found[:limit], next=found[limit - 1].key if len(found) > limit else None)
