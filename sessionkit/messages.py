"""``Message`` and its parts: immutable typed views over the JSON objects that are stored.

A view keeps the whole object as it came, so that nothing is lost by reading a message and writing it again:
fields that nobody has heard of, null against absent, the digits of a timestamp. The typed properties are for
reading; a field of an unexpected type reads as if it were absent, and is kept all the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from typing import Any, Self

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidMessageError


@attrs.frozen(init=False, hash=False, repr=False)
class _View:
    """An immutable view over one JSON object. Never hand out `_data` or anything inside it: copy."""

    _data: dict[str, Any]

    def __init__(self, data: Mapping[str, Any]) -> None:
        """The same as :meth:`from_dict`."""
        _set_data(self, _copy_object(data, type(self).__name__, type(self).__name__.lower()))

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make one from a JSON object, which is copied.

        Raises:
            InvalidMessageError: it is not a JSON object (the place inside it is named).
        """
        return cls(data)

    @classmethod
    def adopt(cls, data: dict[str, Any]) -> Self:
        """Make one of a dict that the caller gives up: it is neither checked nor copied.

        For backends that decode in bulk. The dict must come from :mod:`sessionkit.codec`.
        """
        view = cls.__new__(cls)
        _set_data(view, data)
        return view

    @classmethod
    def adopt_all(cls, data: Sequence[dict[str, Any]]) -> list[Self]:
        """Make many as :meth:`adopt` makes one, in a fifth of the time."""
        views: list[Self] = list(map(object.__new__, repeat(cls, len(data))))
        deque(map(_set_data, views, data), maxlen=0)
        return views

    def to_dict(self) -> dict[str, Any]:
        """The JSON object, as a copy that the caller may change."""
        copied: dict[str, Any] = codec.copy_decoded(self._data)
        return copied

    def get(self, name: str, default: Any = None) -> Any:
        """A field by its name in JSON, as a copy; for the fields that have no property here."""
        return codec.copy_decoded(self._data[name]) if name in self._data else default

    def _text(self, name: str) -> str:
        value = self._data.get(name)
        return value if isinstance(value, str) else ""

    def _optional_text(self, name: str) -> str | None:
        value = self._data.get(name)
        return value if isinstance(value, str) else None

    def _objects(self, name: str) -> list[dict[str, Any]]:
        value = self._data.get(name)
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []

    def __hash__(self) -> int:
        return hash(frozenset(self._data))

    def __repr__(self) -> str:
        return f"{type(self).__name__}.from_dict({self._data!r})"


_set_data = vars(_View)["_data"].__set__  # a frozen class sets no attributes; this is what its slot offers


