"""Which tool calls a message asks for, and which it answers, in the formats of several model providers.

=====================  ================================  ==========================================
format                 a call                            its result
=====================  ================================  ==========================================
OpenAI chat            ``tool_calls[].id``               role ``tool``, ``tool_call_id``
OpenAI responses       type ``…_call``, ``call_id``      type ``…_call_output``, ``call_id``
Anthropic messages     part of type ``…tool_use``,       part of type ``…tool_result``,
                       ``id``                            ``tool_use_id``
Bedrock converse       part ``toolUse.toolUseId``        part ``toolResult.toolUseId``
=====================  ================================  ==========================================

A result is a message of its own in the first two, and a part of a user's message in the others.
"""

from __future__ import annotations

from typing import Any

from sessionkit.messages import Message


def calls_in(message: Message) -> list[str]:
    """The ids of the calls that a message asks for; ``""`` for a call without one.

    >>> calls_in(Message.from_dict({"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_1"}]}))
    ['toolu_1']
    """
    ids = [call.id for call in message.tool_calls]
    if _kind(message).endswith("_call"):
        ids.append(_text(message.get("call_id")))
    for part in _parts(message):
        if _text(part.get("type")).endswith("tool_use"):
            ids.append(_text(part.get("id")))
        elif isinstance(use := part.get("toolUse"), dict):
            ids.append(_text(use.get("toolUseId")))
    return ids


def results_in(message: Message) -> list[str]:
    """The ids of the calls that a message answers; ``""`` for a result without one.

    >>> results_in(Message.from_dict({"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_1"}]}))
    ['toolu_1']
    """
    ids = []
    if message.role == "tool":
        ids.append(message.tool_call_id or "")
    if _kind(message).endswith("_call_output"):
        ids.append(_text(message.get("call_id")))
    for part in _parts(message):
        if _text(part.get("type")).endswith("tool_result"):
            ids.append(_text(part.get("tool_use_id")))
        elif isinstance(result := part.get("toolResult"), dict):
            ids.append(_text(result.get("toolUseId")))
    return ids


def _kind(message: Message) -> str:
    return _text(message.get("type"))


def _parts(message: Message) -> list[dict[str, Any]]:
    content = message.content
    return [part for part in content if isinstance(part, dict)] if isinstance(content, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
