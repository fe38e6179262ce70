"""Which tool calls a message asks for, and which it answers, in the formats of several model providers.

=====================  ======================================  ==========================================
format                 a call                                  its result
=====================  ======================================  ==========================================
OpenAI chat            ``tool_calls[]``: ``id``, ``function``  role ``tool``, ``tool_call_id``
OpenAI responses       type ``…_call``, ``call_id``            type ``…_call_output``, ``call_id``
Anthropic messages     part of type ``…tool_use``, ``id``      part of type ``…tool_result``, ``tool_use_id``
Bedrock converse       part ``toolUse``, ``toolUseId``         part ``toolResult``, ``toolUseId``
=====================  ======================================  ==========================================

Calls and results stand beside the content of a message in the first two formats, and are parts of it in the others,
results in messages of the user.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, TypeVar

from msgspec import Struct, field

from sessionkit.messages import Message, ToolCall

_ARGUMENTS: Final = ("arguments", "input", "action")
"""Where the items of OpenAI's responses have what a tool is given: functions, tools of one's own, computers."""


class Call(Struct, frozen=True):
    """A call that a message asks for.

    Attributes:
        id: what its result refers to; ``""`` when there is none.
        name: the tool's; ``""`` when there is none.
        arguments: JSON in a string, as the model wrote it, or decoded; None when there are none.
        further: what else stands in it.
    """

    id: str
    name: str
    arguments: Any
    further: Mapping[str, Any] = field(default_factory=dict)


class Result(Struct, frozen=True):
    """What came of a call.

    Attributes:
        id: the call's; None when it does not say which: then it answers none.
        content: a text, a list of parts, or whatever else it is.
        further: what else stands in it.
    """

    id: str | None
    content: Any
    further: Mapping[str, Any] = field(default_factory=dict)


def calls_in(message: Message) -> list[Call]:
    """The calls that a message asks for.

    >>> use = {"type": "tool_use", "id": "toolu_1", "name": "add", "input": {"a": 2}}
    >>> [(call.id, call.name) for call in calls_in(Message.from_dict({"role": "assistant", "content": [use]}))]
    [('toolu_1', 'add')]
    """
    return [*calls_beside(message), *_of_parts(message, call_in)]


def results_in(message: Message) -> list[Result]:
    """What a message tells of the results of calls.

    >>> answer = {"type": "tool_result", "tool_use_id": "toolu_1", "content": "5"}
    >>> [(result.id, result.content) for result in results_in(Message.from_dict({"role": "user", "content": [answer]}))]
    [('toolu_1', '5')]
    """
    beside = result_beside(message)
    return [*([] if beside is None else [beside]), *_of_parts(message, result_in)]


def calls_beside(message: Message) -> list[Call]:
    """The calls that stand beside the content of a message."""
    calls = [_of_chat(call) for call in message.tool_calls]
    if _kind(message).endswith("_call"):
        arguments = next((message.get(name) for name in _ARGUMENTS if message.get(name) is not None), None)
        calls.append(Call(_text(message.get("call_id")), message.name or "", arguments))
    return calls


def result_beside(message: Message) -> Result | None:
    """The result that a message is, if it is one."""
    if message.role == "tool":
        return Result(message.tool_call_id, message.content)
    if _kind(message).endswith("_call_output"):
        return Result(_id(message.get("call_id")), message.get("output"))
    return None


def call_in(part: Mapping[str, Any]) -> Call | None:
    """The call that a part of a content is, if it is one."""
    if _text(part.get("type")).endswith("tool_use"):
        return _call(part, "id")
    use = part.get("toolUse")
    return _call({**_without(part, "toolUse"), **use}, "toolUseId") if isinstance(use, dict) else None


def result_in(part: Mapping[str, Any]) -> Result | None:
    """The result that a part of a content is, if it is one."""
    if _text(part.get("type")).endswith("tool_result"):
        return _result(part, "tool_use_id")
    result = part.get("toolResult")
    return _result({**_without(part, "toolResult"), **result}, "toolUseId") if isinstance(result, dict) else None


_Found = TypeVar("_Found")


def _of_parts(message: Message, find: Callable[[Mapping[str, Any]], _Found | None]) -> list[_Found]:
    content = message.content
    if not isinstance(content, list):
        return []
    return [found for part in content if isinstance(part, dict) and (found := find(part)) is not None]


def _of_chat(call: ToolCall) -> Call:
    data = call.to_dict()
    function = data.get("function")
    further = _without(data, "id", "type", "function") if isinstance(function, dict) else _without(data, "id", "type")
    inner = function if isinstance(function, dict) else {}
    return Call(call.id, call.name, inner.get("arguments"), further | _without(inner, "name", "arguments"))


def _call(data: Mapping[str, Any], identity: str) -> Call:
    further = _without(data, "type", identity, "name", "input")
    return Call(_text(data.get(identity)), _text(data.get("name")), data.get("input"), further)


def _result(data: Mapping[str, Any], identity: str) -> Result:
    return Result(_id(data.get(identity)), data.get("content"), _without(data, "type", identity, "content"))


def _without(data: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name not in names}


def _kind(message: Message) -> str:
    return _text(message.get("type"))


def _id(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
