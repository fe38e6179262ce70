"""Export: sessions of a store as documents, from which an import makes the same sessions again."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Any, Final

from sessionkit.errors import SessionNotFoundError, VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import Session
from sessionkit.store import SessionStore
from sessionkit.transfer.batches import read_batches
from sessionkit.transfer.documents import SessionDocument

_SPOOLED: Final = 8 * 1024 * 1024
"""From how many bytes on a session's text waits in a file."""

_PIECE: Final = 1024 * 1024
_ATTEMPTS: Final = 5


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


def export_text(store: SessionStore, key: str, dump: Callable[[Any], str]) -> tuple[Iterator[bytes], int]:
    """What :func:`export_session` gives as a text in one line, in pieces: in bounded memory, however long the session.

    Args:
        store: where from.
        key: the session.
        dump: makes a JSON value a text without line breaks.

    Returns:
        The pieces, and how many messages there are.

    Raises:
        SessionNotFoundError, CorruptSessionError, VersionConflict: as :func:`export_pieces`.
    """
    return export_pieces(store, key, lambda session, batches: _document(session, batches, dump))


def export_pieces(
    store: SessionStore, key: str, write: Callable[[Session, Iterable[list[Message]]], Iterable[str]]
) -> tuple[Iterator[bytes], int]:
    """A text that is written of a session, in pieces: in bounded memory, however long the session.

    A long one is put into a temporary file first. So all of it is one consistent snapshot when the first piece comes.

    Args:
        store: where from.
        key: the session.
        write: makes the text of the session, which it gets without messages, and of the messages, a batch at a time.
            It is called again when the session is truncated or replaced meanwhile.

    Returns:
        The pieces in UTF-8, and how many messages there are.

    Raises:
        SessionNotFoundError: there is no such session.
        CorruptSessionError: it cannot be read.
        VersionConflict: it is truncated or replaced again and again while it is read.
    """
    for attempt in range(1, _ATTEMPTS + 1):
        session = store.get_session(key, limit=0)
        if not session.exists:
            raise SessionNotFoundError(f"there is no session {key!r} to export")
        file = tempfile.SpooledTemporaryFile(max_size=_SPOOLED)  # noqa: SIM115 - the pieces close it
        try:
            for piece in write(session, read_batches(store, session)):
                file.write(piece.encode())
        except VersionConflict:
            file.close()
            if attempt == _ATTEMPTS:
                raise
        except BaseException:  # also an interrupt leaves no file behind
            file.close()
            raise
        else:
            return _read_back(file), session.count
    raise AssertionError("the last attempt returns or raises")


def _document(session: Session, batches: Iterable[list[Message]], dump: Callable[[Any], str]) -> Iterator[str]:
    empty = SessionDocument.from_session(session).to_dict()
    others = {name: value for name, value in empty.items() if name not in {"key", "messages"}}
    yield dump({"key": session.key})[:-1] + ',"messages":['
    separator = ""
    for batch in batches:
        yield separator + ",".join([dump(message.to_dict()) for message in batch])
        separator = ","
    yield f"],{dump(others)[1:]}" if others else "]}"


def _read_back(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while piece := file.read(_PIECE):
            yield piece


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
