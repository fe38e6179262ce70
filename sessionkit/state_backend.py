"""``StateBackend``: the hooks on one session, for backends that keep sessions in memory as ``SessionState``.

A subclass says where states are, and under which lock, by :meth:`~StateBackend.reading` and
:meth:`~StateBackend.writing`; it adds the listing, the deletion, and how sessions outlive the process if they do.
"""

from __future__ import annotations

import os
from abc import abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from itertools import count
from typing import Any, Literal, TypeAlias

from sessionkit.hookspecs import Backend, hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import History, Session, Unchanged, Version
from sessionkit.state import SessionState

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class StateBackend(Backend):
    """Each operation is one call of a :class:`SessionState` that nobody else uses meanwhile."""

    def __init__(self) -> None:
        self._nonce = os.urandom(8).hex()
        self._counter = count(1)

    def fresh(self) -> str:
        """A token that no state of any session ever had, in any process: for versions and generations."""
        return f"{self._nonce}-{next(self._counter)}"

    @abstractmethod
    def reading(self, key: str) -> AbstractContextManager[SessionState]:
        """The session's state, which does not change inside the ``with`` block; an empty one for an unknown session."""

    @abstractmethod
    def writing(self, key: str) -> AbstractContextManager[SessionState]:
        """The session's state, to be changed inside the ``with`` block and by nobody else.

        When the block ends without an exception, a state that exists is kept. After an exception the session is
        as it was: an operation that fails has not changed the state.
        """

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        with self.writing(key) as state:
            return state.append(messages)

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        with self.reading(key) as state:
            return state.history(start, limit)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        with self.reading(key) as state:
            return state.snapshot(limit)

    @hookimpl
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
        with self.writing(key) as state:
            return state.update(
                messages=messages,
                summary=summary,
                metadata=metadata,
                aliases=aliases,
                created=created,
                updated=updated,
                if_version=if_version,
            )

    @hookimpl
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
        with self.writing(key) as state:
            return state.truncate(
                keep_last=keep_last,
                drop_first=drop_first,
                summary=summary,
                if_version=if_version,
                if_generation=if_generation,
            )
