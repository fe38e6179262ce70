"""``Session`` and what else travels between the facade and a backend."""

from __future__ import annotations

import enum
import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, Final, Self, TypeAlias

import attrs

from sessionkit import codec
from sessionkit.errors import InvalidMessageError
from sessionkit.messages import Message

Version: TypeAlias = str
"""An opaque token of a session's state, like an HTTP ETag. It changes with every change, and is never
repeated for a key, deletion included."""

ABSENT: Final[Version] = "absent"
"""The version of a session that does not exist. ``if_version=ABSENT`` means: create only."""


class Unchanged(enum.Enum):
    """The type of :data:`UNCHANGED`."""

    UNCHANGED = "unchanged"

    def __repr__(self) -> str:
        return "UNCHANGED"


UNCHANGED: Final = Unchanged.UNCHANGED
"""In an update: leave this field as it is."""


def now() -> str:
    """The present time as RFC 3339 with zone and microseconds, as it is kept in sessions."""
    return datetime.now(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


_RFC3339 = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]+))?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def read_time(text: str) -> tuple[datetime, str] | None:
    """The moment that an RFC 3339 time tells, to compare it with others; None when the text is none.

    Returns:
        The whole seconds, and the digits of their fraction: ``datetime`` would round to microseconds, and
        picoclaw writes nanoseconds.

    >>> read_time("2026-01-31T12:00:00.123456789Z")
    (datetime.datetime(2026, 1, 31, 12, 0, tzinfo=datetime.timezone.utc), '123456789')
    >>> read_time("yesterday") is None
    True
    """
    match = _RFC3339.fullmatch(text) if isinstance(text, str) else None
    if match is None:
        return None
    try:
        return datetime.fromisoformat(match[1] + match[3]), (match[2] or "").rstrip("0")
    except ValueError:  # the 31st of February
        return None


def check_time(text: str, field: str) -> str:
    """Refuse a time that is not RFC 3339 with a zone: any other would make a session unreadable to picoclaw.

    Raises:
        InvalidMessageError: the field and the time are named.
    """
    if read_time(text) is None:
        raise InvalidMessageError(f"{field} is {text!r}; a time is written like 2026-01-31T12:00:00Z, with its zone")
    return str.__str__(text)


def _metadata(value: Mapping[str, Any]) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise InvalidMessageError(f"metadata is a JSON object, not {type(value).__name__}")
    copied: dict[str, Any] = codec.copy_json(value, "metadata")
    return copied


