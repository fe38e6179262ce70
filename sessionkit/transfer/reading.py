"""Reading conversations from a file, one at a time, and saying exactly where one cannot be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import attrs

from sessionkit.errors import InvalidKeyError, InvalidMessageError
from sessionkit.transfer.documents import EXPECTED, SessionDocument
from sessionkit.transfer.values import Damage, Value, read_values


@attrs.frozen(kw_only=True)
class Unreadable:
    """A conversation that was not imported, and why.

    Attributes:
        source: the file's name.
        line: the line in it, counted from 1; None where there are no lines.
        item: the position in an array, counted from 1; None outside of one.
        key: the session, when that much could be read.
        reason: what is wrong and what is expected. Contents of conversations are not quoted.
    """

    source: str
    line: int | None = None
    item: int | None = None
    key: str | None = None
    reason: str

    def __str__(self) -> str:
        line = "" if self.line is None else f", line {self.line}"
        item = "" if self.item is None else f", item {self.item}"
        key = "" if self.key is None else f": session {self.key!r}"
        return f"{self.source}{line}{item}{key}: {self.reason}"


@attrs.frozen(kw_only=True)
class Placed:
    """A conversation with the place where it stands; those fields are the same as in :class:`Unreadable`.

    Attributes:
        document: the conversation.
        damage: what of it could not be read, and where, when its own program passes over such places too.
    """

    document: SessionDocument
    source: str
    line: int | None = None
    item: int | None = None
    damage: tuple[str, ...] = ()

    def refused(self, reason: str) -> Unreadable:
        """The same place, as one that was not imported."""
        key = self.document.key or None
        return Unreadable(source=self.source, line=self.line, item=self.item, key=key, reason=reason)


def read_documents(lines: Iterable[bytes], source: str) -> Iterator[Placed | Unreadable]:
    """Read JSON Lines (a conversation a line), or one JSON document (a conversation, or an array of them).

    Lines and arrays are read bit by bit: only one conversation is in memory. An object that spreads over several
    lines is read as a whole. Blank lines are passed over. What cannot be read is told in its place, and the
    reading goes on; only behind the first damage in an array nothing more is read.

    Args:
        lines: of the file, such as a file opened in binary mode.
        source: the file's name, for errors.

    >>> print(*read_documents([b'{"id": "a", "messages": 5}'], "old.jsonl"))
    old.jsonl, line 1: session 'a': "messages" is a number; it is an array of message objects
    """
    for value in read_values(lines):
        if isinstance(value, Damage):
            yield unreadable(value, source, EXPECTED)
        else:
            yield _read_conversation(value, source)


def unreadable(damage: Damage, source: str, expected: str) -> Unreadable:
    """What is told of a place where no value can be read."""
    return Unreadable(source=source, line=damage.line, item=damage.item, reason=f"{damage.reason}; {expected}")


def _read_conversation(value: Value, source: str) -> Placed | Unreadable:
    try:
        document = SessionDocument.from_dict(value.data)
    except (InvalidKeyError, InvalidMessageError) as error:
        key = shown_key(value.data)
        return Unreadable(source=source, line=value.line, item=value.item, key=key, reason=str(error))
    return Placed(document=document, source=source, line=value.line, item=value.item)


def shown_key(value: object) -> str | None:
    """What a conversation calls itself, for an error; None when it does not say."""
    key = (value.get("key") or value.get("id")) if isinstance(value, dict) else None
    return key[:200] if isinstance(key, str) else None
