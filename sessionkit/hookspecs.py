"""The plugin API: what a backend implements.

:class:`Backend` is three things in one: the hook specification that pluggy holds implementations against, the
typed interface that mypy holds them against, and the base class to derive from. Its docstrings are the
reference for authors.

A backend is called from several threads at once, and for one session too. It raises what goes wrong; what
becomes of a failed write is decided above it, in the facade. Keys, messages and limits arrive checked. Every
result is a value: an empty list, 0 and ``""`` are results, None is never one.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any, Final, Literal, TypeAlias

import pluggy

from sessionkit.damage import Damage
from sessionkit.findings import Finding
from sessionkit.messages import Message
from sessionkit.sessions import HeadingPage, History, Session, SessionPage, Sifted, Unchanged, Version
from sessionkit.sieve import Sieve

PROJECT: Final = "sessionkit"

hookspec = pluggy.HookspecMarker(PROJECT)

hookimpl = pluggy.HookimplMarker(PROJECT)
"""Marks a method of a backend (or, with ``wrapper=True``, of an observer) as the implementation of a hook."""

API_VERSION: Final = (1, 1)
"""Version of this API: the first number is the entry-point group's, the second grows with each addition."""

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class Backend:
    """Where and how sessions are kept. Derive from it, and mark each implementation with :data:`hookimpl`.

    Every write takes a ``write_id``: an opaque string of its own for each write, the same again when a write
    that failed is repeated. A backend that can be unsure whether a write happened (a lost reply) uses it to
    recognise the repetition; others ignore it.
    """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        """Append messages as one unit: a reader sees all of them or none.

        Args:
            key: the session; an unknown one is created.
            messages: at least one, oldest first.
            write_id: see :class:`Backend`.

        Returns:
            The session's new version.

        Raises:
            MessageTooLargeError: a message is larger than the backend stores; nothing is written.
            BackendUnavailableError: nothing is written.
            OutcomeUnknownError: the messages may or may not be stored.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        """Read a stretch of a session's messages; a stretch at the end costs what the stretch costs.

        Args:
            key: the session; an unknown one has an empty history of version ``ABSENT``.
            start: position of the first message, 0 at the oldest; a negative one counts from the end
                (-20: the last 20, or all when there are fewer).
            limit: how many at most; None for all that follow.

        Raises:
            CorruptSessionError: what is stored cannot be read. Never an empty history instead.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        """Read one consistent snapshot of a session.

        Args:
            key: the session; an unknown one gives a ``Session`` of version ``ABSENT``.
            limit: how many messages, from the end: 0 for none (the summary is read without the history),
                None for all.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_update_session(
        self,
        key: str,
        messages: Sequence[Message] | _Unchanged,
        summary: str | _Unchanged,
        metadata: dict[str, Any] | _Unchanged,
        aliases: Sequence[str] | _Unchanged,
        created: str | _Unchanged,
        updated: str | _Unchanged,
        if_version: Version | None,
        write_id: str,
    ) -> Version:
        """Replace any of a session's fields in one step: a reader sees the state before or after, nothing else.

        Args:
            key: the session; an unknown one is created, even when nothing is to change.
            messages: the whole new history.
            summary: the new summary.
            metadata: the new metadata, a JSON object that the backend may keep.
            aliases: the new aliases.
            created: when the session came to be, RFC 3339 with zone; when unchanged, set at creation.
            updated: when it last changed; when unchanged, the present time (never earlier than before).
            if_version: when given, the session must be in this state (``ABSENT``: must not exist).
            write_id: see :class:`Backend`.

        Returns:
            The session's version after the update; when nothing was to change, the version it had.

        Raises:
            VersionConflict: the session is in another state than ``if_version``; nothing is changed.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_truncate_history(
        self,
        key: str,
        keep_last: int | None,
        drop_first: int | None,
        summary: str | _Unchanged,
        if_version: Version | None,
        if_generation: str | None,
        write_id: str,
    ) -> Version:
        """Remove the oldest messages and set the summary, in one step.

        Args:
            key: the session. An unknown one stays unknown (answer ``ABSENT``), unless a summary is given.
            keep_last: how many messages stay; all go for 0 or less.
            drop_first: how many messages go. Exactly one of ``keep_last`` and ``drop_first`` is given.
            summary: the new summary.
            if_version: when given, the session must be in this state.
            if_generation: when given, the session must be of this generation: messages may have been
                appended since it was read, and none removed or replaced (``""``: must not exist).
            write_id: see :class:`Backend`.

        Raises:
            VersionConflict: one of the conditions does not hold; nothing is changed.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        """List the sessions whose key begins with a prefix, a page at a time.

        Pages are cut by something that writes do not move (the key): a session that is there throughout a
        listing appears in it exactly once. A session that cannot be read hinders no other: the page tells of it
        in ``unreadable``. What a session takes is told in ``size`` where it is known without counting.

        Args:
            prefix: ``""`` for all sessions.
            cursor: None for the first page, else the ``next`` of the page before.
            limit: how many sessions a page has at most, at least 1.
        """

    @hookspec(firstresult=True)
    @abstractmethod
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        """Remove a session with everything that belongs to it.

        Args:
            key: the session.
            if_version: when given, the session must be in this state (``ABSENT``: must not exist). Since version
                1.1: of a backend that lacks it, it is never asked.

        Returns:
            Whether there was one.

        Raises:
            VersionConflict: the session is in another state than ``if_version``; nothing is removed.
        """

    @hookspec(firstresult=True)
    def sessionkit_save(self, key: str) -> bool:
        """Make durable what is written to a session; optional.

        Everything that was acknowledged before the call is stored durably when it returns. It is also the
        moment to compact. A backend whose writes are durable when they return need not implement it.

        Returns:
            True.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        """Look at the storage, and tell in what state it is and what to do; optional, since version 1.1.

        For operators who look for a fault, and for health checks. It may try things (a file or a key of its own that
        it removes again), changes no session, and asks for nothing that a sound store is not allowed. What may not
        be asked is told as ``unknown`` and is no error. It costs about the same however many sessions there are;
        reading each of them is another task. A backend without it has nothing to say.

        Returns:
            What was found, in the order in which people should read it. No secrets and no contents of sessions.

        Raises:
            BackendUnavailableError: the storage cannot be reached at all.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_compact(self, key: str) -> int:
        """Give back the space that holds nothing of a session any more; optional, since 1.1.

        What the session is does not change. A backend that keeps no such space need not implement it.

        Returns:
            How many bytes were won.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        """Look for what is damaged, and change nothing; optional, since 1.1.

        What every backend promises (a history that can be read, and listings and snapshots that agree with it) is
        checked above it. This hook is for what only the backend sees.

        Args:
            key: the session to look at; None for what is no listed session's: files and entries that nobody can
                reach, or whose key nobody can tell.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        """Mend what can be mended, and set the rest aside; optional, since 1.1.

        Every message that can be read stays, in its order. What cannot be read is kept where a person finds it, and
        nothing is deleted. Repairing again changes nothing.

        Args:
            key: as in :meth:`sessionkit_verify`.

        Returns:
            What was damaged; ``mended`` tells what is so no longer.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_list_headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        """List sessions without a look at their messages; optional, since 1.1.

        For those who need neither counts nor times: a search, and a look for an alias. A backend to which counts and
        times are no trouble leaves it out, and is asked for the listing.

        Args:
            prefix: as in :meth:`sessionkit_list_sessions`, and so are the others.
            cursor: the ``next`` of a page of headings.
            limit: how many sessions at most.
        """
        raise NotImplementedError

    @hookspec(firstresult=True)
    def sessionkit_sift(self, key: str, start: int, sieve: Sieve) -> Sifted:
        """Tell which messages a sieve lets pass, without decoding the others; optional, since 1.1.

        A search asks for them and decodes these alone. Whatever is unsure passes: more than necessary costs time, and a
        message that is left out wrongly is not found. A backend without it has every message decoded.

        Args:
            key: the session; an unknown one has no messages.
            start: position of the first message that is asked about. The answer may end before the last one, so that no
                call takes long.
            sieve: is asked about the messages' JSON in bytes, many together or each.
        """
        raise NotImplementedError

    @hookspec
    def sessionkit_close(self) -> None:
        """Save what is unsaved and release everything; optional. Called once."""


REQUIRED_HOOKS: Final = frozenset(
    name for name, function in vars(Backend).items() if getattr(function, "__isabstractmethod__", False)
)
"""The hooks that every backend implements; the others are optional."""

SINCE: Final[dict[tuple[str, str], tuple[tuple[int, int], Any]]] = {
    ("sessionkit_delete_session", "if_version"): ((1, 1), None),
}
"""Arguments that were added to a hook after 1.0: (hook, argument) → the API version that brought it, and the
value that is the same as not having it. A backend written for an earlier version may lack it."""
