"""Messages of the OpenAI chat format without a session around them.

Read are: an array of messages; an object with ``messages`` and no key; an array of such objects, and JSON Lines of
them, as OpenAI takes them for fine-tuning; JSON Lines of arrays of messages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import attrs

from sessionkit.errors import InvalidKeyError, InvalidMessageError
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.formats.format import Format, Losses, Writer
from sessionkit.transfer.formats.keyed import counted
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable, unreadable
from sessionkit.transfer.values import Damage, Value, read_values

_EXPECTED = 'expected [{"role": "…", "content": "…"}, …], or {"messages": [...]}'

_FIELDS = frozenset(
    {"role", "content", "name", "tool_calls", "tool_call_id", "function_call", "refusal", "audio"},
)
_CALL_FIELDS = {"id": None, "type": None, "function": {"name", "arguments"}, "custom": {"name", "input"}}


def _recognises(source: Source) -> bool:
    first = source.first_value()
    if first is None or not isinstance(first.data, dict):
        return False
    if "messages" in first.data:
        return "key" not in first.data and "id" not in first.data
    return first.item is not None and is_message(first.data)


def is_message(value: object) -> bool:
    """Whether a value looks like a chat message."""
    return isinstance(value, dict) and isinstance(value.get("role"), str) and "messages" not in value


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    for key, value in counted(_conversations(read_values(source.lines())), source.stem):
        if isinstance(value, Damage):
            yield unreadable(value, source.name, _EXPECTED)
        else:
            yield _place(key, value, source.name)


def _conversations(values: Iterable[Value | Damage]) -> Iterator[Value | Damage]:
    """Put the messages of an array together. An array with a damaged message is damaged as a whole."""
    messages: list[Any] = []
    begun: Value | None = None
    for value in values:
        in_array = value.item is not None and value.item > 1 and begun is not None
        if begun is not None and not in_array:
            yield Value({"messages": messages}, begun.line)
            begun = None
        if begun is not None:
            if isinstance(value, Damage):
                yield value
                begun = None
                continue
            messages.append(value.data)
        elif isinstance(value, Value) and value.item == 1 and is_message(value.data):
            begun, messages = value, [value.data]
        else:
            yield value
    if begun is not None:
        yield Value({"messages": messages}, begun.line)


def _place(key: str, value: Value, source: str) -> Placed | Unreadable:
    data = value.data
    if not isinstance(data, dict) or "messages" not in data:
        return Unreadable(source=source, line=value.line, item=value.item, reason=f"no conversation; {_EXPECTED}")
    try:
        if "key" in data or "id" in data:
            document = SessionDocument.from_dict(data)
        else:
            document = attrs.evolve(SessionDocument.from_dict({"key": "unnamed", **data}), key=key)
    except (InvalidKeyError, InvalidMessageError) as error:
        return Unreadable(source=source, line=value.line, item=value.item, reason=str(error))
    return Placed(document=document, source=source, line=value.line, item=value.item)


def _encode(document: dict[str, Any], losses: Losses) -> dict[str, Any]:
    losses.sessions.update(name for name in document if name != "messages")
    return {"messages": [_encode_message(message, losses) for message in document["messages"]]}


def _encode_message(message: dict[str, Any], losses: Losses) -> dict[str, Any]:
    kept = {name: value for name, value in message.items() if name in _FIELDS}
    lost = {name for name in message if name not in _FIELDS}
    calls = kept.get("tool_calls")
    if isinstance(calls, list):
        kept["tool_calls"] = [_encode_call(call, lost) for call in calls]
    losses.messages.update(lost)
    return kept


def _encode_call(call: Any, lost: set[str]) -> Any:
    if not isinstance(call, dict):
        return call
    kept: dict[str, Any] = {}
    for name, value in call.items():
        inner = _CALL_FIELDS.get(name)
        if name not in _CALL_FIELDS:
            lost.add(f"tool_calls.{name}")
        elif inner is not None and isinstance(value, dict):
            kept[name] = {field: value[field] for field in value if field in inner}
            lost.update(f"tool_calls.{name}.{field}" for field in value if field not in inner)
        else:
            kept[name] = value
    return kept


OPENAI = Format(
    name="openai",
    description='an array of chat messages, or {"messages": [...]} without a key; also one of these a line',
    recognises=_recognises,
    read=_read,
    writer=Writer(
        encode=_encode,
        alone=lambda value: value["messages"],
        cannot_hold="keys, summaries, metadata, aliases, times, and fields of messages that OpenAI's API refuses",
    ),
)
