"""Each rule of the jsonl backend is needed: when the real code does without it, the crash checker finds that.

A rule is switched off by replacing one function. The scenario is the shortest one in which it matters; with the
rule, the checker finds nothing in it.
"""

from __future__ import annotations

import contextlib
import errno
import os
import tempfile
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import attrs
import pytest
from sessionkit_jsonl import JSONLBackend, appending, lines, marks
from sessionkit_jsonl.appending import Appender
from sessionkit_jsonl.context import look_again
from sessionkit_jsonl.documents import Documents, Edit, same
from sessionkit_jsonl.durability import Durability
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import Files, OpenFile
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import Header, fresh_token
from sessionkit_jsonl.meta import State
from sessionkit_jsonl.rewriting import Rewriter
from sessionkit_jsonl.tail import Tail
from sessionkit_jsonl.writing import Writer

from sessionkit.errors import BackendUnavailableError
from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker, Report, checker

from .crash_scenarios import KEY, Operation, make_picoclaws, opened, user

pytestmark = pytest.mark.slow

Off: TypeAlias = Callable[[pytest.MonkeyPatch], None]
"""Switches a rule off."""


@attrs.frozen(eq=False)
class Scenario:
    """What is done, after what, in which directory."""

    operations: Sequence[Operation]
    given: Sequence[Operation] = ()
    picoclaws: bool = False
    durability: str = "always"
    open: Callable[[], Callable[[Path], JSONLBackend]] | None = None

    def check(self, room: Path) -> Report:
        def open_(path: Path) -> JSONLBackend:
            return opened(path, durability=self.durability)

        given = make_picoclaws(room / "given") if self.picoclaws else self.given
        return CrashChecker(
            open=self.open() if self.open else open_,
            acknowledged="write" if self.durability == "always" else "save",
            second_states=0,
        ).check(self.operations, given=given)


# --- scenarios


def _add(*texts: str) -> Operation:
    return lambda store: store.add_messages(KEY, [user(text) for text in texts])


GIVEN = [_add("one"), _add("two")]
TRUNCATED = [*GIVEN, lambda store: store.truncate_history(KEY, 1)]
NESTED = {"role": "assistant", "content": "a", "parts": [{"role": "system", "content": "b"}]}

FIRST = Scenario([_add("one")])
APPEND = Scenario([_add("x" * 21)], GIVEN)  # torn in its middle, it ends behind a colon: nothing glued to that is saved
BATCH = Scenario([_add("three", "four")], GIVEN)
NESTING = Scenario([lambda store: store.add_full_message(KEY, NESTED)], GIVEN)
REPLACE = Scenario([lambda store: store.set_history(KEY, [user("anew")])], TRUNCATED)
REPLACE_ALL = Scenario([lambda store: store.update_session(KEY, messages=[user("a")], summary="s")], TRUNCATED)
COMPACT = Scenario([lambda store: store.save(KEY)], TRUNCATED)
UNSYNCED = Scenario([_add("b"), lambda store: store.truncate_history(KEY, 1)], [_add("a")], durability="os")
SAVE = Scenario([_add("three"), lambda store: store.save(KEY)], GIVEN, durability="os")
LOST = Scenario([lambda store: store.add_message("lost", "user", "three")], picoclaws=True)
DELETE = Scenario([lambda store: store.delete_session("cli:direct")], picoclaws=True)
BEGIN = Scenario([lambda store: store.set_summary("cli:direct", "what was said")])


class FailingFiles(Files):
    """The sync of a log fails once; what was to be written is dropped then, and later syncs find nothing to do."""

    dropped: set[tuple[int, int]]

    def __init__(self) -> None:
        object.__setattr__(self, "dropped", set())

    def sync_data(self, file: OpenFile) -> None:
        if not self.dropped:
            self.dropped.add(file.inode)
            raise OSError(errno.EIO, os.strerror(errno.EIO), file.path)
        if file.inode not in self.dropped:
            super().sync_data(file)


def _failing() -> Callable[[Path], JSONLBackend]:
    """The second of the backends that are opened has the disk that fails: the first one does what is given."""
    disks: list[Files | None] = [FailingFiles(), None]
    return lambda path: opened(path, disks.pop() if disks else None)


def _add_until_it_succeeds(store: SessionStore) -> None:
    for _ in range(2):
        with contextlib.suppress(BackendUnavailableError):
            store.add_message(KEY, "user", "two")
            return


FAILED_SYNC = Scenario([_add_until_it_succeeds], [_add("one")], open=_failing)


# --- rules, switched off


def no_seal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Appender, "_open_end", lambda self, look, file: (look.size, b""))


