"""The fields of a session as the server keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.sessions import UNCHANGED, SessionInfo, read_time

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


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
    return ["u", value, "m", microseconds(value)]


def text_bytes(text: str) -> bytes:
    """Any text of Python as bytes, lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def text(value: bytes | None) -> str:
    """Such text again."""
    return "" if value is None else value.decode("utf-8", "surrogatepass")


def microseconds(time: str) -> int:
    """An RFC 3339 time as microseconds since 1970, to compare it with others; 0 when it is none."""
    found = read_time(time)
    if found is None:
        return 0
    whole, fraction = found
    return int((whole - _EPOCH).total_seconds()) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


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
