"""``SessionDocument``: one conversation as it stands in a file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import attrs

from sessionkit import codec
from sessionkit.errors import InvalidMessageError
from sessionkit.keys import check_key
from sessionkit.messages import Message
from sessionkit.sessions import Session

EXPECTED = 'expected {"key": "…", "messages": [{"role": "…", "content": "…"}, …]}'
"""What a conversation looks like, for errors."""

_FIELDS = frozenset({"key", "messages", "summary", "metadata", "aliases", "created", "updated"})
_KINDS = {dict: "an object", list: "an array", str: "a string", int: "a number", float: "a number", bool: "a boolean"}


@attrs.frozen(kw_only=True)
class SessionDocument:
    """One conversation as it stands in a file: what a session holds, without what belongs to a store.

    Attributes:
        key: the session's name; a document may call it ``id`` instead.
        messages: the whole history, oldest first.
        summary: ``""`` when there is none.
        metadata: a JSON object.
        aliases: other names of the session.
        created: RFC 3339, kept digit for digit; ``""`` when the document does not say.
        updated: likewise.
        unknown_fields: names of fields that no session has. They are told, and not imported.
    """

    key: str
    messages: tuple[Message, ...]
    summary: str = ""
    metadata: dict[str, Any] = attrs.field(factory=dict)
    aliases: tuple[str, ...] = ()
    created: str = ""
    updated: str = ""
    unknown_fields: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Read a conversation from its JSON object. A field that is null counts as left out.

        Raises:
            InvalidKeyError: the key is not one.
            InvalidMessageError: a field is missing, or holds something else than it should; it is named.

        >>> document = SessionDocument.from_dict({"id": "a", "messages": [], "reward": 1})
        >>> document.key, document.unknown_fields
        ('a', ('reward',))
        """
        if not isinstance(data, Mapping):
            raise InvalidMessageError(f"a conversation is an object, not {_kind(data)}; {EXPECTED}")
        name = "key" if "key" in data else "id"
        return cls(
            key=_read_key(data, name),
            messages=_read_messages(data),
            summary=_read(data, "summary", str) or "",
            metadata=_read(data, "metadata", dict) or {},
            aliases=_read_aliases(data),
            created=_read(data, "created", str) or "",
            updated=_read(data, "updated", str) or "",
            unknown_fields=tuple(field for field in data if field not in _FIELDS and field != name),
        )

    @classmethod
    def from_session(cls, session: Session) -> Self:
        """The document of a session that was read with all its messages."""
        return cls(
            key=session.key,
            messages=session.messages,
            summary=session.summary,
            metadata=session.metadata,
            aliases=session.aliases,
            created=session.created,
            updated=session.updated,
        )

    def to_dict(self) -> dict[str, Any]:
        """The JSON object. Empty fields are left out, except ``messages``.

        >>> SessionDocument(key="a", messages=(), summary="Greetings.").to_dict()
        {'key': 'a', 'messages': [], 'summary': 'Greetings.'}
        """
        document: dict[str, Any] = {"key": self.key, "messages": [message.to_dict() for message in self.messages]}
        others = {
            "summary": self.summary,
            "metadata": codec.copy_json(self.metadata),
            "aliases": list(self.aliases),
            "created": self.created,
            "updated": self.updated,
        }
        return document | {name: value for name, value in others.items() if value}

    def same_content(self, session: Session) -> bool:
        """Whether a session holds exactly this: messages, summary, metadata and aliases. Times are no content."""
        return (
            self.summary == session.summary
            and self.aliases == session.aliases
            and self.messages == session.messages
            and same_json(self.metadata, session.metadata)
            and all(
                same_json(mine.to_dict(), theirs.to_dict())
                for mine, theirs in zip(self.messages, session.messages, strict=True)
            )
        )


def same_json(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON. Python's ``==`` is not enough: it takes ``true`` for ``1``.

    >>> same_json({"a": 1, "b": None}, {"b": None, "a": 1}), same_json([1], [True]), same_json({"a": None}, {})
    (True, False, False)
    """
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same_json(value, other[name]) for name, value in one.items())
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same_json, one, other))
    return bool(one == other)


def _read_key(data: Mapping[str, Any], name: str) -> str:
    if name not in data:
        raise InvalidMessageError(f'it has neither "key" nor "id"; {EXPECTED}')
    key = data[name]
    if not isinstance(key, str):
        raise InvalidMessageError(f'"{name}" is {_kind(key)}; a session\'s key is a string')
    check_key(key)
    return key


def _read_messages(data: Mapping[str, Any]) -> tuple[Message, ...]:
    if "messages" not in data:
        raise InvalidMessageError(f'it has no "messages"; {EXPECTED}')
    items = data["messages"]
    if not isinstance(items, list):
        raise InvalidMessageError(f'"messages" is {_kind(items)}; it is an array of message objects')
    for index, item in enumerate(items):
        if not isinstance(item, dict):
            raise InvalidMessageError(
                f'"messages"[{index}] is {_kind(item)}; each message is an object such as '
                '{"role": "user", "content": "hello"}'
            )
    return tuple([Message.from_dict(item) for item in items])


def _read_aliases(data: Mapping[str, Any]) -> tuple[str, ...]:
    aliases = _read(data, "aliases", list) or []
    for index, alias in enumerate(aliases):
        if not isinstance(alias, str):
            raise InvalidMessageError(f'"aliases"[{index}] is {_kind(alias)}; each alias is a string')
    return tuple(aliases)


def _read(data: Mapping[str, Any], name: str, kind: type) -> Any:
    value = data.get(name)
    if value is not None and not isinstance(value, kind):
        raise InvalidMessageError(f'"{name}" is {_kind(value)}; it is {_KINDS[kind]}')
    return value


def _kind(value: object) -> str:
    return "null" if value is None else _KINDS.get(type(value), f"a {type(value).__name__}")
