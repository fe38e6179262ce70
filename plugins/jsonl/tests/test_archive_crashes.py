"""What a power cut leaves of log and archive together: everything that was said, once."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import attrs
import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions, read_archive
from sessionkit_jsonl.lines import parse

from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import Session, SessionPage
from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker

Operation: TypeAlias = Callable[[SessionStore], object]

KEY = "direct"
SECOND_STATES = int(os.environ.get("SESSIONKIT_ARCHIVE_STATES", "40"))
"""How many states of a second power cut are opened; the more the better: 20000 take some minutes."""


class Whole(JSONLBackend):
    """Shows as a session's messages all that was ever said: the archive, what is truncated, and the history.

    A truncated message may stand in the archive already while the log still has it. A message of the history may
    not, and none may stand in the archive twice.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(JSONLOptions(path=path, archive=True, compact_threshold=0))
        self.path = path

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
    "compacting": (
        GIVEN,
        [
            lambda store: store.save(KEY),
            lambda store: store.truncate_history(KEY, 0, summary="what was said"),
            lambda store: store.save(KEY),
            lambda store: store.add_message(KEY, "user", "five"),
        ],
    ),
    "replacing": (
        ARCHIVED,
        [lambda store: store.update_session(KEY, messages=user("three", "five"), summary="what was said")],
    ),
    "deleting": (ARCHIVED, [lambda store: store.delete_session(KEY)]),
}


@pytest.mark.parametrize(("given", "operations"), SCENARIOS.values(), ids=SCENARIOS)
def test_no_power_cut_loses_or_doubles_a_message(given: list[Operation], operations: list[Operation]) -> None:
    report = CrashChecker(open=Whole, second_states=SECOND_STATES).check(operations, given=given)
    print(report)
    assert report.violations == (), report
    assert report.states >= 4
