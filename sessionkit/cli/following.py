"""Following a session as others write to it.

A poll asks for what stands behind the last message that was told: with most backends that is a look at a file's length,
or one question to a server. The history before it is not read again.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import attrs
import click

from sessionkit.cli.neutral import visible
from sessionkit.cli.output import make_console, plural, print_json
from sessionkit.cli.render import print_head, print_message
from sessionkit.sessions import ABSENT

if TYPE_CHECKING:
    from sessionkit.messages import Message
    from sessionkit.sessions import History, Session
    from sessionkit.store import SessionStore

POLL_SECONDS: Final = 0.05

_PAGE: Final = 100
_RECENT: Final = 5
"""How many of the last messages are compared to find the place where a changed history goes on."""


@attrs.frozen
class Note:
    """Something that happened to the session other than a new message."""

    text: str


@attrs.define
class Follower:
    """Tells what is new in a session at each :meth:`poll`.

    Attributes:
        store: where the session is.
        key: the session.
        position: of the message that is told next.
        version: of the state that was told last.
        generation: of the history that ``position`` is a position in.
    """

    store: SessionStore
    key: str
    position: int
    version: str
    generation: str
    _recent: deque[Message] = attrs.field(factory=lambda: deque(maxlen=_RECENT))

    @classmethod
    def after(cls, store: SessionStore, session: Session, shown: int) -> Follower:
        """Begins with the last ``shown`` messages of a snapshot."""
        return cls(store, session.key, session.count - shown, "", session.generation)

    def poll(self) -> Iterator[tuple[int, Message] | Note]:
        """What happened since the last poll: messages with their numbers, and notes."""
        while True:
            page = self.store.get_history_page(self.key, self.position, _PAGE)
            if page.version == self.version:
                return
            if page.generation != self.generation:
                yield from self._take_up(page)
                continue
            for number, message in enumerate(page.messages, start=page.start + 1):
                yield number, message
                self.position = number
                self._recent.append(message)
            if self.position >= page.total:
                self.version = page.version
                return

    def _take_up(self, page: History) -> Iterator[Note]:
        """Find the place in a history that is another one: behind the messages that were told, if they are there."""
        was_there, self.generation, self.version = bool(self.generation), page.generation, ""
        if page.version == ABSENT:
            self.position, self.version = 0, ABSENT
            self._recent.clear()
            yield Note("the session was deleted")
            return
        if not was_there:
            self.position = 0
            yield Note("there is a new session of this key")
            return
        end = self.store.get_history_page(self.key, -_PAGE, _PAGE)
        self.generation = end.generation
        place = _place_behind(list(self._recent), list(end.messages))
        self.position = end.start + (place or 0)
        what = "truncated or replaced" if place is None else "truncated"
        yield Note(f"the history was {what}; it has {plural(end.total, 'message')} now")


def _place_behind(recent: list[Message], messages: list[Message]) -> int | None:
    """Behind which of the messages the recent ones stand, as many of them as are left.

    >>> from sessionkit import Message
    >>> a, b, c = (Message.simple("user", text) for text in "abc")
    >>> _place_behind([a, b], [b, c]), _place_behind([a, b], [a, c])
    (1, None)
    """
    for place in range(len(messages), 0, -1):
        before = messages[max(place - len(recent), 0) : place]
        if recent and before == recent[-len(before) :]:
            return place
    return None


def follow_session(store: SessionStore, key: str, tail: int | None, *, raw: bool, full: bool) -> None:
    """Print a session, and then what is new in it, until Ctrl-C. Notes go to stderr."""
    session = store.get_session(key, limit=0)
    shown = session.count if tail is None else min(tail, session.count)
    console = make_console()
    if not raw:
        print_head(console, session, shown)
    follower = Follower.after(store, session, shown)
    try:
        while True:
            for event in follower.poll():
                if isinstance(event, Note):
                    click.echo(f"{visible(key)}: {event.text}", err=True)
                elif raw:
                    print_json(event[1].to_dict())
                else:
                    print_message(console, event[1], event[0], full=full)
            time.sleep(POLL_SECONDS)
    except KeyboardInterrupt:  # the way in which following ends
        return
