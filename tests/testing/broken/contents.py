"""Stores that change what they keep."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any, Final

from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED, Version
from sessionkit.state import SessionState

from .registry import caught_by
from .sqlite import SqliteStore
from .stores import Changes, MemoryStore

_KNOWN: Final = {"role", "content", "tool_calls", "tool_call_id", "name", "created_at"}


class Rewriting(MemoryStore):
    """Passes each message through :meth:`rewrite` on its way into the store."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return message

    def append(self, state: SessionState, messages: Sequence[Message]) -> Version:
        return super().append(state, self._rewritten(messages))

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["messages"] is not UNCHANGED:
            changes["messages"] = self._rewritten(changes["messages"])
        return super().update(state, changes)

    def _rewritten(self, messages: Sequence[Message]) -> list[Message]:
        return [Message.from_dict(self.rewrite(message.to_dict())) for message in messages]


class RewritingTexts(Rewriting):
    """The same for the content of a message, where it is text."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        content = message.get("content")
        return message | ({"content": self.rewrite_text(content)} if isinstance(content, str) else {})

    def rewrite_text(self, text: str) -> str:
        return text


@caught_by("test_every_field_of_a_message_comes_back")
class DropsUnknownFields(Rewriting):
    """Has a column for each field that it knows, and no place for others."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in message.items() if name in _KNOWN}


@caught_by("test_every_field_of_a_message_comes_back")
class NullIsAbsent(Rewriting):
    """Leaves out fields that are null."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return {name: value for name, value in message.items() if value is not None}


@caught_by("test_every_field_of_a_message_comes_back")
class NumbersAreDoubles(Rewriting):
    """Keeps integers as doubles."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return _with_doubles(message)  # type: ignore[no-any-return] # an object is made of an object


@caught_by("test_any_json_object_comes_back_unchanged")
class RolesAreText(Rewriting):
    """Takes the role for text, whatever it is."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return message | ({"role": str(message["role"])} if "role" in message else {})


@caught_by("test_any_json_object_comes_back_unchanged")
class SortsFields(Rewriting):
    """Writes the fields of a message in the order of the alphabet."""

    def rewrite(self, message: dict[str, Any]) -> dict[str, Any]:
        return dict(sorted(message.items()))


@caught_by("test_text_of_every_kind_comes_back")
class NormalisesText(RewritingTexts):
    """Brings text into the composed normal form."""

    def rewrite_text(self, text: str) -> str:
        return unicodedata.normalize("NFC", text)


@caught_by("test_text_of_every_kind_comes_back")
class StripsText(RewritingTexts):
    """Removes white space around text."""

    def rewrite_text(self, text: str) -> str:
        return text.strip()


@caught_by("test_text_of_every_kind_comes_back")
class OneKindOfNewline(RewritingTexts):
    """Writes and reads through a file in text mode, which makes newlines of carriage returns."""

    def rewrite_text(self, text: str) -> str:
        return text.replace("\r\n", "\n").replace("\r", "\n")


@caught_by("test_text_of_every_kind_comes_back")
class ReplacesSurrogates(RewritingTexts):
    """Puts a question mark for what UTF-8 does not hold."""

    def rewrite_text(self, text: str) -> str:
        return text.encode("utf-8", "replace").decode()


@caught_by("test_text_of_every_kind_comes_back")
class EndsTextAtNul(RewritingTexts):
    """Keeps text as C does."""

    def rewrite_text(self, text: str) -> str:
        return text.partition("\0")[0]


@caught_by("test_a_large_message_comes_back")
class SixteenBitLengths(RewritingTexts):
    """Has room for 65,535 characters."""

    def rewrite_text(self, text: str) -> str:
        return text[:65_535]


@caught_by("test_metadata_comes_back_with_its_types")
class MetadataInDoubles(MemoryStore):
    """Keeps the numbers of metadata as doubles."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        return super().update(state, {**changes, "metadata": _with_doubles(changes["metadata"])})


@caught_by("test_aliases_come_back_in_order")
class AliasesAreASet(MemoryStore):
    """Keeps aliases as a set."""

    def update(self, state: SessionState, changes: Changes) -> Version:
        if changes["aliases"] is not UNCHANGED:
            changes["aliases"] = sorted(set(changes["aliases"]))
        return super().update(state, changes)


@caught_by("test_what_is_stored_can_be_read_without_the_backend")
class WritesAnotherName(SqliteStore):
    """Writes a field under another name, and undoes that when it reads."""

    def pack(self, document: dict[str, Any]) -> bytes:
        return super().pack(document).replace(b'"tool_calls"', b'"toolCalls"')

    def unpack(self, key: str, data: bytes) -> dict[str, Any]:
        return super().unpack(key, data.replace(b'"toolCalls"', b'"tool_calls"'))


@caught_by("test_what_was_stored_without_the_backend_can_be_read")
class ReadsOnlyItsOwn(SqliteStore):
    """Reads messages only in the way in which it writes them."""

    def pack(self, document: dict[str, Any]) -> bytes:
        return super().pack(document | {"messages": [{"body": message} for message in document["messages"]]})

    def unpack(self, key: str, data: bytes) -> dict[str, Any]:
        document = super().unpack(key, data)
        return document | {"messages": [message["body"] for message in document["messages"] if "body" in message]}


def _with_doubles(value: Any) -> Any:
    if type(value) is int:
        return float(value)
    if isinstance(value, list):
        return [_with_doubles(item) for item in value]
    return {name: _with_doubles(item) for name, item in value.items()} if isinstance(value, dict) else value
