"""What a check asks of a store, answered by a backend itself: opening ten thousand stores would take its time."""

from __future__ import annotations

from collections.abc import Iterator

from sessionkit.hookspecs import Backend
from sessionkit.messages import Message
from sessionkit.sessions import Session, SessionInfo

_PAGE = 200


class DirectStore:
    """The operations of a store that a check uses, without hooks around the backend."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend

    def add_full_message(self, key: str, message: Message) -> None:
        """Append a message."""
        self._backend.sessionkit_add_messages(key, [message], "")

    def get_session(self, key: str) -> Session:
        """Read a session."""
        return self._backend.sessionkit_get_session(key, None)

    def list_sessions(self) -> Iterator[SessionInfo]:
        """List all sessions."""
        cursor = None
        while True:
            page = self._backend.sessionkit_list_sessions("", cursor, _PAGE)
            yield from page.sessions
            if page.next is None:
                return
            cursor = page.next

    def held(self, key: str) -> tuple[()]:
        """Nothing: what fails, raises."""
        return ()

    def save(self, key: str) -> None:
        """Make a session durable, when the backend has something to do for that."""
        if type(self._backend).sessionkit_save is not Backend.sessionkit_save:
            self._backend.sessionkit_save(key)

    def close(self) -> None:
        """Close the backend."""
        self._backend.sessionkit_close()
