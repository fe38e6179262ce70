"""Going through many messages or sessions a page at a time, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final, TypeAlias, TypeVar

import attrs
from msgspec import Struct

from sessionkit.errors import StoreError, VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import Heading, History, SessionInfo
from sessionkit.store.runtime import Runtime

PAGE_MESSAGES: Final = 1000
"""How many messages a page has at most."""

PAGE_BYTES: Final = 4 * 1024 * 1024
"""How many bytes of JSON a page is to have, about; one message may be larger."""

_FIRST_PAGE: Final = 4
_GROWTH: Final = 4
_SAMPLE: Final = 16

_SESSIONS_AT_FIRST: Final = 50
"""Fewer at first: who wants to see some sessions shall not wait for many."""

_SESSIONS: Final = 200

_Heading = TypeVar("_Heading", bound=Heading)

_Listed: TypeAlias = tuple[Sequence[_Heading], str | None, Sequence[str]]
"""What a page lists, the cursor of the one that follows, and what cannot be read."""


class PageSize(Struct):
    """How many messages to ask for next. It follows the size of those that came before.

    >>> size = PageSize()
    >>> size.messages
    4
    >>> size.follow(4, 400)
    >>> size.messages
    16
    >>> size.follow(16, 160 * 1024 * 1024)
    >>> size.messages
    1
    """

    messages: int = _FIRST_PAGE

    def follow(self, messages: int, size: int) -> None:
        """Take in that so many messages came, of so many bytes of JSON together."""
        fitting = PAGE_BYTES * messages // max(size, 1)
        self.messages = max(min(_GROWTH * self.messages, fitting, PAGE_MESSAGES), 1)


def pages_of(runtime: Callable[[], Runtime], key: str, start: int = 0) -> Iterator[History]:
    """The history that a session has when the first page is asked for; at least one page, which may be empty.

    Args:
        runtime: gives the open store, anew for each page: between two of them it may be closed, or the process forked.
        key: the session.
        start: position of the first message; a negative one counts from the end.

    Raises:
        VersionConflict: the history was truncated or replaced meanwhile.
    """
    total, generation = 1, None
    size = PageSize()
    while generation is None or start < total:
        at = runtime()
        with at.activity.during():
            page = at.hooks.get_history(key, start, size.messages)
            messages = at.content.decode_messages(key, page.messages)
        if generation is None:
            start, total, generation = page.start, page.total, page.generation
        elif generation != page.generation:
            raise VersionConflict(f"the history of session {key!r} was truncated or replaced while it was read")
        yield attrs.evolve(page, messages=messages[: total - start])
        start += size.messages
        size.follow(len(messages), _estimated_size(messages))


def messages_of(runtime: Callable[[], Runtime], key: str, start: int = 0) -> Iterator[Message]:
    """The messages of these pages, one after the other."""
    for page in pages_of(runtime, key, start):
        yield from page.messages


def _estimated_size(messages: Sequence[Message]) -> int:
    """Bytes of JSON of some messages, from a few of them."""
    sample = messages[:: -(-len(messages) // _SAMPLE) or 1]
    return sum(len(message.to_json()) for message in sample) * len(messages) // max(len(sample), 1)


def sessions_of(
    runtime: Callable[[], Runtime], prefix: str, on_unreadable: Callable[[str], object] | None
) -> Iterator[SessionInfo]:
    """The sessions whose key begins with a prefix; the arguments are those of the store's ``list_sessions``."""

    def listed(at: Runtime, cursor: str | None, limit: int) -> _Listed[SessionInfo]:
        page = at.hooks.list_sessions(prefix, cursor, limit)
        return page.sessions, page.next, page.unreadable

    return _listed_by(listed, runtime, on_unreadable)


def headings_of(
    runtime: Callable[[], Runtime], prefix: str, on_unreadable: Callable[[str], object] | None
) -> Iterator[Heading]:
    """The same for those who need neither counts nor times, which may take a look at every message."""

    def listed(at: Runtime, cursor: str | None, limit: int) -> _Listed[Heading]:
        page = at.hooks.list_headings(prefix, cursor, limit)
        return page.headings, page.next, page.unreadable

    return _listed_by(listed, runtime, on_unreadable)


def _listed_by(
    listed: Callable[[Runtime, str | None, int], _Listed[_Heading]],
    runtime: Callable[[], Runtime],
    on_unreadable: Callable[[str], object] | None,
) -> Iterator[_Heading]:
    cursor: str | None = None
    limit = _SESSIONS_AT_FIRST
    while True:
        at = runtime()
        with at.activity.during():
            found, following, unreadable = listed(at, cursor, limit)
            sessions = [at.content.decode_info(info) for info in found]
        if on_unreadable is not None:
            for line in unreadable:
                on_unreadable(line)
        yield from sessions
        if following is None:
            return
        if following == cursor:
            raise StoreError(f"backend {at.name!r} lists one page again and again; a fault of the backend")
        cursor, limit = following, _SESSIONS