def _copy_object(data: Any, kind: str, path: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidMessageError(f"{path} is of type {type(data).__name__}; a {kind} is made of a JSON object")
    copied: dict[str, Any] = codec.copy_json(data, path)
    return copied


class FunctionCall(_View):
    """The function that a tool call names, with its arguments as JSON in a string."""

    __slots__ = ()

    @property
    def name(self) -> str:
        """The function's name, ``""`` when there is none."""
        return self._text("name")

    @property
    def arguments(self) -> str:
        """The arguments as the model wrote them: JSON in a string, not always valid."""
        return self._text("arguments")


class ToolCall(_View):
    """One call that an assistant message asks for.

    >>> ToolCall.from_dict({"id": "call_1", "function": {"name": "add", "arguments": "{}"}}).name
    'add'
    """

    __slots__ = ()

    @property
    def id(self) -> str:
        """The id that the result refers to. Unique only within its turn: some models number from 0 each time."""
        return self._text("id")

    @property
    def type(self) -> str:
        """The kind of call, ``"function"`` as a rule; ``""`` when there is none."""
        return self._text("type")

    @property
    def function(self) -> FunctionCall:
        """The function called; an empty one when the object has none."""
        function = self._data.get("function")
        return FunctionCall.adopt(function if isinstance(function, dict) else {})

    @property
    def name(self) -> str:
        """The called function's name."""
        return self.function.name

    @property
    def arguments(self) -> str:
        """The arguments: JSON in a string."""
        return self.function.arguments


class Attachment(_View):
    """A file that came with a message (picoclaw's ``attachments``)."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """The kind of attachment."""
        return self._text("type")

    @property
    def ref(self) -> str:
        """The reference under which the program keeps the file."""
        return self._text("ref")

    @property
    def url(self) -> str:
        """Where the file can be had."""
        return self._text("url")

    @property
    def filename(self) -> str:
        """The name that the sender gave it."""
        return self._text("filename")

    @property
    def content_type(self) -> str:
        """The MIME type."""
        return self._text("content_type")


class SystemPart(_View):
    """One part of a system prompt that is cached by itself (picoclaw's ``system_parts``)."""

    __slots__ = ()

    @property
    def type(self) -> str:
        """The kind of part, ``"text"`` as a rule."""
        return self._text("type")

    @property
    def text(self) -> str:
        """The text of the part."""
        return self._text("text")


class Message(_View):
    """One message of a conversation, in the OpenAI chat format with picoclaw's additions.

    Immutable and equal by value, as Python compares values (1, 1.0 and True are equal). Any JSON object can be
    one, and comes out as it went in.

    >>> m = Message.from_dict({"role": "user", "content": "hello", "x-trace": [1, None]})
    >>> m.role, m.content
    ('user', 'hello')
    >>> m.evolve(content="bye").to_dict()
    {'role': 'user', 'content': 'bye', 'x-trace': [1, None]}
    """

    __slots__ = ()

    @classmethod
    def simple(cls, role: str, content: str) -> Self:
        """A message of a role and a text.

        >>> Message.simple("user", "hello").to_dict()
        {'role': 'user', 'content': 'hello'}
        """
        if not isinstance(role, str) or not isinstance(content, str):
            raise TypeError("role and content are strings; use add_full_message for other contents")
        return cls.adopt({"role": codec.plain_text(role), "content": codec.plain_text(content)})

    @classmethod
    def from_json(cls, data: bytes | str) -> Self:
        """Decode a message from one JSON object.

        Raises:
            DecodeError: the data is not JSON, not an object, or nested too deeply.
        """
        value = codec.decode(data)
        if type(value) is not dict:
            raise DecodeError(f"a message is a JSON object, not {type(value).__name__}")
        codec.check_depth(value, data)
        return cls.adopt(value)

    def to_json(self) -> bytes:
        """Encode as compact JSON in one line, without a newline at its end."""
        return codec.encode(self._data)

    def evolve(self, /, **changes: Any) -> Self:
        """A changed copy: each keyword sets a field of the JSON object.

        >>> m = Message.simple("assistant", "").evolve(tool_calls=[ToolCall.from_dict({"id": "call_1"})])
        >>> m.to_dict()
        {'role': 'assistant', 'content': '', 'tool_calls': [{'id': 'call_1'}]}
        """
        return type(self)({**self._data, **{name: _unwrap(value) for name, value in changes.items()}})

    @property
    def role(self) -> str:
        """Who speaks: ``system``, ``user``, ``assistant``, ``tool``, …; ``""`` when there is none."""
        return self._text("role")

    @property
    def content(self) -> str | list[Any] | None:
        """What is said: a text, a list of content parts (a copy), or None."""
        value = self._data.get("content")
        if isinstance(value, str):
            return value
        return codec.copy_decoded(value) if isinstance(value, list) else None

    @property
    def text(self) -> str:
        """The content as text: the text parts of a list, joined; ``""`` for None."""
        value = self._data.get("content")
        if isinstance(value, str):
            return value
        return "".join(part["text"] for part in self._objects("content") if isinstance(part.get("text"), str))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The calls that an assistant message asks for."""
        return tuple(ToolCall.adopt(call) for call in self._objects("tool_calls"))

    @property
    def tool_call_id(self) -> str | None:
        """On a tool message: the id of the call that it answers."""
        return self._optional_text("tool_call_id")

    @property
    def name(self) -> str | None:
        """The speaker's or the tool's name."""
        return self._optional_text("name")

    @property
    def media(self) -> tuple[str, ...]:
        """References of media (picoclaw)."""
        value = self._data.get("media")
        return tuple(item for item in value if isinstance(item, str)) if isinstance(value, list) else ()

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """Files that came with the message (picoclaw)."""
        return tuple(Attachment.adopt(item) for item in self._objects("attachments"))

    @property
    def reasoning_content(self) -> str | None:
        """What the model thought before it answered."""
        return self._optional_text("reasoning_content")

    @property
    def system_parts(self) -> tuple[SystemPart, ...]:
        """The parts of a system prompt (picoclaw)."""
        return tuple(SystemPart.adopt(item) for item in self._objects("system_parts"))

    @property
    def model_name(self) -> str | None:
        """The model that wrote the message."""
        return self._optional_text("model_name")

    @property
    def created_at(self) -> str | None:
        """When it was written: RFC 3339, kept digit for digit."""
        return self._optional_text("created_at")

    def __hash__(self) -> int:
        content = self._data.get("content")
        return hash((self.role, self.tool_call_id, content if isinstance(content, str) else None))


def _unwrap(value: Any) -> Any:
    """The JSON value of what a property gave: of a view, of several."""
    if isinstance(value, _View):
        return value._data
    return [_unwrap(item) for item in value] if isinstance(value, (list, tuple)) else value


def borrow_objects(messages: Iterable[Message]) -> list[dict[str, Any]]:
    """The JSON objects of messages themselves, not copied: to be encoded at once, and neither changed nor kept.

    >>> borrow_objects([Message.simple("user", "hello")])
    [{'role': 'user', 'content': 'hello'}]
    """
    return [message._data for message in messages]


def as_message(value: Message | Mapping[str, Any]) -> Message:
    """The message itself, or one made from a JSON object; one of a subclass as a plain one, as it will be read.

    Raises:
        InvalidMessageError: it is neither.
    """
    if type(value) is Message:
        return value
    return Message.adopt(value._data) if isinstance(value, Message) else Message(value)


def as_messages(values: Iterable[Message | Mapping[str, Any]]) -> tuple[Message, ...]:
    """A batch as a tuple of messages; a single message in place of a batch is an error.

    Raises:
        InvalidMessageError: one of them is no message; its position is named.
    """
    if isinstance(values, (Message, Mapping, str, bytes)):
        raise TypeError(f"messages is a list of messages, not one {type(values).__name__}")
    return tuple(
        [value if type(value) is Message else _plain(value, f"messages[{index}]") for index, value in enumerate(values)]
    )


def _plain(value: Message | Mapping[str, Any], path: str) -> Message:
    return Message.adopt(value._data if isinstance(value, Message) else _copy_object(value, "message", path))
