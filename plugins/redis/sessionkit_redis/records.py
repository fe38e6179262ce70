"""The fields of a session as the server keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import CorruptSessionError, DecodeError
from sessionkit.sessions import UNCHANGED, SessionInfo, read_time

STORED: Final = ("s", "c", "u", "U", "d", "a")
"""The fields of the hash that tell of a session, in the order of :func:`fields`."""

_EPOCH: Final = datetime(1970, 1, 1)


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
    moment = microseconds(value)
    return ["u", moment, "U", f"{moment} {value}"]


def text_bytes(text: str) -> bytes:
    """Any text of Python as bytes, lone surrogates too."""
    return text.encode("utf-8", "surrogatepass")


def text(value: bytes | None) -> str:
    """Such text again."""
    return "" if value is None else value.decode("utf-8", "surrogatepass")


def microseconds(time: str) -> int:
    """An RFC 3339 time as the scripts compare it: microseconds since 1970; 0 for what is no such time.

    >>> microseconds("2026-01-31T13:00:00.5+01:00"), microseconds("")
    (1769860800500000, 0)
    """
    found = read_time(time)
    if found is None:
        return 0
    whole, fraction = found
    return int(whole.timestamp()) * 1_000_000 + int(fraction[:6].ljust(6, "0"))


def _time(stored: bytes | None) -> str:
    """A time as RFC 3339: what the scripts noted, or what somebody gave."""
    if stored is None or not stored.isdigit():
        return text(stored)
    return f"{(_EPOCH + timedelta(microseconds=int(stored))).isoformat(timespec='microseconds')}Z"


def _updated(stored: bytes | None, given: bytes | None) -> str:
    """The time of the last change, as somebody gave it if no change came later."""
    moment, _, as_given = (given or b"").partition(b" ")
    return text(as_given) if given and moment == stored else _time(stored)


def fields(key: str, values: Sequence[bytes | None]) -> dict[str, Any]:
    """Summary, times, metadata and aliases of a session as arguments of :class:`SessionInfo`."""
    summary, created, updated, given, metadata, aliases = values
    try:
        return {
            "summary": text(summary),
            "created": _time(created),
            "updated": _updated(updated, given),
            "metadata": _decoded(metadata, dict),
            "aliases": _decoded(aliases, list),
        }
    except (DecodeError, UnicodeDecodeError, OverflowError) as error:
        raise CorruptSessionError(f"session {key!r}: its fields cannot be read: {error}") from error


def _decoded(stored: bytes | None, kind: type) -> Any:
    value = kind() if stored is None else codec.decode(stored)
    if not isinstance(value, kind):
        raise DecodeError(f"a {type(value).__name__} stands in the place of a {kind.__name__}")
    return value


def describe(
    key: str,
    version: bytes | None,
    generation: bytes | None,
    count: bytes | None,
    values: Sequence[bytes | None],
    size: int | None,
) -> SessionInfo | None:
    """What a listing tells of a session; None when it is gone."""
    if version is None or generation is None or count is None:
        return None
    return SessionInfo(
        key=key,
        version=version.decode(),
        generation=generation.decode(),
        count=int(count),
        size=size,
        **fields(key, values),
    )
