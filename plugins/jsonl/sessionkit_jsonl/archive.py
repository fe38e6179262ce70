"""``NAME.archive``: what compaction takes out of a session's log, kept for those who throw nothing away.

An archive is a row of *chunks*: a line that says what follows, then the messages, a line each, byte for byte. It is
written and synced before the log goes that has the messages too. A crash in between leaves them in both, and the
next compaction finds in the archive what it was about to append. Each chunk is on disk before the next one is
written, so that only the last one can be torn; it is sealed off like a line of a log, and read by nobody.
"""

from __future__ import annotations

import contextlib
import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, Self

import attrs
from msgspec import Struct

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit.messages import Message
from sessionkit.sessions import now
from sessionkit_jsonl import marks
from sessionkit_jsonl.files import Files, OpenFile, status_of
from sessionkit_jsonl.lines import records_of
from sessionkit_jsonl.removing import Removed

_HEAD: Final = b'{"_sk":"archive",'
"""No message begins like this: one of the program's own gets an empty mark in front, as in the log."""

_FIELDS: Final = {
    **dict.fromkeys(("key", "nonce", "sum", "at"), str),
    **dict.fromkeys(("from", "to", "lines", "bytes"), int),
}
_SEAL: Final = b"#\n"
_CHUNK: Final = 1 << 20
_BLOCK: Final = 64 * 1024


@attrs.frozen(kw_only=True)
class Chunk:
    """A part of an archive.

    Attributes:
        key: the session.
        nonce: the log that the messages stood in.
        start: where the first one's line began in it.
        end: where the last one ended. Positions count from the log's beginning as if nothing had been removed.
        at: when the chunk was written.
        records: the messages as bytes.
    """

    key: str
    nonce: str
    start: int
    end: int
    at: str
    records: tuple[bytes, ...] = attrs.field(repr=False)

    @classmethod
    def of(cls, key: str, nonce: str, removed: list[Removed]) -> Self:
        """A chunk of these messages."""
        records = tuple(one.record for one in removed)
        return cls(key=key, nonce=nonce, start=removed[0].start, end=removed[-1].end, at=now(), records=records)

    @property
    def messages(self) -> list[Message]:
        """The messages."""
        return [Message.adopt(value) for record in self.records for _, value in records_of(record, None)]

    def encode(self) -> bytes:
        """The chunk as it stands in an archive."""
        body = b"".join(map(marks.as_line, self.records))
        head = {"_sk": "archive", "key": self.key, "nonce": self.nonce, "from": self.start, "to": self.end}
        counts = {"lines": len(self.records), "bytes": len(body), "sum": _sum(body), "at": self.at}
        return codec.encode({**head, **counts}) + b"\n" + body


def read_archive(path: str | os.PathLike[str]) -> Iterator[Message]:
    """The messages of an archive, in the order in which they left the history.

    Args:
        path: the file ``NAME.archive`` beside the session's log. Reading takes no lock: what another process is
            about to append is not seen.

    Raises:
        OSError: the file cannot be read; ``FileNotFoundError`` when nothing was archived.
    """
    for chunk in read_chunks(path):
        yield from chunk.messages


def read_chunks(path: str | os.PathLike[str]) -> Iterator[Chunk]:
    """The whole chunks of an archive, in their order; see :func:`read_archive`."""
    with Path(path).open("rb") as file:
        size = os.fstat(file.fileno()).st_size
        while line := file.readline():
            head = _read_head(line)
            after = file.tell()
            if head is None or after + head["bytes"] > size:
                continue
            chunk = _read_body(head, file.read(head["bytes"]))
            if chunk is None:  # torn; another one may begin in what it says is its own
                file.seek(after)
            else:
                yield chunk


def _read_head(line: bytes) -> dict[str, Any] | None:
    if not line.startswith(_HEAD):
        return None
    try:
        head = codec.decode(line)
    except DecodeError:
        return None
    if not isinstance(head, dict) or not all(type(head.get(name)) is kind for name, kind in _FIELDS.items()):
        return None
    return head if head["bytes"] >= 0 else None


