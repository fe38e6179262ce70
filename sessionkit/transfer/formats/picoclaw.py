"""picoclaw's session directories of both kinds: a JSON document a session, and a log with its metadata.

Documents are read here. A log is read by the backend ``jsonl``, which knows everything that may stand in one. It gets
a copy: opening a directory sweeps it and makes a lock file, and an import leaves its source as it is.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from sessionkit import codec
from sessionkit.errors import CorruptSessionError, DecodeError, FormatError, InvalidKeyError, InvalidMessageError
from sessionkit.store import SessionStore, open_store
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.formats.aside import copied_aside
from sessionkit.transfer.formats.format import Format
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable

_LOG: Final = ".jsonl"
_META: Final = ".meta.json"
_DOCUMENT: Final = ".json"
_ZERO_TIME: Final = "0001-01-01T00:00:00Z"
_OURS: Final = "sessionkit"  # where the backend json keeps what picoclaw has no place for
_LOGGER: Final = "sessionkit.jsonl"


def _recognises(source: Source) -> bool:
    if source.path is None or not source.is_directory:
        return False
    return any(map(_is_log, _logs(source.path))) or any(map(_is_document, _documents(source.path)))


def _is_log(path: Path) -> bool:
    if path.name.endswith(_META):
        return path.with_name(path.name.removesuffix(_META) + _LOG).exists()
    with Source.opened(path) as source:
        first = source.first_value()
    data = None if first is None else first.data
    return isinstance(data, dict) and isinstance(data.get("role"), str) and "messages" not in data


def _is_document(path: Path) -> bool:
    with Source.opened(path) as source:
        first = source.first_value()
    return first is not None and isinstance(first.data, dict) and {"key", "messages"} <= first.data.keys()


def _logs(directory: Path) -> list[Path]:
    """The files of the newer kind."""
    return sorted(path for path in directory.iterdir() if path.name.endswith((_LOG, _META)) and path.is_file())


def _documents(directory: Path) -> list[Path]:
    """The files of the older kind."""
    return sorted(
        path
        for path in directory.iterdir()
        if path.name.endswith(_DOCUMENT) and not path.name.endswith(_META) and path.is_file()
    )


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    directory = source.path
    if directory is None or not source.is_directory:
        raise FormatError(
            f"{source.name} is no directory; picoclaw keeps its sessions in one, and it is read as a whole"
        )
    if any(map(_is_log, _logs(directory))):
        yield from _read_logs(directory)
    for path in _documents(directory):
        yield _read_document(path)


def _read_document(path: Path) -> Placed | Unreadable:
    try:
        data = codec.decode(path.read_bytes())
        if not isinstance(data, dict) or "messages" not in data:
            return Unreadable(source=str(path), reason='it has no "messages", so it is no session of picoclaw')
        document = SessionDocument.from_dict(_fields(data, path.stem))
    except OSError as error:
        return Unreadable(source=str(path), reason=f"it cannot be read: {error.strerror}")
    except DecodeError as error:
        return Unreadable(source=str(path), reason=f"it is not JSON ({error})")
    except (InvalidKeyError, InvalidMessageError) as error:
        return Unreadable(source=str(path), reason=str(error))
    return Placed(document=document, source=str(path))


def _fields(data: dict[str, Any], stem: str) -> dict[str, Any]:
    """The fields of a document as ours are called. Go writes null for an empty list, and a year 1 for no time."""
    fields = {name: value for name, value in data.items() if value != _ZERO_TIME and name != _OURS}
    fields["key"] = data.get("key") or stem
    fields["messages"] = [] if data["messages"] is None else data["messages"]
    ours = data.get(_OURS)
    if isinstance(ours, dict):
        fields |= {name: ours[name] for name in ("metadata", "aliases") if name in ours}
    return fields


def _read_logs(directory: Path) -> Iterator[Placed | Unreadable]:
    with copied_aside(str(directory), lambda: _logs(directory)) as copy, _told(str(copy), str(directory)) as told:
        options = {"path": str(copy), "network": True}  # nobody else opens the copy, wherever it is
        settings = {"backend": "jsonl", "backends": {"jsonl": options}}
        with open_store(settings, on_write_error="raise", extensions=[]) as store:
            for info in store.list_sessions():
                placed = _read_log(store, info.key, directory)
                damage = told.pop(info.key, [])
                yield attrs.evolve(placed, damage=tuple(damage)) if isinstance(placed, Placed) else placed
        for reasons in told.values():
            yield from (Unreadable(source=str(directory), reason=reason) for reason in reasons)


def _read_log(store: SessionStore, key: str, directory: Path) -> Placed | Unreadable:
    try:
        session = store.get_session(key)
    except CorruptSessionError as error:
        return Unreadable(source=str(directory), key=key, reason=str(error))
    return Placed(document=SessionDocument.from_session(session), source=str(directory))


@contextmanager
def _told(copy: str, directory: str) -> Iterator[dict[str | None, list[str]]]:
    """What the backend logs meanwhile, by session: lines that it passes over. Under None: what it cannot list."""
    told: dict[str | None, list[str]] = {}
    reader = threading.get_ident()

    def take(record: logging.LogRecord) -> bool:
        message = record.getMessage()
        if record.thread != reader or copy not in message:
            return True
        subject = record.args[0] if isinstance(record.args, tuple) and record.args else None
        key = subject if isinstance(subject, str) and message.startswith(f"session {subject!r}: ") else None
        reasons = told.setdefault(key, [])
        reason = message.removeprefix(f"session {key!r}: ").replace(copy, directory)
        if reason not in reasons:
            reasons.append(reason)
        return False

    logger = logging.getLogger(_LOGGER)
    logger.addFilter(take)
    try:
        yield told
    finally:
        logger.removeFilter(take)


PICOCLAW = Format(
    name="picoclaw",
    description="a directory with picoclaw's sessions, of either kind (*.json, or *.jsonl with *.meta.json)",
    recognises=_recognises,
    read=_read,
    directories=True,
)
