"""``Format``: how conversations stand in files of one kind, and ``Writer`` for those that are written too."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import attrs

from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable


@attrs.define
class Losses:
    """What an export left out because its format has no place for it: name of the field → how often.

    Attributes:
        sessions: fields of sessions, by how many sessions had them.
        messages: fields of messages, by how many messages had them; ``tool_calls.id`` is one inside a tool call.
    """

    sessions: Counter[str] = attrs.Factory(Counter)
    messages: Counter[str] = attrs.Factory(Counter)

    def __bool__(self) -> bool:
        return bool(self.sessions or self.messages)


@attrs.frozen(kw_only=True)
class Writer:
    """How a format is written.

    Attributes:
        encode: the JSON value of a session's document; what has no place in it is counted.
        alone: what becomes of that value when it is the only one of the file.
        as_array: whether several stand in one array; each in a line of its own otherwise.
        cannot_hold: what the format has no place for, in words; ``""`` when it holds everything.
    """

    encode: Callable[[dict[str, Any], Losses], Any]
    alone: Callable[[Any], Any] | None = None
    as_array: bool = False
    cannot_hold: str = ""

    def write(
        self,
        documents: Iterable[dict[str, Any]],
        *,
        dump: Callable[[Any], str],
        losses: Losses,
        alone: bool = False,
    ) -> Iterator[str]:
        """The text of a file, bit by bit.

        Args:
            documents: what :func:`sessionkit.transfer.export_sessions` gives.
            dump: makes a JSON value a text without line breaks.
            losses: counts what is left out.
            alone: whether this is a file for one session.
        """
        between = ""
        if self.as_array:
            yield "["
        for document in documents:
            value = self.encode(document, losses)
            text = dump(self.alone(value) if alone and self.alone is not None else value)
            yield f"{between}\n{text}" if self.as_array else f"{text}\n"
            between = ","
        if self.as_array:
            yield "\n]\n"


@attrs.frozen(kw_only=True)
class Format:
    """A format that conversations come in.

    Attributes:
        name: what it is called on the command line.
        description: what its files are, in one line.
        recognises: whether a source is in this format, by its content.
        read: the conversations of a source, and what of it cannot be read.
        directories: whether a source may be a directory.
        writer: for formats that are written too.
    """

    name: str
    description: str
    recognises: Callable[[Source], bool]
    read: Callable[[Source], Iterator[Placed | Unreadable]]
    directories: bool = False
    writer: Writer | None = None
