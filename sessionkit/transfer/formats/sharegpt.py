"""ShareGPT: conversations as data sets of training keep them, ``{"conversations": [{"from": …, "value": …}, …]}``."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any, Final

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidKeyError, InvalidMessageError
from sessionkit.messages import Message
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.formats.format import Format, Losses, Writer
from sessionkit.transfer.formats.keyed import counted
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable, unreadable
from sessionkit.transfer.values import Damage, Value, read_values

_EXPECTED = 'expected {"conversations": [{"from": "human", "value": "…"}, {"from": "gpt", "value": "…"}, …]}'

_CALL: Final = "function_call"
_ROLES: Final = {
    "human": "user",
    "gpt": "assistant",
    "system": "system",
    "observation": "tool",
    "user": "user",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "bing": "assistant",
    "bard": "assistant",
    "model": "assistant",
    "tool": "tool",
    "function_response": "tool",
}
_NAMES: Final = {role: name for name, role in reversed(_ROLES.items())}
"""What a role is called in files that are written here."""


def _recognises(source: Source) -> bool:
    first = source.first_value()
    turns = first.data.get("conversations") if first is not None and isinstance(first.data, dict) else None
    return isinstance(turns, list) and all(isinstance(turn, dict) for turn in turns)


def _read(source: Source) -> Iterator[Placed | Unreadable]:
    for key, value in counted(read_values(source.lines()), source.stem):
        if isinstance(value, Damage):
            yield unreadable(value, source.name, _EXPECTED)
        else:
            yield _place(key, value, source.name)


def _place(key: str, value: Value, source: str) -> Placed | Unreadable:
    data = value.data
    try:
        if not isinstance(data, dict) or not isinstance(data.get("conversations"), list):
            raise InvalidMessageError(f"no conversation; {_EXPECTED}")  # noqa: TRY301 - one way out for all refusals
        name = data.get("id")
        own = str(name) if isinstance(name, str | int) and not isinstance(name, bool) else ""
        document = SessionDocument(
            key=own or key,
            messages=tuple([Message.adopt(message) for message in _Reading(data).messages]),
            unknown_fields=tuple(field for field in data if field not in {"conversations", "id", "system"}),
        )
    except (InvalidKeyError, InvalidMessageError) as error:
        return Unreadable(source=source, line=value.line, item=value.item, reason=str(error))
    return Placed(document=document, source=source, line=value.line, item=value.item)


class _Reading:
    """Makes messages of the turns of one conversation."""

    def __init__(self, data: dict[str, Any]) -> None:
        self.messages: list[dict[str, Any]] = []
        self._calls = 0
        self._unanswered: deque[str] = deque()
        self._open = False  # whether calls may still join the last message
        system = data.get("system")
        if isinstance(system, str) and system:
            self.messages.append({"role": "system", "content": system})
        for index, turn in enumerate(data["conversations"]):
            self._take(turn, f'"conversations"[{index}]')

    def _take(self, turn: Any, place: str) -> None:
        if not isinstance(turn, dict):
            raise InvalidMessageError(f"{place} is no object; {_EXPECTED}")
        name = turn.get("from")
        if not isinstance(name, str) and isinstance(turn.get("role"), str):
            self.messages.append(turn)  # the OpenAI names stand in some files
            self._open = False
            return
        if not isinstance(name, str) or "value" not in turn:
            raise InvalidMessageError(f'{place} lacks "from" or "value"; {_EXPECTED}')
        rest = {field: value for field, value in turn.items() if field not in {"from", "value"}}
        if rest.keys() & {"role", "content", "tool_calls", "tool_call_id"}:
            raise InvalidMessageError(f'{place} has fields of two formats: "from", and "role" or "content"')
        if name == _CALL and self._take_calls(turn["value"], rest):
            return
        role = _role(name)
        message = {"role": role, "content": turn["value"], **rest}
        if _NAMES.get(role) != name and role != name:
            message["from"] = name
        if role == "tool" and self._unanswered:
            message["tool_call_id"] = self._unanswered.popleft()
        self.messages.append(message)
        self._open = role == "assistant"

    def _take_calls(self, value: Any, rest: dict[str, Any]) -> bool:
        functions = _read_calls(value)
        if functions is None:
            return False
        calls = []
        self._unanswered.clear()
        for function in functions:
            self._calls += 1
            self._unanswered.append(f"call_{self._calls}")
            calls.append({"id": f"call_{self._calls}", "type": "function", "function": function})
        if self._open and not rest:
            self.messages[-1]["tool_calls"] = calls
        else:
            self.messages.append({"role": "assistant", "content": None, "tool_calls": calls, **rest})
        self._open = False
        return True


def _role(name: str) -> str:
    return "assistant" if name == _CALL else _ROLES.get(name, name)


def _read_calls(value: Any) -> list[dict[str, Any]] | None:
    """The functions that a turn calls, None when it is something else."""
    try:
        read = codec.decode(value) if isinstance(value, str) else value
    except DecodeError:
        return None
    functions = read if isinstance(read, list) else [read]
    if not functions or not all(isinstance(one, dict) and isinstance(one.get("name"), str) for one in functions):
        return None
    for function in functions:
        arguments = function.get("arguments", {})
        function["arguments"] = arguments if isinstance(arguments, str) else codec.encode(arguments).decode()
    return functions


def _encode(document: dict[str, Any], losses: Losses) -> dict[str, Any]:
    losses.sessions.update(name for name in document if name not in {"key", "messages"})
    turns = [turn for message in document["messages"] for turn in _encode_message(message, losses)]
    return {"id": document["key"], "conversations": turns}


def _encode_message(message: dict[str, Any], losses: Losses) -> Iterator[dict[str, Any]]:
    lost: set[str] = {name for name in message if name not in {"role", "content", "tool_calls", "from"}}
    role = message.get("role")
    role = role if isinstance(role, str) else ""
    name = message.get("from")
    if name is not None and (not isinstance(name, str) or _role(name) != role):
        lost.add("from")
        name = None
    text = _encode_content(message.get("content"), lost)
    functions = _encode_calls(message.get("tool_calls"), lost)
    losses.messages.update(lost)
    if text or not functions:
        yield {"from": name or _NAMES.get(role, role), "value": text}
    if functions:
        value = functions[0] if len(functions) == 1 else functions
        yield {"from": _CALL, "value": codec.encode(value).decode()}


def _encode_content(content: Any, lost: set[str]) -> str:
    """The text of a message. Parts that are no text have no place."""
    if content is None or isinstance(content, str):
        return content or ""
    parts: Iterable[Any] = content if isinstance(content, list) else [content]
    texts = []
    for part in parts:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            texts.append(part["text"])
            if part.keys() - {"type", "text"}:
                lost.add("content")
        else:
            lost.add("content")
    return "\n".join(texts)


def _encode_calls(calls: Any, lost: set[str]) -> list[dict[str, Any]]:
    functions = []
    for call in calls if isinstance(calls, list) else [calls] if calls is not None else []:
        function = call.get("function") if isinstance(call, dict) else None
        if not isinstance(function, dict) or not isinstance(function.get("name"), str):
            lost.add("tool_calls")
            continue
        lost.update(f"tool_calls.{name}" for name in call if name not in {"type", "function"})
        lost.update(f"tool_calls.function.{name}" for name in function if name not in {"name", "arguments"})
        functions.append({"name": function["name"], "arguments": _encode_arguments(function.get("arguments"))})
    return functions


def _encode_arguments(arguments: Any) -> Any:
    """Arguments as an object, which those who train expect, or as they are when they are none."""
    if not isinstance(arguments, str):
        return arguments if arguments is not None else {}
    try:
        value = codec.decode(arguments)
    except DecodeError:
        return arguments
    return value if isinstance(value, dict) else arguments


SHAREGPT = Format(
    name="sharegpt",
    description='a JSON array, or JSON Lines, of {"conversations": [{"from": "human", "value": "…"}, …]}',
    recognises=_recognises,
    read=_read,
    writer=Writer(
        encode=_encode,
        as_array=True,
        cannot_hold="summaries, metadata, aliases, times, ids of tool calls, contents other than text, names",
    ),
)
