"""What a power cut leaves of log and archive together: everything that was said, once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeAlias

import attrs
import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, archive, read_archive
from sessionkit_jsonl.archive import Archive
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import Files
from sessionkit_jsonl.lines import parse
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.removing import Removed
from sessionkit_jsonl.rewriting import Composed, Rewriter
from sessionkit_jsonl.writing import Writer

from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import Session, SessionPage
from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker, Report

Operation: TypeAlias = Callable[[SessionStore], object]

KEY = "direct"
SECOND_STATES = int(os.environ.get("SESSIONKIT_CRASH_STATES", "12"))
"""How many states of a second power cut are opened."""

at_length = pytest.mark.skipif(
    "SESSIONKIT_CRASH_STATES" not in os.environ,
    reason="a part of the long run of the crash checker: set SESSIONKIT_CRASH_STATES=100",
)


class Whole(JSONLBackend):
    """Shows as a session's messages all that was ever said: the archive, what is truncated, and the history.

    A truncated message may stand in the archive already while the log still has it. A message of the history may
    not, and none may stand in the archive twice. What a power cut left is compacted when it is opened.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(JSONLOptions(path=path, archive=True, compact_threshold=0))
        self.path = path
        for info in super().sessionkit_list_sessions("", None, 10).sessions:
            self.sessionkit_save(info.key)

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        return self._whole(super().sessionkit_get_session(key, limit))

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = super().sessionkit_list_sessions(prefix, cursor, limit)
        infos = [attrs.evolve(info, count=self.sessionkit_get_session(info.key, None).count) for info in page.sessions]
        return SessionPage(sessions=infos, next=page.next)

    def _whole(self, session: Session) -> Session:
        path = self.path / f"{session.key}.archive"
        if not session.exists:
            assert not path.exists(), "the archive of a session that is not there"
            return session
        archived = list(read_archive(path)) if path.exists() else []
        log = self.path / f"{session.key}.jsonl"
        settled, rest = parse(log.read_bytes() if log.exists() else b"", final=True)
        stored = [Message.adopt(value) for value in settled.values + rest.values]
        truncated = stored[: len(stored) - session.count]
        messages = (*archived, *[message for message in truncated if message not in archived], *session.messages)
        return attrs.evolve(session, messages=messages, count=len(messages))


def user(*texts: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in texts]


GIVEN: list[Operation] = [
    lambda store: store.add_messages(KEY, user("one", "two", "three")),
    lambda store: store.truncate_history(KEY, 2),
    lambda store: store.add_message(KEY, "user", "four"),
]
ARCHIVED = [*GIVEN, lambda store: store.save(KEY)]

SCENARIOS: dict[str, tuple[list[Operation], list[Operation]]] = {
    "compacting": ([*GIVEN[:1]], [*GIVEN[1:2], lambda store: store.save(KEY)]),
    "compacting again": (ARCHIVED, [lambda store: store.truncate_history(KEY, 0), lambda store: store.save(KEY)]),
    "replacing": (
        ARCHIVED,
        [lambda store: store.update_session(KEY, messages=user("three", "five"), summary="what was said")],
    ),
    "deleting": (ARCHIVED, [lambda store: store.delete_session(KEY)]),
}


def check(name: str, second_states: int) -> Report:
    given, operations = SCENARIOS[name]
    return CrashChecker(open=Whole, second_states=second_states).check(operations, given=given)


@pytest.mark.parametrize(
    "name",
    [
        "compacting",
        "deleting",
        pytest.param("compacting again", marks=at_length),
        pytest.param("replacing", marks=at_length),
    ],
)
def test_no_power_cut_loses_or_doubles_a_message(name: str) -> None:
    report = check(name, SECOND_STATES)
    print(report)
    assert report.violations == (), report
    assert report.states >= 4


def _nothing_is_known(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(archive, "_chunks_behind", lambda file, size, nonce, position: [])


def _chunks_are_not_synced(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Files, "sync", lambda self, file: None if file.path.endswith(".archive") else os.fsync(file.fd))


def _the_name_is_not_synced(patch: pytest.MonkeyPatch) -> None:
    add = Archive.add

    def unsynced(self: Archive, nonce: str, removed: Iterable[Removed]) -> None:
        with pytest.MonkeyPatch.context() as inner:
            inner.setattr(Files, "sync_directory", lambda self, path: None)
            add(self, nonce, removed)

    patch.setattr(Archive, "add", unsynced)


def _the_log_goes_first(patch: pytest.MonkeyPatch) -> None:
    late: list[Callable[[], None]] = []
    add, install = Archive.add, Rewriter._install

    def later(self: Archive, nonce: str, removed: Iterable[Removed]) -> None:
        known = list(removed)
        late.append(lambda: add(self, nonce, known))

    def first(self: Rewriter, entry: Entry, look: Look, composed: Composed) -> None:
        install(self, entry, look, composed)
        while late:
            late.pop()()

    patch.setattr(Archive, "add", later)
    patch.setattr(Rewriter, "_install", first)


def _the_archive_goes_last(patch: pytest.MonkeyPatch) -> None:
    remove = Writer._remove

    def document_first(self: Writer, paths: list[str]) -> None:
        for path in paths:
            document = path.removesuffix(".archive") + ".meta.json"
            if self.context.files.remove(document):
                self.context.files.sync_directory(self.context.directory)
        remove(self, paths)

    patch.setattr(Writer, "_remove", document_first)


@pytest.mark.parametrize(
    ("name", "off"),
    [
        pytest.param("compacting", _nothing_is_known, marks=at_length),
        pytest.param("compacting", _chunks_are_not_synced, marks=at_length),
        pytest.param("compacting", _the_name_is_not_synced, marks=at_length),
        pytest.param("compacting", _the_log_goes_first, marks=at_length),
        ("deleting", _the_archive_goes_last),
    ],
)
def test_each_rule_is_needed(
    monkeypatch: pytest.MonkeyPatch, name: str, off: Callable[[pytest.MonkeyPatch], None]
) -> None:
    off(monkeypatch)
    assert check(name, 0).violations
