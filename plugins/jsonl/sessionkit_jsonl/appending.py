"""Appending to a data file: seal what is torn, write once, sync, and take back what failed."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Sequence
from typing import Final

import attrs

from sessionkit.errors import OutcomeUnknownError
from sessionkit_jsonl import failures, marks
from sessionkit_jsonl.context import Context, look_again
from sessionkit_jsonl.entry import Entry, log
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.look import Look, data_state
from sessionkit_jsonl.marks import Header, fresh_token
from sessionkit_jsonl.stretch import STRIDE, Last

_BUFFER: Final = 1 << 20
_SEAL: Final = b"#\n"
"""Closes a torn line; no reader takes what stands before it for a message then."""


@attrs.frozen
class Appender:
    """Appends under the session's lock."""

    context: Context

    def append(self, entry: Entry, look: Look, records: Sequence[bytes]) -> str:
        """Append messages as one unit. Returns the state of the data file."""
        file = self.open(entry, look)
        header = look.header or Header(fresh_token())
        start, seal = self._open_end(look, file)
        batch = marks.as_batch(records, None if look.header else header)
        self._write(look, file, start, seal + batch)
        last = Last(start + len(seal) + len(batch) - 1, zlib.crc32(records[-1]))
        if len(batch) <= STRIDE and look.header and start == look.size and not seal and not look.rest.size:
            with entry.mutex:
                look.index.note_append(start, len(batch), len(records), last)
        return data_state(header, last)

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
            self._write(look, file, start, seal)
        self.sync(look, file)
        return look_again(entry)

    def sync(self, look: Look, file: OpenFile) -> None:
        """Make durable all that stands in a data file."""
        try:
            self.context.durability.settle(file)
        except OSError as error:
            log.error("session %r: %s; the file is written anew", look.key, failures.describe(error))
            self._write_anew(look, file, file.status().st_size, error)

    def _open_end(self, look: Look, file: OpenFile) -> tuple[int, bytes]:
        """Where the next record goes, and what has to stand in front of it."""
        if not look.torn:
            return look.size, b""
        if look.last is None or look.last.end != look.size:
            log.warning("session %r: the last line of %s is torn; it is sealed off", look.key, look.data_path)
            return look.size, _SEAL
        self._write(look, file, look.size, b"\n")
        return look.size + 1, b""

    def _write(self, look: Look, file: OpenFile, start: int, data: bytes) -> None:
        """Write and sync; when that fails, nothing of it stays."""
        try:
            self.context.files.write(file, data)
        except OSError as error:
            self._cut_back(look, file, start, len(data), error)
            raise
        try:
            self.context.durability.appended(look.key, file)
        except OSError as error:
            self._write_anew(look, file, start, error)
            raise

    def _cut_back(self, look: Look, file: OpenFile, start: int, size: int, error: OSError) -> None:
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
        raise _unknown(look, error) from error

    def _write_anew(self, look: Look, file: OpenFile, size: int, error: OSError) -> None:
        """Replace a file whose sync failed by a copy of what shall stay of it.

        What a second sync says of the same pages is no answer: the kernel may have dropped them.
        """
        context = self.context
        if context.options.foreign_writers:
            raise _unknown(look, error) from error
        try:
            copy = context.files.temporary(context.directory)
            with context.discarding(copy.path):
                for offset in range(0, size, _BUFFER):
                    context.files.write(copy, file.read(offset, min(_BUFFER, size - offset)))
                context.files.set_modified(copy, look.modified_ns)
                context.files.sync(copy)
                context.files.rename(copy.path, look.data_path)
            context.durability.replaced(look.data_path)
            context.files.sync_directory(context.directory)
        except OSError:
            raise _unknown(look, error) from error


def _unknown(look: Look, error: OSError) -> OutcomeUnknownError:
    return OutcomeUnknownError(
        f"session {look.key!r}: the last messages may or may not be stored: {failures.describe(error)}; "
        "look, then decide"
    )
