"""What a power cut leaves of a log, after every call and in every way."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions

from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker

pytestmark = pytest.mark.slow

KEY = "direct"
OTHER = "telegram"

Operation: TypeAlias = Callable[[SessionStore], object]


def _user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def _open(path: Path, *, compact_threshold: int = 0) -> JSONLBackend:
    return JSONLBackend(JSONLOptions(path=path, compact_threshold=compact_threshold))


GIVEN: list[Operation] = [
    lambda store: store.add_message(KEY, "user", "one"),
    lambda store: store.add_message(KEY, "assistant", "two"),
    lambda store: store.add_message(OTHER, "user", "hello"),
]

SCENARIOS: dict[str, list[Operation]] = {
    "appending": [
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.add_messages(KEY, [_user("four"), _user("5" * 1500), _user("six")]),
        lambda store: store.add_message(OTHER, "user", "there"),
        lambda store: store.add_message(KEY, "user", "seven"),
    ],
    "truncating": [
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.truncate_history(KEY, 2),
        lambda store: store.truncate_history(KEY, 1, summary="what was said"),
        lambda store: store.add_message(KEY, "user", "four"),
    ],
    "describing": [
        lambda store: store.set_summary(KEY, "what was said"),
        lambda store: store.update_session(KEY, metadata={"chat": 17}, aliases=["direct"]),
        lambda store: store.add_message(KEY, "user", "three"),
    ],
    "replacing": [
        lambda store: store.set_history(KEY, [_user("anew"), _user("and more")]),
        lambda store: store.truncate_history(KEY, 1),
        lambda store: store.set_history(KEY, [_user("anew again")]),
        lambda store: store.update_session(KEY, messages=[_user("last")], summary="what was said"),
    ],
    "compacting": [
        lambda store: store.truncate_history(KEY, 1, summary="what was said"),
        lambda store: store.save(KEY),
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.truncate_history(KEY, 0),
        lambda store: store.save(KEY),
    ],
    "deleting": [
        lambda store: store.delete_session(KEY),
        lambda store: store.delete_session(OTHER),
    ],
    "forking": [
        lambda store: store.set_summary(KEY, "what was said"),
        lambda store: store.fork_session(KEY, "fork"),
        lambda store: store.add_message("fork", "user", "three"),
    ],
}


@pytest.mark.parametrize("operations", SCENARIOS.values(), ids=SCENARIOS)
def test_what_returned_survives_a_power_cut(operations: list[Operation]) -> None:
    report = CrashChecker(open=_open, second_states=120).check(operations, given=GIVEN)
    assert report.violations == (), report
    assert report.states >= 5
    assert report.second_states > 100


@pytest.mark.parametrize("key", ["direct", "cli:direct"])
def test_the_first_append_leaves_nothing_or_the_message(key: str) -> None:
    checker = CrashChecker(open=partial(_open, compact_threshold=65_536), second_states=120)
    report = checker.check([lambda store: store.add_message(key, "user", "one")])
    assert report.violations == (), report
    assert report.states > 100


def test_a_session_that_is_made_again_after_its_deletion_has_nothing_of_the_old_one() -> None:
    operations: list[Operation] = [
        lambda store: store.delete_session(KEY),
        lambda store: store.add_message(KEY, "user", "again"),
        lambda store: store.add_message(KEY, "user", "and on"),
    ]
    report = CrashChecker(open=_open, second_states=120).check(operations, given=GIVEN)
    assert report.violations == (), report
    assert report.states > 50