def seal_by_newline(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(appending, "_SEAL", b"\n")


def no_batch_marks(patch: pytest.MonkeyPatch) -> None:
    def as_batch(records: Sequence[bytes], header: Header | None = None) -> bytes:
        first = marks.as_line(records[0], header.text() if header else "")
        return first + b"".join(map(marks.as_line, records[1:]))

    patch.setattr(marks, "as_batch", as_batch)


def salvage_of_nested_objects(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lines, "_is_nested", lambda text, position: False)


def no_sync_of_names(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Durability, "named", lambda self: None)


def no_sync_of_temporary_files(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Files, "sync", lambda self, file: None)


def no_sync_of_appends(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Files, "sync_data", lambda self, file: None)


def document_without_data_flag(patch: pytest.MonkeyPatch) -> None:
    create = Documents.create

    def unflagged(self: Documents, entry: Entry, look: Look, *, needs_data: bool, edit: Edit | None = None) -> Look:
        return create(self, entry, look, needs_data=False, edit=edit)

    patch.setattr(Documents, "create", unflagged)


def log_before_document(patch: pytest.MonkeyPatch) -> None:
    def create(self: Rewriter, entry: Entry, look: Look, records: Any, edit: Edit | None = None) -> Look:
        self._begin(entry, look, self._compose(records, Header(fresh_token())))
        return self.documents.create(entry, look_again(entry), needs_data=True, edit=edit)

    patch.setattr(Rewriter, "create", create)


def delete_without_data_flag(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Writer, "_require_data", lambda self, entry, look, must_stay: look)


def delete_document_first(patch: pytest.MonkeyPatch) -> None:
    def delete(self: Writer, entry: Entry, look: Look) -> bool:
        for path in (look.meta_path, look.data_path):
            self.context.files.remove(path)
            self.context.files.sync_directory(self.context.directory)
        return True

    patch.setattr(Writer, "delete", delete)


def truncate_without_sync_of_the_log(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Appender, "settle", lambda self, entry, look: look)


def no_clamp_of_skip(patch: pytest.MonkeyPatch) -> None:
    def mend(self: Documents, entry: Entry, look: Look) -> Look:
        assert look.meta.state is State.READ
        return look

    patch.setattr(Documents, "mend", mend)


def replace_in_two_steps(patch: pytest.MonkeyPatch) -> None:
    """Without filler: the log first, then the document that says that nothing of it is truncated."""

    def replace(self: Rewriter, entry: Entry, look: Look, records: Any, edit: Edit | None) -> Look:
        self._install(entry, look, self._compose(records, Header(fresh_token())))
        return self.documents.change(entry, look_again(entry), lambda draft: draft.set_lines(count=1, skip=0))

    patch.setattr(Rewriter, "replace", replace)


def replace_without_waiting_document(patch: pytest.MonkeyPatch) -> None:
    replace = Rewriter.replace

    def replace_then_change(self: Rewriter, entry: Entry, look: Look, records: Any, edit: Edit | None) -> Look:
        look = replace(self, entry, look, records, None)
        return self.documents.change(entry, look, edit) if edit else look

    patch.setattr(Rewriter, "replace", replace_then_change)


def fold_the_log_first(patch: pytest.MonkeyPatch) -> None:
    def fold(self: Rewriter, entry: Entry, look: Look) -> None:
        draft = same(look)
        draft.set_lines(count=look.lines - look.meta.skip, skip=0)
        self._copy(entry, look, filler=0)
        self.documents.write(look, draft.encode())

    patch.setattr(Rewriter, "_fold", fold)


def trust_in_a_second_sync(patch: pytest.MonkeyPatch) -> None:
    appended = Durability.appended

    def twice(self: Durability, key: str, file: OpenFile) -> None:
        with contextlib.suppress(OSError):
            appended(self, key, file)
            return
        appended(self, key, file)

    patch.setattr(Durability, "appended", twice)


def trust_in_what_was_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Tail, "covers", lambda self, file, size: (self.file.inode, self.size) == (file.inode, size))


RULES: list[tuple[str, Off, Scenario]] = [
    ("a torn tail is sealed before the next record", no_seal, APPEND),
    ("an append is synced before it returns", no_sync_of_appends, APPEND),
    ("a batch is marked inside its lines", no_batch_marks, BATCH),
    ("salvage invents no message from the inside of another", salvage_of_nested_objects, NESTING),
    ("the directory is synced after the first append", no_sync_of_names, FIRST),
    ("the directory is synced when a session begins without messages", no_sync_of_names, BEGIN),
    ("temporary files are synced before they get their names", no_sync_of_temporary_files, REPLACE),
    ("the first document says that without log there is no session", document_without_data_flag, FIRST),
    (
        "the document is there before the log",
        log_before_document,
        Scenario([lambda s: s.add_message("a:b", "user", "1")]),
    ),
    ("a deleted session's document says that without log there is no session", delete_without_data_flag, DELETE),
    ("the log is deleted before the document", delete_document_first, DELETE),
    ("a truncation syncs the log first", truncate_without_sync_of_the_log, UNSYNCED),
    ("save syncs the log", no_sync_of_appends, SAVE),
    ("save trusts in syncs, not in appends", trust_in_what_was_not_synced, SAVE),
    ("skip never says more than there is", no_clamp_of_skip, LOST),
    ("a new history has filler for what is truncated", replace_in_two_steps, REPLACE),
    ("a new document waits in the old one for its log", replace_without_waiting_document, REPLACE_ALL),
    ("filler goes after the document stopped counting it", fold_the_log_first, COMPACT),
    ("a failed sync is never tried again", trust_in_a_second_sync, FAILED_SYNC),
]


@cache
def intact(scenario: Scenario) -> Report:
    """What the checker says of a scenario with every rule; several rules share one."""
    with tempfile.TemporaryDirectory() as room:
        return scenario.check(Path(room))


@pytest.mark.parametrize(("off", "scenario"), [rule[1:] for rule in RULES], ids=[rule[0] for rule in RULES])
def test_a_rule_that_is_left_out_is_found(
    off: Off, scenario: Scenario, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert intact(scenario).violations == (), intact(scenario)
    off(monkeypatch)
    monkeypatch.setattr(checker, "_FURTHER", 0)  # one violation of a moment is enough
    assert scenario.check(tmp_path).violations
