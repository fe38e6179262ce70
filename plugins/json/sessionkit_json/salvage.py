"""What can be read of a damaged document: its key, the messages up to the damage, and the fields around them."""

from __future__ import annotations

import json
import math
import re
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidMessageError
from sessionkit.sessions import read_time
from sessionkit_json.document import OURS, ZERO_TIME, Document, decode

_MESSAGES: Final = re.compile(r'"messages"\s*:\s*\[')
_KEY: Final = re.compile(r'"key"\s*:\s*"(?:[^"\\]|\\.)*"')
_BETWEEN: Final = re.compile(r"[\s,\x00]*")


def _number(digits: str) -> float | str:
    """A number that Python does not hold is kept as its digits: the message around it must not be lost for it."""
    number = float(digits)
    return digits if math.isinf(number) else number


_scan: Final = json.JSONDecoder(parse_float=_number, parse_constant=str).raw_decode


def salvage(data: bytes, *, named: str) -> Document | None:
    """A document of all that can be read; None when there is neither a message nor any other field to be read.

    Nothing is invented: messages are read from the beginning, and none behind the first that cannot be.

    Args:
        data: the damaged document.
        named: the key, when none can be read.
    """
    fields = _fields(data)
    if not fields:
        return None
    messages = fields.get("messages")
    fields["messages"] = [item for item in messages if isinstance(item, dict)] if isinstance(messages, list) else []
    for name in bad_fields(fields):
        fields.pop(name)
    try:
        return decode(codec.encode(fields), named=named)
    except (DecodeError, InvalidMessageError):
        return None


def bad_fields(fields: dict[str, Any]) -> list[str]:
    """The fields of a document that hold something else than they may."""
    found = [
        name
        for name in ("created", "updated")
        if fields.get(name) is not None and fields[name] != ZERO_TIME and read_time(fields[name]) is None
    ]
    found += [name for name, kind in (("key", str), ("summary", str), (OURS, dict)) if not _fits(fields, name, kind)]
    return found


def _fits(fields: dict[str, Any], name: str, kind: type) -> bool:
    return isinstance(fields.get(name, kind()), kind) or fields[name] is None


def _fields(data: bytes) -> dict[str, Any]:
    text = data.decode("utf-8", "replace").strip("\0 \r\n\t\ufeff")
    try:
        whole, _ = _scan(text)
    except (ValueError, RecursionError):
        return _torn_fields(text)
    return whole if isinstance(whole, dict) else _torn_fields(text)


def _torn_fields(text: str) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    begin = _MESSAGES.search(text)
    key = _KEY.search(text, 0, begin.start() if begin else len(text))
    if key is not None:
        fields |= _object("{" + key[0] + "}")
    if begin is None:
        return fields
    messages, end = _messages(text, begin.end())
    if messages or end:
        fields["messages"] = messages
    return {**_object("{" + text[end:].lstrip(" \r\n\t,")), **fields} if end else fields


def _messages(text: str, position: int) -> tuple[list[Any], int]:
    """The messages from a position on, and where the array ended; 0 when it did not, or not as an array does."""
    messages: list[Any] = []
    while True:
        position = _between(text, position)
        if text.startswith("]", position):
            return messages, position + 1
        try:
            message, position = _scan(text, position)
        except (ValueError, RecursionError):
            return messages, 0
        messages.append(message)


def _between(text: str, position: int) -> int:
    match = _BETWEEN.match(text, position)
    return position if match is None else match.end()


def _object(text: str) -> dict[str, Any]:
    try:
        value, _ = _scan(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
