"""Two processes that write and one that reads, in random schedules; and rules without which that goes wrong.

``SESSIONKIT_SCHEDULES=100000 pytest plugins/jsonl/tests/test_schedules.py -k explains`` runs that many schedules.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, entry, failures, marks, rewriting
from sessionkit_jsonl.appending import Appender
from sessionkit_jsonl.committing import Committer
from sessionkit_jsonl.durability import Durability
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import Files, OpenFile, status_of
from sessionkit_jsonl.locks import Slot
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.names import Names
from sessionkit_jsonl.tail import Tail

from sessionkit.testing.schedules import ScheduleChecker

SCHEDULES: Final = int(os.environ.get("SESSIONKIT_SCHEDULES", "250"))
FIRST: Final = int(os.environ.get("SESSIONKIT_SCHEDULES_FROM", "0"))

ROUNDS: Final = 2000
"""So many schedules find every rule that is left out; most are found much sooner."""


VARIANTS: Final = ("as it is", "with archive", "with names watched")


def _open(path: Path, variant: str = "") -> JSONLBackend:
    options = JSONLOptions(path=path, network=True, compact_threshold=0, archive=variant == "with archive")
    backend = JSONLBackend(options)
    if variant == "with names watched":
        backend._locks.names = Names(os.fspath(path), patience=1)
    return backend


@pytest.mark.parametrize("variant", VARIANTS)
def test_an_order_of_the_operations_explains_what_processes_see(variant: str) -> None:
    seeds = range(FIRST, FIRST + SCHEDULES)[VARIANTS.index(variant) :: len(VARIANTS)]
    report = ScheduleChecker(partial(_open, variant=variant)).check(seeds)
    print(report)
    assert not report.violations, report
    assert report.schedules == len(seeds)


Mutation = Callable[[pytest.MonkeyPatch], None]


def readers_do_not_look_again(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Entry, "is_current", lambda self, look: True)


def appends_go_to_the_file_that_is_open(patch: pytest.MonkeyPatch) -> None:
    def open_any(self: Appender, found: Entry, look: Look) -> OpenFile:
        assert look.data is not None
        if look.data.writable:
            return look.data
        file = self.context.files.open_for_appending(look.data_path)
        found.use(look, file)
        return file

    patch.setattr(entry, "_is_at", lambda file, path: status_of(path) is not None)
    patch.setattr(Appender, "open", open_any)
    patch.setattr(Tail, "holds", lambda self: self.file.status().st_size == self.size)


def a_lock_is_released_before_the_sync(patch: pytest.MonkeyPatch) -> None:
    held: dict[int, tuple[Slot, OpenFile]] = {}
    lock, appended = Slot.lock, Durability.appended

    def noting(self: Slot, file: OpenFile) -> None:
        lock(self, file)
        held[threading.get_ident()] = self, file

    def unlocking(self: Durability, key: str, file: OpenFile) -> None:
        slot, lock_file = held[threading.get_ident()]
        slot.unlock(lock_file)
        appended(self, key, file)

    patch.setattr(Slot, "lock", noting)
    patch.setattr(Durability, "appended", unlocking)


def writers_look_before_they_lock(patch: pytest.MonkeyPatch) -> None:
    def write(self: Committer, found: Entry, change: Callable[[Entry, Look], Any]) -> Any:
        with found.mutex:
            look = found.look()
        while True:
            with contextlib.suppress(failures.Raced), failures.writing(found.key), self.locks.holding(found.slot):
                return change(found, look)
            with found.mutex:
                look = found.look()

    patch.setattr(Committer, "write", write)
    patch.setattr(
        Committer,
        "append",
        lambda self, found, records, messages: write(
            self, found, lambda at, look: self.writer.append(at, look, records)
        ),
    )


def appends_rely_on_the_last_one(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Committer, "_holds", lambda self, tail: True)


def appends_look_at_the_log_alone(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Committer, "_holds", lambda self, tail: tail.holds())


def nobody_locks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Slot, "lock", lambda self, file: None)


def torn_lines_stay_open(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Appender, "_open_end", lambda self, look, file: (look.size, b""))


def batches_have_no_marks(patch: pytest.MonkeyPatch) -> None:
    def as_batch(records: Sequence[bytes], header: marks.Header | None = None) -> bytes:
        first = marks.as_line(records[0], header.text() if header else "")
        return first + b"".join(map(marks.as_line, records[1:]))

    patch.setattr(marks, "as_batch", as_batch)


def a_document_does_not_wait_for_its_data(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sessionkit_jsonl.meta.Draft.following", lambda self, base, nonce: self.encode())


def a_replaced_history_has_no_filler(patch: pytest.MonkeyPatch) -> None:
    layout = rewriting._layout
    patch.setattr(rewriting, "_layout", lambda records, header, filler, truncated: layout(records, header, 0, ()))


def colliding_keys_have_locks_of_their_own(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(entry, "slot_of", lambda key: hash(key) % 4096)
    patch.setattr(Files, "publish", lambda self, source, target: os.rename(source, target))


def a_deletion_leaves_the_document_as_it_was(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sessionkit_jsonl.meta.Meta.needs_data", property(lambda self: False))


SOON: list[Mutation] = [
    readers_do_not_look_again,
    appends_go_to_the_file_that_is_open,
    writers_look_before_they_lock,
    appends_rely_on_the_last_one,
    appends_look_at_the_log_alone,
    nobody_locks,
    batches_have_no_marks,
    a_replaced_history_has_no_filler,
    colliding_keys_have_locks_of_their_own,
    a_deletion_leaves_the_document_as_it_was,
]


LATE: list[Mutation] = [
    a_lock_is_released_before_the_sync,
    torn_lines_stay_open,
    a_document_does_not_wait_for_its_data,
]
"""Found after about 1,000 schedules."""


@pytest.mark.parametrize("mutation", [*SOON, *LATE], ids=lambda mutation: mutation.__name__)
def test_the_schedules_find_out_that(monkeypatch: pytest.MonkeyPatch, mutation: Mutation) -> None:
    if mutation in LATE and SCHEDULES < ROUNDS:
        pytest.skip(f"takes more schedules: set SESSIONKIT_SCHEDULES={ROUNDS} or more")
    mutation(monkeypatch)
    report = ScheduleChecker(_open).check(range(ROUNDS))
    print(report)
    assert "no order of the operations explains" in report.violations[0].reason, report
