"""Appending to a data file: seal what is torn, write once, sync, and take back what failed."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Sequence
from typing import Final

from msgspec import Struct

from sessionkit.errors import OutcomeUnknownError
from sessionkit_jsonl import failures, marks
from sessionkit_jsonl.context import Context, look_again
from sessionkit_jsonl.entry import Entry, log
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.group import Unit
from sessionkit_jsonl.look import Look, data_state
from sessionkit_jsonl.marks import Header, fresh_token
from sessionkit_jsonl.stretch import STRIDE, Last
from sessionkit_jsonl.tail import Tail

_BUFFER: Final = 1 << 20
_NEWS: Final = 256
"""How many appends the index is told of at once, when nobody reads meanwhile."""

_SEAL: Final = b"#\n"
"""Closes a torn line; no reader takes what stands before it for a message then."""


class Appender(Struct, frozen=True):
    """Appends under the session's lock."""

    context: Context

    def append(self, entry: Entry, look: Look, records: Sequence[bytes]) -> str:
        """Append messages as one unit. Returns the state of the data file."""
        file = self.open(entry, look)
        header = look.header or Header(fresh_token())
        start, seal = self._open_end(look, file)
        batch = marks.as_batch(records, None if look.header else header)
        self._write(look.key, file, start, seal + batch, look.modified_ns)
        last = Last(start + len(seal) + len(batch) - 1, zlib.crc32(records[-1]))
        if len(batch) <= STRIDE and look.header and start == look.size and not seal and not look.rest.size:
            with entry.mutex:
                look.index.note_append(start, len(batch), len(records), last)
        return data_state(header, last)

    def append_units(self, entry: Entry, tail: Tail, units: Sequence[Unit]) -> None:
        """Append what several writers brought, with one write and one sync, where nothing has to be looked at.

        Each of them gets the version that the session has with its messages and those before. When it raises
        ``OSError``, nothing of them stays.
        """
        start = tail.size
        batches = [marks.as_batch(unit.records) for unit in units]
        data = batches[0] if len(batches) == 1 else b"".join(batches)
        self._write(entry.key, tail.file, start, data, tail.modified_ns)
        tail.size, tail.modified_ns, tail.synced = start + len(data), None, self.context.durability.at_once
        for unit, batch in zip(units, batches, strict=True):
            size = len(batch)
            last = Last(start + size - 1, zlib.crc32(unit.records[-1]))
            if size <= STRIDE:
                kept = unit.messages if entry.keeps else ()
                entry.news.append((tail.file, start, size, len(unit.records), last, kept))
            unit.version = f"{data_state(tail.header, last)}.{tail.revision}"
            start += size
        if len(entry.news) >= _NEWS:
            with entry.mutex:
                entry.take_in_news()

    def open(self, entry: Entry, look: Look) -> OpenFile:
        """The data file, open for appending: the one that was looked at, and no other."""
        assert look.data is not None
        if look.data.writable:
            return look.data
        try:
            file = self.context.files.open_for_appending(look.data_path)
        except FileNotFoundError:
            raise failures.Raced from None
        if file.inode != look.data.inode:
            raise failures.Raced
        if entry.durable != file.inode:  # who gave the file its name may have been killed before that was durable
            self.context.durability.named()
            entry.durable = file.inode
        with entry.mutex:
            entry.use(look, file)
        return file

    def settle(self, entry: Entry, look: Look) -> Look:
        """Close the last line and sync, whoever wrote to the file: what is built on it must not vanish."""
        if look.data is None:
            return look
        file = self.open(entry, look)
        start, seal = self._open_end(look, file)
        if seal:
            self._write(look.key, file, start, seal, look.modified_ns)
        self.sync(entry, look, file)
        return look_again(entry)

    def sync(self, entry: Entry, look: Look, file: OpenFile) -> None:
        """Make durable all that stands in a data file, unless the last append did that and is the last thing in it."""
        tail = entry.tail  # another thread may forget it at any time
        if tail is not None and tail.covers(file, look.size):
            return
        try:
            self.context.durability.settle(file)
        except OSError as error:
            log.error("session %r: %s; the file is written anew", look.key, failures.describe(error))
            self._write_anew(look.key, file, file.status().st_size, look.modified_ns, error)

    def _open_end(self, look: Look, file: OpenFile) -> tuple[int, bytes]:
        """Where the next record goes, and what has to stand in front of it."""
        if not look.torn:
            return look.size, b""
        if look.last is None or look.last.end != look.size:
            log.warning("session %r: the last line of %s is torn; it is sealed off", look.key, look.data_path)
            return look.size, _SEAL
        self._write(look.key, file, look.size, b"\n", look.modified_ns)
        return look.size + 1, b""

    def _write(self, key: str, file: OpenFile, start: int, data: bytes, modified_ns: int | None) -> None:
        """Write and sync; when that fails, nothing of it stays."""
        try:
            self.context.files.write(file, data)
        except OSError as error:
            self._cut_back(key, file, start, len(data), error)
            raise
        try:
            self.context.durability.appended(key, file)
        except OSError as error:
            self._write_anew(key, file, start, modified_ns, error)
            raise

    def _cut_back(self, key: str, file: OpenFile, start: int, size: int, error: OSError) -> None:
        """Remove the beginning of a record that did not fit."""
        with contextlib.suppress(OSError):
            written = file.status().st_size - start
            if written <= 0:
                return
            if not self.context.options.foreign_writers:
                self.context.files.truncate(file, start)
                return
            if written < size - 1:  # torn: no reader takes it for a message, and the next append seals it off
                return
        raise _unknown(key, error) from error

    def _write_anew(self, key: str, file: OpenFile, size: int, modified_ns: int | None, error: OSError) -> None:
        """Replace a file whose sync failed by a copy of what shall stay of it.

        What a second sync says of the same pages is no answer: the kernel may have dropped them.
        """
        context = self.context
        if context.options.foreign_writers:
            raise _unknown(key, error) from error
        try:
            copy = context.files.temporary(context.directory)
            with context.discarding(copy.path):
                for offset in range(0, size, _BUFFER):
                    context.files.write(copy, file.read(offset, min(_BUFFER, size - offset)))
                context.files.set_modified(copy, file.status().st_mtime_ns if modified_ns is None else modified_ns)
                context.files.sync(copy)
                context.files.rename(copy.path, file.path)
            context.durability.replaced(file.path)
            context.files.sync_directory(context.directory)
        except OSError:
            raise _unknown(key, error) from error


def _unknown(key: str, error: OSError) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"session {key!r}: the last messages may or may not be stored: {failures.describe(error)}; look, then decide"
    )
