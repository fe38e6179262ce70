"""What a power cut leaves of a directory of documents, after every call and in every way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import pytest
from sessionkit_json import SessionManager

from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker

pytestmark = pytest.mark.slow

KEY = "cli:direct"
OTHER = "telegram:17"

Operation: TypeAlias = Callable[[SessionStore], object]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


WRITES: list[Operation] = [
    lambda store: store.add_message(KEY, "user", "one"),
    lambda store: store.add_message(KEY, "assistant", "two"),
    lambda store: store.add_messages(KEY, [_user("three"), _user("4" * 1500)]),
    lambda store: store.truncate_history(KEY, 3),
    lambda store: store.truncate_history(KEY, 2, summary="what was said"),
    lambda store: store.set_summary(KEY, "more of it"),
    lambda store: store.update_session(KEY, metadata={"chat": 17}, aliases=["direct"]),
    lambda store: store.set_history(KEY, [_user("anew")]),
    lambda store: store.add_message(OTHER, "user", "hello"),
    lambda store: store.fork_session(KEY, "a fork"),
    lambda store: store.delete_session(KEY),
    lambda store: store.add_message(KEY, "user", "again"),
]


def test_with_autosave_a_write_that_returned_survives_a_power_cut() -> None:
    report = CrashChecker(open=partial(SessionManager, autosave=True), second_states=150).check(WRITES)
    assert report.violations == (), report
    assert report.states > 300
    assert report.second_states == 150


def test_without_autosave_what_was_saved_survives_a_power_cut() -> None:
    operations: list[Operation] = []
    for write in WRITES:
        operations += [write, lambda store: store.save(KEY)]
    operations.append(lambda store: store.save(OTHER))
    report = CrashChecker(open=SessionManager, acknowledged="save", second_states=150).check(operations)
    assert report.violations == (), report
    assert report.states > 250
    assert report.second_states == 150
