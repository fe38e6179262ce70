"""What callers pass to a store, checked and copied, so that their objects stay theirs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final, Literal, TypeAlias

from sessionkit.codec import copy_json
from sessionkit.errors import InvalidMessageError
from sessionkit.keys import check_key
from sessionkit.messages import Message, as_messages
from sessionkit.sessions import UNCHANGED, Unchanged, check_time

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]

_MANY: Final = 2**53 - 1
"""The largest integer that every storage holds exactly: some count in doubles."""

AnyMessage: TypeAlias = Message | Mapping[str, Any]
"""A message, or the JSON object of one (a dict in the OpenAI chat format)."""


def checked_summary(summary: str) -> str:
    if not isinstance(summary, str):
        raise TypeError(f"a summary is a string, not {type(summary).__name__}")
    return str.__str__(summary)


def checked_count(count: int, name: str) -> int:
    """A number of messages as a plain int, no larger than any storage counts."""
    if type(count) is int and -_MANY <= count <= _MANY:
        return count
    if not isinstance(count, int):
        raise TypeError(f"{name} is a number of messages, not {type(count).__name__}")
    return max(min(int(count), _MANY), -_MANY)


def checked_fields(
    messages: Iterable[AnyMessage] | _Unchanged,
    summary: str | _Unchanged,
    metadata: Mapping[str, Any] | _Unchanged,
    aliases: Iterable[str] | _Unchanged,
    created: str | _Unchanged,
    updated: str | _Unchanged,
) -> dict[str, Any]:
    """The fields that are to change, copied, so that the caller's objects stay the caller's."""
    fields: dict[str, Any] = {}
    if messages is not UNCHANGED:
        fields["messages"] = as_messages(messages)
    if summary is not UNCHANGED:
        fields["summary"] = checked_summary(summary)
    if metadata is not UNCHANGED:
        if not isinstance(metadata, Mapping):
            raise InvalidMessageError(f"metadata is a JSON object, not {type(metadata).__name__}")
        fields["metadata"] = copy_json(dict(metadata), "metadata")
    if aliases is not UNCHANGED:
        fields["aliases"] = _checked_aliases(aliases)
    if created is not UNCHANGED:
        fields["created"] = check_time(created, "created")
    if updated is not UNCHANGED:
        fields["updated"] = check_time(updated, "updated")
    return fields


def _checked_aliases(aliases: Iterable[str]) -> tuple[str, ...]:
    if isinstance(aliases, str):
        raise TypeError("aliases is a list of strings, not one string")
    return tuple([check_key(alias) for alias in aliases])
