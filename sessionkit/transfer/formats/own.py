"""Our own format: everything that a session holds, one conversation a line (or a JSON document, or an array)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from sessionkit.transfer.formats.format import Format, Losses, Writer
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable, read_documents


def _recognises(source: Source) -> bool:
    first = source.first_value()
    data = None if first is None else first.data
    return isinstance(data, dict) and "messages" in data and ("key" in data or "id" in data)


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    return read_documents(source.lines(), source.name)


def _encode(document: dict[str, Any], losses: Losses) -> dict[str, Any]:
    return document


OWN = Format(
    name="sessionkit",
    description='JSON Lines, or one JSON document: objects with "key" (or "id") and "messages"',
    recognises=_recognises,
    read=_read,
    writer=Writer(encode=_encode),
)
