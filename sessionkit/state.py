"""``SessionState``: one session as a mutable object, for backends that keep sessions in memory.

It knows what every operation of the hooks does to a session. A backend on top of it holds a lock around each
call and decides where sessions are kept; ``memory`` and ``json`` are made like that. Snapshots share nothing
that changes with the state.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias

import attrs

from sessionkit import operations
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, History, Session, SessionInfo, Unchanged, Version, now

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


@attrs.define(kw_only=True, eq=False)
class SessionState:
    """A session that exists, or (``version`` is ``ABSENT``) the place of one that does not.

    Attributes:
        fresh: makes a token that no state of any session ever had, for versions and generations.
    """

    key: str
    fresh: Callable[[], str]
    messages: list[Message] = attrs.Factory(list)
    summary: str = ""
    created: str = ""
    updated: str = ""
    metadata: dict[str, Any] = attrs.Factory(dict)
    aliases: tuple[str, ...] = ()
    version: Version = ABSENT
    generation: str = ""

    def append(self, messages: Sequence[Message]) -> Version:
        """Append; costs what the new messages cost."""
        self.messages.extend(messages)
        return self._touch()

    def update(
        self,
        *,
        messages: Sequence[Message] | _Unchanged = UNCHANGED,
        summary: str | _Unchanged = UNCHANGED,
        metadata: dict[str, Any] | _Unchanged = UNCHANGED,
        aliases: Sequence[str] | _Unchanged = UNCHANGED,
        created: str | _Unchanged = UNCHANGED,
        updated: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
    ) -> Version:
        """Replace fields; an update of nothing creates an unknown session and leaves a known one alone."""
        operations.check_conditions(self, if_version=if_version)
        unchanged = all(value is UNCHANGED for value in (messages, summary, metadata, aliases, created, updated))
        if unchanged and self.version != ABSENT:
            return self.version
        if messages is not UNCHANGED:
            self._replace_messages(list(messages))
        if summary is not UNCHANGED:
            self.summary = summary
        if metadata is not UNCHANGED:
            self.metadata = metadata
        if aliases is not UNCHANGED:
            self.aliases = tuple(aliases)
        if created is not UNCHANGED:
            self.created = created
        return self._touch(None if updated is UNCHANGED else updated)

    def truncate(
        self,
        *,
        keep_last: int | None = None,
        drop_first: int | None = None,
        summary: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
        if_generation: str | None = None,
    ) -> Version:
        """Remove the oldest messages and set the summary."""
        operations.check_conditions(self, if_version=if_version, if_generation=if_generation)
        drop = operations.dropped(len(self.messages), keep_last, drop_first)
        if not drop and summary is UNCHANGED:
            return self.version
        if drop:
            self._replace_messages(self.messages[drop:])
        if summary is not UNCHANGED:
            self.summary = summary
        return self._touch()

    def history(self, start: int, limit: int | None) -> History:
        """A stretch of the history."""
        first, last = operations.window(len(self.messages), start, limit)
        return History(
            messages=self.messages[first:last],
            start=first,
            total=len(self.messages),
            version=self.version,
            generation=self.generation,
        )

    def snapshot(self, limit: int | None) -> Session:
        """The session as it is now, with its last ``limit`` messages."""
        first = operations.tail(len(self.messages), limit)
        return Session(messages=self.messages[first:], **self._fields())

    def info(self) -> SessionInfo:
        """The session as a listing tells of it."""
        return SessionInfo(**self._fields())

    def _fields(self) -> dict[str, Any]:
        return {
            "key": self.key,
            "count": len(self.messages),
            "summary": self.summary,
            "created": self.created,
            "updated": self.updated,
            "metadata": self.metadata,
            "aliases": self.aliases,
            "version": self.version,
            "generation": self.generation,
        }

    def _replace_messages(self, messages: list[Message]) -> None:
        self.messages = messages
        self.generation = self.fresh()

    def _touch(self, updated: str | None = None) -> Version:
        moment = now()
        self.created = self.created or moment
        self.updated = operations.later(self.updated, moment) if updated is None else updated
        self.generation = self.generation or self.fresh()
        self.version = self.fresh()
        return self.version
