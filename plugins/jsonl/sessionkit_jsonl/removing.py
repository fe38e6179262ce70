"""Which messages a log is about to lose."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Sequence

from msgspec import Struct

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidMessageError
from sessionkit_jsonl.index import read_lines
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import FILLER


class Removed(Struct, frozen=True):
    """A message that is to leave the log: where its line begins and ends, as compaction leaves it, and its bytes."""

    start: int
    end: int
    record: bytes


def visible_from(look: Look) -> int:
    """Where the first message of the history stands in the data file; without one, where the index ends."""
    assert look.data is not None
    index = look.index
    return index.end if index.seen == index.hidden else index.place(look.data, index.hidden).offset


def truncated(look: Look, end: int, damage: list[bytes]) -> Iterator[Removed]:
    """The messages before the history.

    Args:
        look: the session.
        end: where the history begins, see :func:`visible_from`.
        damage: gets the lines among them that nobody can read.
    """
    assert look.data is not None
    base = look.header.base if look.header else 0
    for offset, line in read_lines(look.data, 0, look.index.end):  # a batch may go on behind the end
        if offset >= end:
            return
        if line.dead:
            damage.append(look.data.read(offset, line.end - line.start))
        for record, _ in line.records:
            yield Removed(base + offset, base + offset + line.text_end - line.start, record)


def skipped(look: Look) -> Iterator[bytes]:
    """What stands for each of the lines that the document truncates: its message, or filler where there is not one."""
    assert look.data is not None
    lines = (line for _, line in read_lines(look.data, 0, look.index.end) if line.counted)
    records = (line.records[0][0] if len(line.records) == 1 else FILLER for line in lines)
    # The beginning of a batch that was cut in two is no complete line.
    yield from itertools.islice(itertools.chain(records, itertools.repeat(FILLER)), look.meta.skip)


def missing(history: Sequence[bytes], records: Sequence[bytes]) -> list[bytes]:
    """The messages of a history that another one does not have; what both have counts as kept at its end."""
    kept = Counter(map(_identity, records))
    gone: list[bytes] = []
    for record in reversed(history):
        identity = _identity(record)
        if kept[identity]:
            kept[identity] -= 1
        else:
            gone.append(record)
    return gone[::-1]


def _identity(record: bytes) -> bytes:
    """The same for two texts of one message."""
    try:
        return codec.encode(codec.decode(record))
    except (DecodeError, InvalidMessageError):
        return record
