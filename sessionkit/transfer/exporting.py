"""Export: sessions of a store as documents, from which an import makes the same sessions again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from sessionkit.errors import SessionNotFoundError
from sessionkit.store import SessionStore
from sessionkit.transfer.documents import SessionDocument


def export_session(store: SessionStore, key: str) -> dict[str, Any]:
    """The document of one session, a JSON object.

    Raises:
        SessionNotFoundError: there is no such session.
        CorruptSessionError: it cannot be read.
    """
    session = store.get_session(key)
    if not session.exists:
        raise SessionNotFoundError(f"there is no session {key!r} to export")
    return SessionDocument.from_session(session).to_dict()


def export_sessions(store: SessionStore, keys: Iterable[str] | None = None) -> Iterator[dict[str, Any]]:
    """The documents of sessions, one at a time. Each is one consistent snapshot.

    Args:
        store: where from.
        keys: which sessions, in this order; all of the store when None.

    Raises:
        SessionNotFoundError: a key that was given names no session.
        CorruptSessionError: a session cannot be read. To go on after one, export key by key.
    """
    if keys is not None:
        for key in keys:
            yield export_session(store, key)
        return
    for info in store.list_sessions():
        try:
            yield export_session(store, info.key)
        except SessionNotFoundError:
            continue  # deleted since it was listed
