"""Doing writes under the lock of their session: appends in groups and without a look where that will do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Final, TypeVar

from msgspec import Struct

from sessionkit.errors import BackendUnavailableError, OutcomeUnknownError
from sessionkit.messages import Message
from sessionkit.sessions import Version
from sessionkit_jsonl import failures
from sessionkit_jsonl.documents import is_in_order
from sessionkit_jsonl.entry import Entry, log
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.group import Unit
from sessionkit_jsonl.locks import Locks
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.tail import Tail
from sessionkit_jsonl.writing import Writer

_T = TypeVar("_T")

_TRIES: Final = 3
"""How often a write beside a program without locks begins again."""


class Committer(Struct, frozen=True):
    """Does the writes of an open directory, one at a time for each session."""

    locks: Locks
    writer: Writer

    def write(self, entry: Entry, write: Callable[[Entry, Look], _T]) -> _T:
        """Do a write alone.

        Args:
            entry: the session.
            write: gets what the session is now, and may be called again when a program without locks got between.
        """
        with failures.writing(entry.key), self.locks.holding(entry.slot):
            return self._try(entry, write)

    def save(self, entry: Entry) -> None:
        """Save a session, without lock and look if nothing but appends that were synced came since it was saved."""
        with failures.writing(entry.key), self.locks.slot(entry.slot).mutex:
            tail = entry.tail
            if tail is not None and tail.at_rest and tail.synced and self._holds(tail):
                return
        self.write(entry, self.writer.save)

    def append(self, entry: Entry, records: Sequence[bytes], messages: Sequence[Message]) -> Version:
        """Append messages as one unit, together with those of the threads that came meanwhile."""
        try:
            return entry.queue.write(Unit(records, messages), partial(self._lead, entry))
        except OSError as error:
            raise failures.not_changed(entry.key, error) from error

    def _try(self, entry: Entry, write: Callable[[Entry, Look], _T]) -> _T:
        for _ in range(_TRIES):
            with entry.mutex:
                look = entry.look()
            try:
                return write(entry, look)
            except failures.Raced:
                continue
        raise BackendUnavailableError(
            f"session {entry.key!r} was not changed: another program keeps replacing its files in "
            f"{self.writer.context.directory}; try again, or see the option foreign_writers"
        )

    def _lead(self, entry: Entry, unit: Unit) -> None:
        """Append a unit and those that wait behind it."""
        slot = self.locks.slot(entry.slot)
        with slot.mutex:
            lock = self.locks.file()
            slot.lock(lock)
            try:
                tail = entry.tail
                if tail is None or tail.lock is not lock or not self._holds(tail):
                    entry.tail = None
                    mark = self.locks.names.confirm()
                    lock = self.locks.confirm(slot, lock)
                    entry.tail = tail = self._find_tail(entry, lock, mark)
                if tail is None:
                    entry.queue.take(unit, 0)
                    unit.version = self._append_alone(entry, unit)
                else:
                    self._append_together(entry, tail, unit)
            finally:
                slot.unlock(lock)

    def _holds(self, tail: Tail) -> bool:
        """Whether all is still as the last append left it."""
        if not tail.holds():
            return False
        if self.locks.names.mark() == tail.mark:
            return True
        mark = self.locks.names.confirm()  # before looking: what changes afterwards must change the mark
        if not self.locks.is_current(tail.lock) or not tail.found.is_current():
            return False
        tail.mark = mark
        return True

    def _find_tail(self, entry: Entry, lock: OpenFile, mark: int) -> Tail | None:
        """Look where the next record goes; None when something has to be put right first."""
        with entry.mutex:
            look = entry.look()
            found = entry.found(look)
        if found is None or look.data is None or look.header is None or not is_in_order(look):
            return None
        if look.rest.size or look.torn:
            return None
        try:
            file = self.writer.appender.open(entry, look)
        except failures.Raced:
            return None
        return Tail(file, look.size, look.header, found, look.meta.revision, lock, mark, look.modified_ns)

    def _append_together(self, entry: Entry, tail: Tail, unit: Unit) -> None:
        alone = self.writer.context.options.foreign_writers  # what is written then cannot be taken back
        units = entry.queue.take(unit, 0) if alone else entry.queue.take(unit)
        try:
            self.writer.appender.append_units(entry, tail, units)
        except OutcomeUnknownError as error:
            entry.tail = None
            for other in units:
                other.error = OutcomeUnknownError(str(error))
            raise
        except OSError as error:
            entry.tail = None
            if len(units) == 1:
                raise
            log.warning(
                "session %r: %d writes failed together, and are tried one by one: %s",
                entry.key,
                len(units),
                failures.describe(error),
            )
            self._append_one_by_one(entry, units)

    def _append_one_by_one(self, entry: Entry, units: Sequence[Unit]) -> None:
        """Let each writer learn what becomes of its own."""
        for unit in units:
            try:
                unit.version = self._append_alone(entry, unit)
            except Exception as error:  # it is raised where the unit came from
                unit.error = error

    def _append_alone(self, entry: Entry, unit: Unit) -> Version:
        return self._try(entry, lambda entry, look: self.writer.append(entry, look, unit.records))
