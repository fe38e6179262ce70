"""Items of OpenAI's Responses API as chat messages, with nothing lost.

Items that belong to one answer of the model (reasoning, text, calls) become one assistant message, so that the results
of its calls follow it, as chat models demand. What a chat message has no place for stays in its field
``responses_items``: the rest of an item, with its type, or the whole item.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

REST: Final = "responses_items"
"""The field of a message that keeps what chat messages have no place for."""

_CALLS: Final = {
    "function_call": ("function", "arguments"),
    "custom_tool_call": ("custom", "input"),
}
_OUTPUTS: Final = frozenset({"function_call_output", "custom_tool_call_output"})


def messages_of(items: Iterable[tuple[dict[str, Any], str]]) -> Iterator[dict[str, Any]]:
    """The chat messages of items, which are given up by the caller.

    Args:
        items: each with its time, ``""`` when nobody knows it. The first of a message becomes its ``created_at``.

    >>> list(messages_of([({"type": "function_call_output", "call_id": "c", "output": "4"}, "")]))
    [{'role': 'tool', 'content': '4', 'tool_call_id': 'c'}]
    """
    answer = _Answer()
    for item, created in items:
        kind = _kind(item)
        own = _own_message(kind, item)
        if own is None:
            if answer.ends_before(kind):
                yield from answer.taken()
            answer.add(kind, item, created)
            continue
        yield from answer.taken()
        if created:
            own["created_at"] = created
        yield own
    yield from answer.taken()


def _kind(item: dict[str, Any]) -> str:
    kind = item.get("type")
    if kind is None:
        kind = "message" if isinstance(item.get("role"), str) and "content" in item else ""
    return kind if isinstance(kind, str) else ""


def _own_message(kind: str, item: dict[str, Any]) -> dict[str, Any] | None:
    """The message of an item that is one by itself; None when it belongs to the model's answer."""
    if kind == "message" and _is_message(item) and item["role"] != "assistant":
        message = {"role": item.pop("role"), "content": _parts(item.pop("content"))}
    elif kind in _OUTPUTS and isinstance(item.get("call_id"), str) and isinstance(item.get("output"), str | list):
        message = {"role": "tool", "content": _parts(item.pop("output")), "tool_call_id": item.pop("call_id")}
    else:
        return None
    if item.keys() - {"type"} or kind == "custom_tool_call_output":
        message[REST] = [item]
    return message


def _is_message(item: dict[str, Any]) -> bool:
    return isinstance(item.get("role"), str) and isinstance(item.get("content"), str | list)


class _Answer:
    """The assistant message that is being put together."""

    def __init__(self) -> None:
        self._message: dict[str, Any] = {}
        self._rest: list[dict[str, Any]] = []

    def ends_before(self, kind: str) -> bool:
        """Whether an item of this kind begins another answer. Calls wait for their results: nothing ends them."""
        if self._message.get("tool_calls"):
            return False
        return kind in {"message", "reasoning"} and self._message.get("content") is not None

    def add(self, kind: str, item: dict[str, Any], created: str) -> None:
        """Take an item of the model's answer, or one that chats do not know."""
        if not self._message:
            self._message = {"role": "assistant", "content": None}
            if created:
                self._message["created_at"] = created
        if kind == "message" and _is_message(item):
            self._add_text(item)
        elif kind in _CALLS and self._add_call(kind, item):
            pass
        else:
            if kind == "reasoning":
                self._add_reasoning(item)
            self._rest.append(item)

    def taken(self) -> Iterator[dict[str, Any]]:
        """The message, if there is one; the next item begins another."""
        if not self._message:
            return
        message, rest = self._message, self._rest
        self._message, self._rest = {}, []
        if message["content"] is None and "tool_calls" not in message:
            message["content"] = ""
        if rest:
            message[REST] = rest
        yield message

    def _add_text(self, item: dict[str, Any]) -> None:
        del item["role"]
        content = _simplified(_parts(item.pop("content")))
        before = self._message["content"]
        if before is not None:
            content = _listed(before) + _listed(content)
        self._message["content"] = content
        if item.keys() - {"type"}:
            self._rest.append(item)

    def _add_call(self, kind: str, item: dict[str, Any]) -> bool:
        field, argument = _CALLS[kind]
        if not all(isinstance(item.get(name), str) for name in ("call_id", "name", argument)):
            return False
        call_id = item["call_id"]
        function = {"name": item.pop("name"), argument: item.pop(argument)}
        calls = self._message.setdefault("tool_calls", [])
        calls.append({"id": call_id, "type": field, field: function})
        if item.keys() - {"type", "call_id"}:
            self._rest.append(item)  # with its call_id, which tells whose rest this is
        return True

    def _add_reasoning(self, item: dict[str, Any]) -> None:
        """The readable part, where other models have theirs. The item itself stays whole: it may be signed."""
        parts = [item.get(name) for name in ("summary", "content")]
        texts = [
            part["text"]
            for some in parts
            if isinstance(some, list)
            for part in some
            if isinstance(part, dict) and isinstance(part.get("text"), str)
        ]
        if texts:
            before = self._message.get("reasoning_content")
            self._message["reasoning_content"] = "\n\n".join([before, *texts] if before else texts)


def _parts(content: str | list[Any]) -> str | list[Any]:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: Any) -> Any:
    """A part of a content as chat messages have it; one that they do not know as it is."""
    kind = part.get("type") if isinstance(part, dict) else None
    if kind in {"input_text", "output_text"} and isinstance(part.get("text"), str):
        rest = {name: value for name, value in part.items() if name not in {"type", "text"} and value != []}
        return {"type": "text", "text": part["text"], **rest}
    if kind == "input_image" and isinstance(part.get("image_url"), str):
        image = {"url": part["image_url"]}
        if part.get("detail") is not None:
            image["detail"] = part["detail"]
        return {"type": "image_url", "image_url": image, **_without(part, "type", "image_url", "detail")}
    if kind == "input_file" and part.keys() & {"file_id", "file_data"}:
        file = {name: part[name] for name in ("file_id", "file_data", "filename") if name in part}
        return {"type": "file", "file": file, **_without(part, "type", *file)}
    return part


def _without(part: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in part.items() if name not in names}


def _simplified(content: str | list[Any]) -> str | list[Any]:
    """A single text as a string, as chat models answer."""
    if len(content) == 1 and isinstance(content[0], dict) and content[0].keys() == {"type", "text"}:
        text = content[0]["text"]
        return text if isinstance(text, str) else content
    return content


def _listed(content: str | list[Any]) -> list[Any]:
    return [{"type": "text", "text": content}] if isinstance(content, str) else content
