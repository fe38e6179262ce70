"""nanobot's session files: JSON Lines, of which one record tells of the session and the others are its messages.

A source is one such file or a directory of them. nanobot itself passes over lines that it cannot read; so does this,
and tells of each.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidKeyError
from sessionkit.keys import check_key
from sessionkit.messages import Message
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.formats.format import Format
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable

_SUFFIX: Final = ".jsonl"
_HEADER: Final = "metadata"
_PRIVATE: Final = "provider_state"
_CHECKPOINT: Final = "runtime_checkpoint"
_HEADER_FIELDS: Final = frozenset(
    {"_type", "key", "created_at", "updated_at", "metadata", "last_archived", "last_consolidated"}
)


def _recognises(source: Source) -> bool:
    if source.is_directory and source.path is not None:
        return any(_is_session_file(path) for path in _files(source.path))
    first = source.first_value()
    return first is not None and isinstance(first.data, dict) and first.data.get("_type") == _HEADER


def _is_session_file(path: Path) -> bool:
    with Source.opened(path) as source:
        return _recognises(source)


def _files(directory: Path) -> list[Path]:
    return sorted(path for path in directory.glob(f"*{_SUFFIX}") if path.is_file())


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    if not source.is_directory or source.path is None:
        yield _read_session(source)
        return
    for path in _files(source.path):
        try:
            with Source.opened(path) as file:
                yield _read_session(file)
        except OSError as error:
            yield Unreadable(source=str(path), reason=f"it cannot be read: {error.strerror}")


def _read_session(source: Source) -> Placed | Unreadable:
    records = _Records(source.lines())
    header = records.header
    if header is None and not records.messages:
        return Unreadable(source=source.name, reason="no line of it is a record of nanobot")
    header = header or {}
    unknown = [name for name in header if name not in _HEADER_FIELDS]
    metadata = _metadata(header, unknown)
    times = {}
    for name in ("created_at", "updated_at"):
        times[name] = _time(header.get(name))
        if header.get(name) and not times[name]:
            unknown.append(name)
    if records.private:
        unknown.append(_PRIVATE)
    if source.path is not None and source.path.with_name(f"{source.stem}.checkpoint.json").exists():
        unknown.append(_CHECKPOINT)
    document = SessionDocument(
        key=_key(header.get("key"), source.stem),
        messages=tuple(records.messages),
        summary=_summary(metadata),
        metadata=metadata,
        created=times["created_at"],
        updated=times["updated_at"],
        unknown_fields=tuple(unknown),
    )
    return Placed(document=document, source=source.name, damage=tuple(records.damage))


class _Records:
    """The records of a file, sorted by their kind."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self.header: dict[str, Any] | None = None
        self.messages: list[Message] = []
        self.private = False
        self.damage: list[str] = []
        for number, line in enumerate(lines, start=1):
            if not line.strip():
                continue
            try:
                record = codec.decode(line)
            except DecodeError as error:
                self.damage.append(f"line {number} is not JSON ({error})")
                continue
            self._take(record, number)

    def _take(self, record: Any, number: int) -> None:
        if not isinstance(record, dict):
            self.damage.append(f"line {number} is no JSON object")
        elif record.get("_type") == _HEADER:
            self.header = record
        elif record.get("_type") == _PRIVATE:
            self.private = True
        else:
            self.messages.append(Message.adopt(record))


def _metadata(header: dict[str, Any], unknown: list[str]) -> dict[str, Any]:
    """nanobot's metadata, with the number of messages that its summary stands for."""
    value = header.get("metadata")
    metadata = value if isinstance(value, dict) else {}
    if value and not isinstance(value, dict):
        unknown.append("metadata")
    archived = header.get("last_archived", header.get("last_consolidated"))
    if not archived:
        return metadata
    if "last_archived" in metadata:
        unknown.append("last_archived")
        return metadata
    return {**metadata, "last_archived": archived}


def _summary(metadata: dict[str, Any]) -> str:
    summary = metadata.get("_last_summary")
    text = summary.get("text") if isinstance(summary, dict) else None
    return text if isinstance(text, str) else ""


def _key(key: object, stem: str) -> str:
    """The key that the file tells, else the one that its name encodes, else its name."""
    if isinstance(key, str) and key:
        return key
    with suppress(binascii.Error, UnicodeDecodeError, InvalidKeyError, ValueError):
        decoded = base64.b64decode(stem + "=" * (-len(stem) % 4), altchars=b"-_", validate=True).decode()
        check_key(decoded)
        if decoded.isprintable():
            return decoded
    return stem


def _time(value: object) -> str:
    """A time with its zone. nanobot writes local time without one: it is taken for the local time of this machine."""
    if not isinstance(value, str):
        return ""
    try:
        moment = datetime.fromisoformat(value)
        return (moment if moment.tzinfo else moment.astimezone()).isoformat().replace("+00:00", "Z")
    except (ValueError, OverflowError):
        return ""


NANOBOT = Format(
    name="nanobot",
    description="a session file of nanobot, or a directory of them",
    recognises=_recognises,
    read=_read,
    directories=True,
)
