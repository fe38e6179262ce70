"""``SessionReader``: the half of ``SessionStore`` that reads."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

import attrs

from sessionkit.errors import AmbiguousAliasError, StoreError
from sessionkit.keys import check_key
from sessionkit.messages import Message
from sessionkit.sessions import Heading, History, Session, SessionInfo
from sessionkit.store.arguments import checked_count
from sessionkit.store.opened import OpenedStore
from sessionkit.store.paging import headings_of, messages_of, sessions_of

if TYPE_CHECKING:
    from sessionkit.store.searching import Match


class SessionReader(OpenedStore):
    """Reads histories, sessions and listings. Reads always raise what goes wrong; held writes are not shown."""

    def get_history(self, key: str, limit: int | None = None) -> list[Message]:
        """The messages, oldest first, in a new list; the last ``limit`` of them when given (none for 0 or less).

        An unknown session has none.

        Raises:
            CorruptSessionError: what is stored cannot be read.
        """
        key = check_key(key)
        start = 0
        if limit is not None:
            limit = checked_count(limit, "limit")
            if limit < 0:
                limit = 0
            start = -limit
        runtime = self._open_runtime()
        ticket = runtime.activity.enter()
        try:
            history = runtime.hooks.get_history(key, start, limit)
            return list(runtime.content.decode_messages(key, history.messages))
        finally:
            runtime.activity.leave(ticket)

    def get_history_page(self, key: str, start: int, limit: int) -> History:
        """A stretch of the history, with its position, the count of all messages, version and generation.

        A session's pages belong together as long as they are of one generation: messages may have been appended
        between them, and none removed or replaced.

        Args:
            key: the session; an unknown one has an empty history of version ``ABSENT``.
            start: position of the first message, 0 at the oldest; a negative one counts from the end.
            limit: how many messages at most.
        """
        key = check_key(key)
        start = checked_count(start, "start")
        limit = max(checked_count(limit, "limit"), 0)
        runtime = self._open_runtime()
        with runtime.activity.during():
            history = runtime.hooks.get_history(key, start, limit)
            return attrs.evolve(history, messages=runtime.content.decode_messages(key, history.messages))

    def iter_history(self, key: str, start: int = 0) -> Iterator[Message]:
        """The messages that are there now, oldest first, in bounded memory.

        Args:
            key: the session.
            start: position of the first message, 0 at the oldest; a negative one counts from the end.

        Raises:
            VersionConflict: the history was truncated or replaced meanwhile.
        """
        key = check_key(key)
        return messages_of(self._open_runtime, key, checked_count(start, "start"))

    def get_summary(self, key: str) -> str:
        """The summary, ``""`` when there is none. The history is not read."""
        return self.get_session(key, limit=0).summary

    def get_session(self, key: str, limit: int | None = None) -> Session:
        """One consistent snapshot: messages (the last ``limit``, when given), summary, times, metadata, version.

        An unknown session has no messages and the version ``ABSENT``; reading it creates nothing.
        """
        key = check_key(key)
        if limit is not None:
            limit = max(checked_count(limit, "limit"), 0)
        runtime = self._open_runtime()
        with runtime.activity.during():
            return runtime.content.decode_session(runtime.hooks.get_session(key, limit))

    def list_sessions(
        self, prefix: str = "", *, on_unreadable: Callable[[str], object] | None = None
    ) -> Iterator[SessionInfo]:
        """The sessions whose key begins with ``prefix``, read a page at a time.

        A session that is there throughout the iteration appears exactly once, whatever is written meanwhile.

        Args:
            prefix: ``""`` for all sessions.
            on_unreadable: is called with a line for people for each session that is left out because it cannot be
                read; its key may not be known.

        Raises:
            InvalidKeyError: no key can begin like that.
        """
        return sessions_of(self._open_runtime, "" if prefix == "" else check_key(prefix), on_unreadable)

    def search(
        self,
        text: str,
        *,
        regex: bool = False,
        ignore_case: bool = False,
        role: str | None = None,
        prefix: str = "",
        chosen: Callable[[SessionInfo], bool] | None = None,
        on_session: Callable[[str], object] | None = None,
        on_unreadable: Callable[[str], object] | None = None,
    ) -> Iterator[Match]:
        """Look for a text in keys, summaries, contents, reasoning, names and arguments of tool calls.

        Sessions come in the order of the listing, and their messages from the oldest on, in bounded memory. Arguments
        are searched as the model wrote them: a string of JSON, with its escapes.

        Args:
            text: what to look for.
            regex: whether it is a regular expression of Python's; what it matches without a character is not found.
            ignore_case: whether upper and lower case are the same.
            role: only messages of this role, and no keys and summaries.
            prefix: only sessions whose key begins with it.
            chosen: only sessions that it returns True for. To tell it counts and times may take a look at all messages.
            on_session: is called with the key of each session before it is searched.
            on_unreadable: as for :meth:`list_sessions`; without it, a session that cannot be searched raises.

        Raises:
            ValueError: the text is empty or no regular expression.
            VersionConflict: a history was truncated or replaced while it was searched.

        >>> from sessionkit import open_store
        >>> with open_store("memory:") as store:
        ...     version = store.add_message("cli:direct", "user", "two mugs")
        ...     [(match.position, match.spans) for match in store.search("mug")]
        [(0, ((4, 7),))]
        """
        from sessionkit.store.searching import Query, search_session  # seldom wanted

        query = Query.of(text, regex=regex, ignore_case=ignore_case, role=role)
        prefix = "" if prefix == "" else check_key(prefix)
        listed: Iterable[Heading]
        if chosen is None:
            listed = headings_of(self._open_runtime, prefix, on_unreadable)
        else:
            listed = (info for info in sessions_of(self._open_runtime, prefix, on_unreadable) if chosen(info))

        def found() -> Iterator[Match]:
            for info in listed:
                if on_session is not None:
                    on_session(info.key)
                try:
                    yield from search_session(self._open_runtime, query, info)
                except StoreError as error:
                    if on_unreadable is None:
                        raise
                    on_unreadable(str(error))

        return found()

    def resolve(self, alias: str) -> str | None:
        """The key of the session that has this key or, failing that, this alias; None when there is none.

        Raises:
            AmbiguousAliasError: several sessions have the alias.
        """
        alias = check_key(alias)
        if self.get_session(alias, limit=0).exists:
            return alias
        headings = headings_of(self._open_runtime, "", None)
        keys = [heading.key for heading in headings if alias in heading.aliases]
        if len(keys) > 1:
            raise AmbiguousAliasError(f"alias {alias!r} names several sessions: {', '.join(map(repr, keys))}")
        return keys[0] if keys else None
