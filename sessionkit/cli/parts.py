"""What a message is made of, in the order in which people read it; how each part looks is another's affair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final, Literal, TypeAlias

import attrs

from sessionkit import codec
from sessionkit.calls import Call, Result, call_in, calls_beside, result_beside, result_in
from sessionkit.cli.neutral import visible_json, visible_lines
from sessionkit.errors import DecodeError

if TYPE_CHECKING:
    from sessionkit.messages import Message

Kind: TypeAlias = Literal["reasoning", "text", "attachment", "result", "call", "field"]

_SHOWN_ELSEWHERE: Final = frozenset(
    {"role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content", "created_at", "model_name"}
)
_SHOWN_OF_ITEMS: Final = frozenset({"call_id", "arguments", "input", "action", "output"})
"""Fields of the items of OpenAI's responses that are calls or results."""

_RESULT_LINES: Final = 12
_REASONING_LINES: Final = 6
_LINE_LENGTH: Final = 2000
_VALUE_LENGTH: Final = 200


@attrs.frozen
class Part:
    """A part of a message, as it is stored: nothing in it is harmless yet but what :meth:`lines` returns.

    Attributes:
        kind: ``text`` is what was said; ``call`` a tool call and ``result`` what came of one; ``attachment`` what else
            stands in the content; ``field`` what has no place of its own.
        text: what there is to read; of a call its arguments.
        title: the name of the tool that is called, or of the field.
        note: the id of a call; of a result that is a part of a content, that of its call.
    """

    kind: Kind
    text: str
    title: str = ""
    note: str = ""

    def lines(self, *, full: bool = False) -> list[str]:
        """The text in harmless lines. JSON of calls and results is indented, and what is long shortened.

        Args:
            full: nothing is shortened.

        >>> Part("call", '{"a":[1]}').lines()
        ['{', '  "a": [', '    1', '  ]', '}']
        >>> Part("result", "x\\n" * 20).lines()[-1]
        '… 9 more lines'
        """
        lines = _pretty_lines(self.text) if self.kind in {"call", "result"} else visible_lines(self.text)
        if full or self.kind in {"text", "call"}:
            return lines
        if self.kind in {"attachment", "field"}:
            return [_cut(line, _VALUE_LENGTH) for line in lines]
        most = _RESULT_LINES if self.kind == "result" else _REASONING_LINES
        if len(lines) > most:
            lines = [*lines[:most], f"… {len(lines) - most:,} more lines"]
        return [_cut(line, _LINE_LENGTH) for line in lines]


def parts_of(message: Message) -> Iterator[Part]:
    """The parts of a message. Nothing that is stored is left out but role, names, ids and times of its head."""
    if message.reasoning_content:
        yield Part("reasoning", message.reasoning_content)
    yield from _content(message)
    beside = calls_beside(message)
    for call in beside:
        yield from _call(call)
    item = None if message.role == "tool" else result_beside(message)
    if item is not None:
        yield from _result(item)
    shown = _SHOWN_OF_ITEMS if item is not None or len(beside) > len(message.tool_calls) else frozenset()
    rest = {name: value for name, value in message.to_dict().items() if name not in shown}
    yield from _fields({name: value for name, value in rest.items() if not _has_place(name, value)})


def _has_place(name: str, value: Any) -> bool:
    """Whether a field has a place, and is of the type that this shows; any other is shown like an unknown one."""
    if name not in _SHOWN_ELSEWHERE:
        return False
    if name == "tool_calls":
        return isinstance(value, list) and all(isinstance(call, dict) for call in value)
    return isinstance(value, (str, list)) if name == "content" else isinstance(value, str)


def _content(message: Message) -> Iterator[Part]:
    content = message.content
    kind: Kind = "result" if message.role in {"tool", "function"} else "text"
    if isinstance(content, str):
        if content:
            yield Part(kind, content)
        return
    for item in content or ():
        if not isinstance(item, dict):
            yield Part("attachment", visible_json(item))
        elif isinstance(item.get("text"), str):
            yield Part(kind, item["text"])
        elif (call := call_in(item)) is not None:
            yield from _call(call)
        elif (result := result_in(item)) is not None:
            yield from _result(result)
        else:
            yield Part("attachment", visible_json(item))


def _call(call: Call) -> Iterator[Part]:
    yield Part("call", _as_text(call.arguments), title=call.name, note=call.id)
    yield from _fields(call.further)


def _result(result: Result) -> Iterator[Part]:
    content = result.content
    if isinstance(content, list):
        for item in content:
            is_text = isinstance(item, dict) and isinstance(item.get("text"), str)
            yield Part("result", item["text"] if is_text else visible_json(item), note=result.id or "")
    else:
        yield Part("result", _as_text(content), note=result.id or "")
    yield from _fields(result.further)


def _as_text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else visible_json(value)


def _fields(values: Mapping[str, Any]) -> Iterator[Part]:
    for name, value in values.items():
        if value not in (None, "", [], {}):
            yield Part("field", visible_json(value), title=name)


def _pretty_lines(text: str) -> list[str]:
    """JSON objects and arrays indented; any other text as it is. Models do not always write valid JSON."""
    try:
        value = codec.decode(text)
    except DecodeError:
        return visible_lines(text)
    if not isinstance(value, (dict, list)):
        return visible_lines(text)
    return visible_lines(codec.encode_pretty(value).decode("utf-8"))


def _cut(line: str, most: int) -> str:
    return line if len(line) <= most else f"{line[:most]}… ({len(line):,} characters)"
