"""The reserved field ``_sk``: what this backend says about a file or a batch, inside the messages' own lines.

A mark is the first field of a line's object, ``{"_sk":"…",``, recognised and removed by its bytes. picoclaw
ignores it as it ignores every field that it does not know. A mark says up to two things:

* ``h=NONCE,BASE,GENERATION``: the file's header, in the first line of every file that this backend made;
* ``b=ID,LINES,BYTES`` in the first line of a batch, ``c=ID`` in each other one.

A message of the program's own that begins with the reserved field gets an empty mark in front, so that it comes
back as it was. A file that begins with filler carries its header in a string, ``"_sk h=…"``.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

FIELD: Final = "_sk"
PREFIX: Final = b'{"_sk":"'
FILLER: Final = b"0"
"""A line that counts as a line and holds no message, for picoclaw too."""

_RESERVED: Final = b'{"_sk":'
_HEADER = rb"h=([0-9a-f]+),([+-][0-9a-f]{15}),([0-9a-f]*)"
_MARK = re.compile(
    rb'\{"_sk":"(?:' + _HEADER + rb")?(?: ?b=([0-9a-f]{12}),([0-9a-f]{8}),([0-9a-f]{12})| ?c=([0-9a-f]{12}))?"
    rb'"(?:,|(?=\}))'
)
_HEADER_LINE = re.compile(rb'"_sk ' + _HEADER + rb'"\Z')


class Header(Struct, frozen=True):
    """What a data file says of itself.

    Attributes:
        nonce: names the contents: new for every file with other contents, copied by compaction.
        base: what to add to a position in this file to get the position that compaction does not change.
        generation: changes when the history is replaced; ``""`` until then.
        written: whether it stands in the file. For a file that picoclaw made, it is derived.
    """

    nonce: str
    base: int = 0
    generation: str = ""
    written: bool = True

    def text(self) -> str:
        """The header as a mark says it; its length does not depend on ``base``."""
        return f"h={self.nonce},{self.base:+016x},{self.generation}"

    def line(self) -> bytes:
        """The header as a line of filler."""
        return f'"_sk {self.text()}"\n'.encode("ascii")


class Mark(Struct, frozen=True):
    """A mark that was read.

    Attributes:
        end: where in the line the message's own fields go on.
        batch: the id of the batch that the line belongs to, None for a line that stands alone.
        lines: in the first line of a batch, how many lines the batch has; 0 in others.
        size: in the first line of a batch, how many bytes it has, with marks and newlines; 0 in others.
    """

    end: int
    header: Header | None
    batch: bytes | None
    lines: int
    size: int


def fresh_token() -> str:
    """A token that was never used before."""
    return os.urandom(8).hex()


def read_mark(line: bytes) -> Mark | None:
    """The mark of a line, None when it has none."""
    match = _MARK.match(line)
    if match is None:
        return None
    nonce, base, generation, head, lines, size, follower = match.groups()
    return Mark(
        end=match.end(),
        header=_header(nonce, base, generation) if nonce else None,
        batch=head or follower,
        lines=int(lines, 16) if lines else 0,
        size=int(size, 16) if size else 0,
    )


def take_off(line: bytes) -> tuple[bytes, str | None, int, int] | None:
    """The message of a line that begins with a mark, and the ``batch``, ``lines`` and ``size`` of the mark.

    The same as :func:`read_mark` and :func:`unmarked`, for many lines. None for a line without mark.
    """
    match = _MARK.match(line)
    if match is None:
        return None
    head, lines, size, follower = match.group(4, 5, 6, 7)
    bare = b"{" + line[match.end() :]
    if head:
        return bare, head.decode(), int(lines, 16), int(size, 16)
    return bare, follower.decode() if follower else None, 0, 0


def read_header_line(line: bytes) -> Header | None:
    """The header in a line of filler, None when the line is none."""
    match = _HEADER_LINE.match(line)
    return _header(*match.groups()) if match else None


def _header(nonce: bytes, base: bytes, generation: bytes) -> Header:
    return Header(nonce.decode(), int(base, 16), generation.decode())


def is_filler(line: bytes) -> bool:
    """Whether a line is filler of this backend."""
    return line == FILLER or read_header_line(line) is not None


def unmarked(line: bytes, mark: Mark | None) -> bytes:
    """The message of a line, without the mark."""
    return line if mark is None else b"{" + line[mark.end :]


def _marked(record: bytes, text: str) -> bytes:
    separator = b'"' if record == b"{}" else b'",'
    return PREFIX + text.encode("ascii") + separator + record[1:]


def as_line(record: bytes, text: str = "") -> bytes:
    """A message as a line of a data file, with a mark when there is something to say.

    >>> as_line(b'{"role":"user"}'), as_line(b'{"_sk":1}')
    (b'{"role":"user"}\\n', b'{"_sk":"","_sk":1}\\n')
    """
    if text or record.startswith(_RESERVED):
        record = _marked(record, text)
    return record + b"\n"


def as_batch(records: Sequence[bytes], header: Header | None = None) -> bytes:
    """Messages as the bytes that one append writes: a reader sees all of them or none.

    Args:
        records: compact JSON objects, at least one.
        header: given when the file has none yet.
    """
    prefix = header.text() if header else ""
    if len(records) == 1:
        return as_line(records[0], prefix)
    batch = os.urandom(6).hex()
    followers = b"".join([as_line(record, f"c={batch}") for record in records[1:]])
    head = _batch_head(records[0], prefix, batch, len(records), 0)
    size = len(head) + len(followers)
    return _batch_head(records[0], prefix, batch, len(records), size) + followers


def _batch_head(record: bytes, prefix: str, batch: str, lines: int, size: int) -> bytes:
    return as_line(record, f"{prefix} b={batch},{lines:08x},{size:012x}".lstrip())
