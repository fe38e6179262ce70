"""What stands in the rows of a backend that keeps a session in one row and each message in another.

Both are JSON in bytes. Texts of people can hold lone surrogates and NULs, which the text type of a database may refuse;
in JSON they are escapes. What cannot be read is a :class:`CorruptSessionError` that names the session: as an empty
history it would soon be written back as one.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from sessionkit import codec
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, SessionInfo


class _Info(msgspec.Struct):
    """The fields of a row, with the types that they must have. What a later version adds is passed over."""

    count: int = 0
    summary: str = ""
    created: str = ""
    updated: str = ""
    metadata: dict[str, Any] = {}
    aliases: list[str] = []
    version: str = ABSENT
    generation: str = ""


def dump_info(session: SessionInfo) -> bytes:
    """Everything but a session's key and its messages, as one JSON object.

    >>> dump_info(SessionInfo(key="k", count=2, summary="Two mugs.", version="v"))[:33]
    b'{"count":2,"summary":"Two mugs.",'
    """
    return codec.encode({name: getattr(session, name) for name in _Info.__struct_fields__})


def load_info(key: str, data: bytes | str) -> SessionInfo:
    """The session of a key, from what :func:`dump_info` made of it.

    Raises:
        CorruptSessionError: the data is something else.

    >>> load_info("k", b'{"count": 2, "version": "v"}').count
    2
    """
    try:
        info = msgspec.convert(codec.decode(data), _Info)
    except (DecodeError, msgspec.ValidationError) as error:
        raise _corrupt(key, error) from error
    return SessionInfo(key=key, **msgspec.structs.asdict(info))


def load_messages(key: str, rows: Iterable[bytes | str]) -> list[Message]:
    """The messages of a session, each from what :meth:`Message.to_json` made of it.

    Raises:
        CorruptSessionError: one of them is something else.

    >>> load_messages("k", [b'{"role": "user", "content": "hello"}'])[0].text
    'hello'
    """
    try:
        return [Message.from_json(row) for row in rows]
    except DecodeError as error:
        raise _corrupt(key, error) from error


def _corrupt(key: str, error: Exception) -> CorruptSessionError:
    return CorruptSessionError(f"session {key!r} cannot be read ({error}); restore it from a backup")
