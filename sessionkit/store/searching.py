"""Searching the sessions of a store: what cannot hold the text is left out early, and all else is decoded."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final

import attrs

from sessionkit.calls import calls_in, result_beside, result_in
from sessionkit.errors import StoreError, VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import Heading
from sessionkit.sieve import Sieve, literal_pieces, sieve_for
from sessionkit.store.content import MARK
from sessionkit.store.paging import messages_of
from sessionkit.store.runtime import Runtime

_PAGE: Final = 1000


@attrs.frozen
class Match:
    """A text in which something was found.

    Attributes:
        key: the session.
        place: ``key``, ``summary``, ``content``, ``reasoning``, ``tool`` (the name of a called tool) or ``arguments``.
        text: all of the text.
        spans: where in it; none is empty.
        position: of the message, 0 at the oldest; None when it is not in a message.
        role: of the message.
    """

    key: str
    place: str
    text: str
    spans: tuple[tuple[int, int], ...]
    position: int | None = None
    role: str = ""


@attrs.frozen
class Query:
    """What is looked for.

    Attributes:
        pattern: it, as a regular expression.
        role: only messages of this role, and nothing but messages.
        sieve: leaves out early what cannot hold it; None when every message must be decoded.
    """

    pattern: re.Pattern[str]
    role: str | None
    sieve: Sieve | None

    @classmethod
    def of(cls, text: str, *, regex: bool, ignore_case: bool, role: str | None) -> Query:
        """Raises ``ValueError`` when the text is empty, or no regular expression and meant to be one."""
        if not text:
            raise ValueError("the text to look for is empty")
        try:
            pattern = re.compile(text if regex else re.escape(text), re.IGNORECASE if ignore_case else 0)
        except re.error as error:
            raise ValueError(f"the regular expression is not one: {error}") from None
        pieces = literal_pieces(text) if regex else [text]
        # What an extension encoded carries its mark, and tells nothing by its bytes.
        sieve = sieve_for(pieces, ignore_case=ignore_case, also=[MARK.encode("ascii")])
        return cls(pattern, role, sieve)

    def of_session(self, info: Heading) -> Iterator[Match]:
        """What is found in a session besides its messages."""
        if self.role is None:
            for place, text in (("key", info.key), ("summary", info.summary)):
                if spans := self._spans(text):
                    yield Match(info.key, place, text, spans)

    def of_message(self, key: str, position: int, message: Message) -> Iterator[Match]:
        """What is found in a message."""
        if self.role is None or self.role == message.role:
            for place, text in _texts(message):
                if spans := self._spans(text):
                    yield Match(key, place, text, spans, position, message.role)

    def _spans(self, text: str) -> tuple[tuple[int, int], ...]:
        return tuple([found.span() for found in self.pattern.finditer(text) if found.end() > found.start()])


def search_session(runtime: Callable[[], Runtime], query: Query, info: Heading) -> Iterator[Match]:
    """What is found in a session, in bounded memory.

    Raises:
        VersionConflict: the history was truncated or replaced meanwhile.
    """
    yield from query.of_session(info)
    if query.sieve is None or not runtime().hooks.sifts:
        for position, message in enumerate(messages_of(runtime, info.key)):
            yield from query.of_message(info.key, position, message)
        return
    generation: str | None = None
    start: int | None = 0
    while start is not None:
        at = runtime()
        with at.activity.during():
            sifted = at.hooks.sift(info.key, start, query.sieve)
        if sifted.next is not None and sifted.next <= start:
            raise StoreError(f"backend {at.name!r} sifts the same messages again and again; a fault of the backend")
        generation = sifted.generation if generation is None else generation
        if sifted.generation != generation:
            raise _moved(info.key)
        for first, last in sifted.spans:
            yield from _in_span(runtime, query, info.key, first, last, generation)
        start = sifted.next


def _in_span(
    runtime: Callable[[], Runtime], query: Query, key: str, first: int, last: int, generation: str
) -> Iterator[Match]:
    while first < last:
        at = runtime()
        with at.activity.during():
            page = at.hooks.get_history(key, first, min(last - first, _PAGE))
            if page.generation != generation:
                raise _moved(key)
            messages: Sequence[Message] = at.content.decode_messages(key, page.messages)
        for position, message in enumerate(messages, start=first):
            yield from query.of_message(key, position, message)
        first += _PAGE


def _moved(key: str) -> VersionConflict:
    return VersionConflict(f"the history of session {key!r} was truncated or replaced while it was searched")


def _texts(message: Message) -> Iterator[tuple[str, str]]:
    for text in _said(message.content):
        yield "content", text
    item = result_beside(message)
    if item is not None and message.role != "tool":  # a tool's message has it for its content
        for text in _said(item.content):
            yield "content", text
    if message.reasoning_content:
        yield "reasoning", message.reasoning_content
    for call in calls_in(message):
        if call.name:
            yield "tool", call.name
        for text in _strings(call.arguments):
            yield "arguments", text


def _said(content: Any) -> Iterator[str]:
    """The texts of a content, and those of the results in it."""
    if isinstance(content, str):
        yield content
    for part in content if isinstance(content, list) else ():
        if not isinstance(part, dict):
            continue
        if isinstance(part.get("text"), str):
            yield part["text"]
        elif (result := result_in(part)) is not None:
            yield from _said(result.content)
        else:
            yield from _strings(part.get("json"))  # a part of Bedrock's results


def _strings(value: Any) -> Iterator[str]:
    """A string, or those in a JSON value: some programs keep arguments decoded."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, item in value.items():
            yield name
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