def _read_body(head: dict[str, Any], body: bytes) -> Chunk | None:
    """The chunk, None when not all of it is there."""
    lines = body.split(b"\n")
    if len(body) != head["bytes"] or len(lines) != head["lines"] + 1 or _sum(body) != head["sum"]:
        return None
    records = tuple(marks.unmarked(line, marks.read_mark(line)) for line in lines[:-1])
    return Chunk(
        key=head["key"], nonce=head["nonce"], start=head["from"], end=head["to"], at=head["at"], records=records
    )


def _sum(body: bytes) -> str:
    return hashlib.blake2b(body, digest_size=8).hexdigest()


class Archive(Struct, frozen=True):
    """A session's archive, under the session's lock."""

    files: Files
    directory: str
    path: str
    key: str

    def add(self, nonce: str, removed: Iterable[Removed]) -> None:
        """Append what is about to go, unless it stands there already; durable on return.

        Args:
            nonce: the log that it stands in.
            removed: the messages, from the first line of the log on.
        """
        rest = iter(removed)
        first = next(rest, None)
        if first is None:
            return
        rest = itertools.chain([first], rest)
        is_new = status_of(self.path) is None
        file = self.files.create(self.path) if is_new else self.files.open_for_appending(self.path)
        trusted = size = file.status().st_size
        for offset, chunk in _chunks_behind(file, size, nonce, first.end):
            known = list(itertools.islice(rest, len(chunk.records)))
            if tuple(one.record for one in known) == chunk.records and known[-1].end == chunk.end:
                trusted = min(trusted, offset)
            else:
                rest = itertools.chain(known, rest)
        try:
            self._append(file, size, nonce, rest)
        except OSError:
            with contextlib.suppress(OSError):  # what was not synced must not be found, and believed, next time
                self.files.truncate(file, trusted)
            raise
        self.files.sync_directory(self.directory)

    def _append(self, file: OpenFile, size: int, nonce: str, removed: Iterator[Removed]) -> None:
        seal = _SEAL if size and file.read(size - 1, 1) != b"\n" else b""
        self.files.sync(file)  # what a killed process wrote and did not sync
        for group in _grouped(removed):
            self.files.write(file, seal + Chunk.of(self.key, nonce, group).encode())
            self.files.sync(file)
            seal = b""


def _grouped(removed: Iterator[Removed]) -> Iterator[list[Removed]]:
    """The messages in groups that fit in memory."""
    group: list[Removed] = []
    size = 0
    for one in removed:
        if group and size + len(one.record) > _CHUNK:
            yield group
            group, size = [], 0
        group.append(one)
        size += len(one.record)
    if group:
        yield group


def _chunks_behind(file: OpenFile, size: int, nonce: str, position: int) -> list[tuple[int, Chunk]]:
    """The last chunks, if they are of this log and do not end before a position, in their order.

    Only what a crash left between archive and log is such a chunk: what was removed ends before what is there.
    """
    found: list[tuple[int, Chunk]] = []
    for offset in _heads_backwards(file, size):
        line = _line_at(file, offset, size)
        head = _read_head(line)
        if head is None:
            continue
        if head["nonce"] != nonce or head["to"] < position:
            break
        chunk = _read_body(head, file.read(offset + len(line), min(head["bytes"], size - offset - len(line))))
        if chunk is not None and chunk.records:
            found.append((offset, chunk))
    return found[::-1]


def _heads_backwards(file: OpenFile, size: int) -> Iterator[int]:
    """Where chunks begin, whole or torn, the last one first."""
    end = size
    while end > 0:
        start = max(end - _BLOCK, 0)
        before = min(start, 1)
        block = file.read(start - before, min(end + len(_HEAD) - 1, size) - start + before)
        if not before:
            block = b"\n" + block
        at = block.rfind(b"\n" + _HEAD)
        while at >= 0:
            yield start + at
            at = block.rfind(b"\n" + _HEAD, 0, at + len(_HEAD))
        end = start


def _line_at(file: OpenFile, offset: int, size: int) -> bytes:
    wanted = 4096
    while True:
        data = file.read(offset, min(wanted, size - offset))
        if b"\n" in data or offset + len(data) >= size:
            return data[: data.find(b"\n") + 1] or data
        wanted *= 2
