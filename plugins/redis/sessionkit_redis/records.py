"""The fields of a session as the server keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.sessions import UNCHANGED, SessionInfo, read_time

_OWN_FORM: Final = len("2026-01-31T12:00:00.000000Z")


def encode(name: str, value: Any) -> list[Any]:
    """The names and values of a field that changes; none of one that stays."""
    if value is UNCHANGED:
        return []
    if name == "summary":
        return ["s", text_bytes(value)]
    if name == "metadata":
        return ["d", codec.encode(value)]
    if name == "aliases":
        return ["a", codec.encode(list(value))]
    if name == "created":
        return ["c", value]
    return ["u", value, "m", comparable(value)]


def text_bytes(text: str) -> bytes:
    """Any text of Python as bytes, lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def text(value: bytes | None) -> str:
    """Such text again."""
    return "" if value is None else value.decode("utf-8", "surrogatepass")


def comparable(time: str) -> str:
    """An RFC 3339 time in the form of :func:`sessionkit.sessions.now`; ``""`` when it has that form already.

    >>> comparable("2026-01-31T13:00:00+01:00"), comparable("2026-01-31T12:00:00.000000Z")
    ('2026-01-31T12:00:00.000000Z', '')
    """
    if len(time) == _OWN_FORM and time.endswith("Z"):
        return ""
    found = read_time(time)
    if found is None:
        return ""
    whole, fraction = found
    return f"{whole.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{fraction[:6].ljust(6, '0')}Z"


def fields(key: str, values: Sequence[bytes | None]) -> dict[str, Any]:
    """Summary, times, metadata and aliases of a session as arguments of :class:`SessionInfo`."""
    summary, created, updated, metadata, aliases = values
    try:
        return {
            "summary": text(summary),
            "created": text(created),
            "updated": text(updated),
            "metadata": {} if metadata is None else codec.decode(metadata),
            "aliases": () if aliases is None else codec.decode(aliases),
        }
    except (DecodeError, UnicodeDecodeError) as error:
        raise CorruptSessionError(f"session {key!r}: its fields cannot be read: {error}") from error


def describe(
    key: str, version: bytes | None, generation: bytes | None, count: bytes | None, values: Sequence[bytes | None]
) -> SessionInfo | None:
    """What a listing tells of a session; None when it is gone."""
    if version is None or generation is None or count is None:
        return None
    return SessionInfo(
        key=key, version=version.decode(), generation=generation.decode(), count=int(count), **fields(key, values)
    )