def _strings(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(values)


def _messages(values: Iterable[Message]) -> tuple[Message, ...]:
    return tuple(values)


@attrs.frozen(slots=True, kw_only=True)
class Heading:
    """What was said of a session, and is known without a look at its messages.

    Attributes:
        key: the session's name.
        summary: the summary of what was truncated, ``""`` when there is none.
        aliases: other names, found by :meth:`SessionStore.resolve`.
    """

    key: str
    summary: str = ""
    _metadata: dict[str, Any] = attrs.field(factory=dict, converter=_metadata, hash=False)
    aliases: tuple[str, ...] = attrs.field(default=(), converter=_strings)

    @property
    def metadata(self) -> dict[str, Any]:
        """A JSON object of the program's own, as a copy. picoclaw's ``scope`` lives here."""
        copied: dict[str, Any] = codec.copy_decoded(self._metadata)
        return copied


@attrs.frozen(slots=True, kw_only=True)
class SessionInfo(Heading):
    """What a listing tells of a session: everything but its messages.

    Attributes:
        count: how many messages its history has.
        created: when the session came to be, RFC 3339 with zone; ``""`` when it is not known.
        updated: when it last changed, likewise. For people: order is position, never time.
        version: the state's token.
        generation: changes when stored messages are removed or replaced, and not when some are appended;
            ``""`` for a session that does not exist.
        size: bytes that it takes where it is stored, as a listing tells; None when that is not known without counting.
            Equal sessions may differ in it, as it depends on where they are stored.
    """

    count: int = 0
    created: str = ""
    updated: str = ""
    version: Version = ABSENT
    generation: str = ""
    size: int | None = attrs.field(default=None, eq=False)

    @property
    def exists(self) -> bool:
        """Whether there is such a session."""
        return self.version != ABSENT


@attrs.frozen(slots=True, kw_only=True)
class Session(SessionInfo):
    """One consistent snapshot of a session.

    ``messages`` are all of its messages, or the last of them when fewer were asked for; ``count`` is how many
    there are in all.

    >>> Session(key="cli:direct").exists
    False
    """

    messages: tuple[Message, ...] = attrs.field(default=(), converter=_messages)

    @classmethod
    def of(cls, info: SessionInfo, messages: Iterable[Message]) -> Self:
        """The snapshot of a session that these are the last messages of.

        >>> Session.of(SessionInfo(key="k", count=3), [Message.simple("user", "bye")]).count
        3
        """
        return cls(
            key=info.key,
            count=info.count,
            summary=info.summary,
            created=info.created,
            updated=info.updated,
            metadata=info.metadata,
            aliases=info.aliases,
            version=info.version,
            generation=info.generation,
            messages=messages,
        )

    def info(self, size: int | None = None) -> SessionInfo:
        """The session without its messages, as a listing tells of it.

        >>> Session(key="k", count=1, messages=[Message.simple("user", "hello")]).info(size=60).size
        60
        """
        return SessionInfo(
            key=self.key,
            count=self.count,
            summary=self.summary,
            created=self.created,
            updated=self.updated,
            metadata=self._metadata,
            aliases=self.aliases,
            version=self.version,
            generation=self.generation,
            size=size,
        )


@attrs.frozen(slots=True, kw_only=True)
class History:
    """A stretch of a session's messages.

    Attributes:
        messages: oldest first.
        start: the position of the first of them, counted from 0 at the oldest message.
        total: how many messages the session has.
        version: the state's token; ``ABSENT`` for an unknown session.
        generation: see :class:`SessionInfo`.
    """

    messages: Sequence[Message] = attrs.field(hash=False)
    start: int
    total: int
    version: Version
    generation: str = ""

    @classmethod
    def of(cls, info: SessionInfo, start: int, messages: Sequence[Message]) -> Self:
        """The stretch of a session's history that begins at ``start``.

        >>> History.of(SessionInfo(key="k", count=3), 2, [Message.simple("user", "bye")]).total
        3
        """
        return cls(messages=messages, start=start, total=info.count, version=info.version, generation=info.generation)


@attrs.frozen(slots=True, kw_only=True)
class SessionPage:
    """A page of a listing. Only ``next is None`` ends it; an empty page is legal.

    Attributes:
        sessions: in the backend's own order, which writes do not change.
        next: the cursor of the page that follows.
        unreadable: what is missing in the listing because it cannot be read: a line for people each, with the place
            and the reason. A page tells of what would stand in it; where nobody knows the key, some page tells.
    """

    sessions: Sequence[SessionInfo] = attrs.field(hash=False)
    next: str | None = None
    unreadable: Sequence[str] = ()


@attrs.frozen(slots=True, kw_only=True)
class HeadingPage:
    """A page of headings; ``next`` and ``unreadable`` as in a :class:`SessionPage`."""

    headings: Sequence[Heading] = attrs.field(hash=False)
    next: str | None = None
    unreadable: Sequence[str] = ()

    @classmethod
    def of(cls, page: SessionPage) -> Self:
        """The headings of a page of a listing."""
        return cls(headings=page.sessions, next=page.next, unreadable=page.unreadable)


@attrs.frozen(slots=True, kw_only=True)
class Sifted:
    """Which messages of a stretch of a history a sieve lets pass.

    Attributes:
        spans: positions in order, each of a first message and behind a last one.
        next: position from which to go on; None at the end of the history.
        generation: see :class:`SessionInfo`.
    """

    spans: Sequence[tuple[int, int]] = ()
    next: int | None = None
    generation: str = ""
