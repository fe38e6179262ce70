"""The stretch of a session that is in memory: read a page at a time, from the end, and never whole."""

from __future__ import annotations

from typing import Final

import attrs

from sessionkit.cli.parts import parts_of
from sessionkit.messages import Message
from sessionkit.sessions import History, Session
from sessionkit.store import SessionStore

PAGE: Final = 50
"""How many messages are read at once."""

MOST: Final = 4 * PAGE
"""How many messages are in memory at most."""


@attrs.define
class Window:
    """Messages of a session, one behind the other.

    Attributes:
        store: where the session is.
        session: what is known of it, without its messages.
        start: the position of the first message that is here, 0 at the oldest of the session.
        messages: those that are here.
        total: how many the session has.
        generation: of the history that they are of.
    """

    store: SessionStore
    session: Session
    start: int = 0
    messages: list[Message] = attrs.Factory(list)
    total: int = 0
    generation: str = ""
    _version: str = ""

    @classmethod
    def at_end(cls, store: SessionStore, key: str) -> Window:
        """The last messages of a session.

        Raises:
            CorruptSessionError: it cannot be read.
        """
        window = cls(store, store.get_session(key, limit=0))
        window.to_end()
        return window

    @property
    def end(self) -> int:
        """The position behind the last message that is here."""
        return self.start + len(self.messages)

    def to_end(self) -> None:
        """Go to the last messages."""
        self._take(self.store.get_history_page(self.session.key, -PAGE, PAGE))

    def to(self, position: int) -> None:
        """Go to a message; some that stand before it are here too."""
        self._take(self.store.get_history_page(self.session.key, max(position - PAGE // 2, 0), PAGE))

    def earlier(self) -> bool:
        """Read the page before; the last messages go when there are too many. Whether anything changed."""
        if not self.start:
            return False
        start = max(self.start - PAGE, 0)
        page = self.store.get_history_page(self.session.key, start, self.start - start)
        if page.generation != self.generation:
            self.to_end()
            return True
        self.messages = [*page.messages, *self.messages][:MOST]
        self.start = page.start
        return True

    def later(self) -> bool:
        """Read the page behind, also what was written meanwhile; the first messages go when there are too many.

        It costs little when nothing is new. Whether anything changed.
        """
        page = self.store.get_history_page(self.session.key, self.end, PAGE)
        if page.version == self._version and not page.messages:
            return False
        self.session = self.store.get_session(self.session.key, limit=0)
        if page.generation != self.generation:
            self.to_end()
            return True
        gone = max(len(self.messages) + len(page.messages) - MOST, 0)
        self.messages = [*self.messages, *page.messages][gone:]
        self.start += gone
        self.total, self._version = page.total, page.version
        return True

    def find(self, text: str, position: int, *, backwards: bool) -> int | None:
        """The position of the next message that holds a text, in any case of letters; None when there is none.

        Args:
            text: what is looked for in contents, names of tools, arguments, results and further fields.
            position: of the message next to which the search begins; that one is not looked at.
            backwards: to the older messages.
        """
        wanted = text.casefold()
        while True:
            first = max(position - PAGE, 0) if backwards else position + 1
            count = position - first if backwards else PAGE
            page = self.store.get_history_page(self.session.key, first, count)
            places = range(len(page.messages))
            for place in reversed(places) if backwards else places:
                if _holds(page.messages[place], wanted):
                    return page.start + place
            if not page.messages or (backwards and not first):
                return None
            position = first if backwards else page.start + len(page.messages) - 1

    def _take(self, page: History) -> None:
        self.start, self.messages = page.start, list(page.messages)
        self.total, self.generation, self._version = page.total, page.generation, page.version


def _holds(message: Message, wanted: str) -> bool:
    return any(wanted in part.text.casefold() or wanted in part.title.casefold() for part in parts_of(message))
