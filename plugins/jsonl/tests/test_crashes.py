"""What a power cut leaves of a log, after every call and in every way.

Each scenario has few second cuts here; ``test_crashes_at_length.py`` has many, and longer scenarios.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from .crash_checks import checked
from .crash_scenarios import GIVEN, OF_PICOCLAW, SCENARIOS, Operation, make_picoclaws

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("name", SCENARIOS)
def test_what_returned_survives_a_power_cut(name: str) -> None:
    report = checked(SCENARIOS[name], given=[] if name == "beginning" else GIVEN)
    assert report.states >= 5
    assert report.second_states == 100


@pytest.mark.parametrize("key", ["direct", "cli:direct"])
def test_the_first_append_leaves_nothing_or_the_message(key: str) -> None:
    operations: list[Operation] = [lambda store: store.add_message(key, "user", "one")]
    assert checked(operations, given=[], compact_threshold=65_536).states > 100


def test_what_picoclaw_left_survives_a_power_cut(tmp_path: Path) -> None:
    assert checked(OF_PICOCLAW, given=make_picoclaws(tmp_path / "given")).states > 100


@pytest.mark.parametrize(("name", "durability"), [("appending", "os"), ("replacing", "os"), ("truncating", "interval")])
def test_what_was_saved_survives_a_power_cut(name: str, durability: str) -> None:
    assert checked(SCENARIOS[name], given=GIVEN, durability=durability, second_states=50).states > 100
