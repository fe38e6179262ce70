"""The long run of the crash checker: many second cuts, longer scenarios, every durability.

``SESSIONKIT_CRASH_STATES`` says how many second cuts each scenario has. With 100 the run takes some ten minutes, so it
is no part of the normal one::

    SESSIONKIT_CRASH_STATES=100 python -m pytest plugins/jsonl/tests/test_crashes_at_length.py -s
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from .crash_checks import checked
from .crash_scenarios import GIVEN, KEY, OF_PICOCLAW, OTHER, SCENARIOS, Operation, drawn, make_picoclaws, user

SECOND_STATES = int(os.environ.get("SESSIONKIT_CRASH_STATES", "0"))
FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"

if not SECOND_STATES:
    pytest.skip("the long run of the crash checker: set SESSIONKIT_CRASH_STATES=100", allow_module_level=True)


@pytest.mark.parametrize("durability", ["always", "interval", "os"])
@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario(name: str, durability: str) -> None:
    checked(SCENARIOS[name], given=GIVEN, durability=durability, second_states=SECOND_STATES)


@pytest.mark.parametrize("name", SCENARIOS)
def test_each_scenario_with_an_archive(name: str) -> None:
    checked(SCENARIOS[name], given=GIVEN, second_states=SECOND_STATES, archive=True)


@pytest.mark.parametrize("seed", range(40))
def test_scenarios_by_lot(seed: int) -> None:
    durability = ("always", "always", "always", "os")[seed % 4]
    checked(drawn(seed, 12), given=[], durability=durability, second_states=SECOND_STATES, archive=seed % 4 == 1)


@pytest.mark.parametrize("durability", ["always", "interval", "os"])
def test_a_directory_of_picoclaw(tmp_path: Path, durability: str) -> None:
    given = make_picoclaws(tmp_path / "given")
    checked(OF_PICOCLAW, given=given, durability=durability, second_states=SECOND_STATES)


@pytest.mark.parametrize("name", ["picoclaw-v0.2.2-jsonl", "picoclaw-main-jsonl"])
@pytest.mark.parametrize("key", ["cli:direct", "agent:main:main"])
def test_a_directory_of_the_real_picoclaw(name: str, key: str) -> None:
    given = FIXTURES / name / "sessions"
    if not given.is_dir():
        pytest.skip(f"no picoclaw fixtures in {FIXTURES}")
    operations: list[Operation] = [
        lambda store: store.add_message(key, "user", "new"),
        lambda store: store.truncate_history(key, 2, summary="what was said"),
        lambda store: store.save(key),
        lambda store: store.fork_session(key, "a:fork"),
        lambda store: store.delete_session(key),
    ]
    checked(operations, given=given, second_states=SECOND_STATES)


def test_filler_that_is_removed() -> None:
    given: list[Operation] = [
        lambda store: store.add_messages(KEY, [user(str(number)) for number in range(2200)]),
        lambda store: store.truncate_history(KEY, 1),
    ]
    operations: list[Operation] = [
        lambda store: store.set_history(KEY, [user("anew")]),
        lambda store: store.add_message(OTHER, "user", "there"),
        lambda store: store.truncate_history(KEY, 0),
    ]
    checked(operations, given=given, second_states=SECOND_STATES, compact_threshold=1 << 20)
