"""A finding says what to do when something is to be done."""

from __future__ import annotations

import pytest

from sessionkit.findings import Finding, Level


@pytest.mark.parametrize("level", [Level.WARNING, Level.PROBLEM])
def test_a_finding_that_asks_for_something_says_what(level: Level) -> None:
    with pytest.raises(ValueError, match=r"'disk' is a .* does not say what to do"):
        Finding(level=level, check="disk", found="it is full")


@pytest.mark.parametrize("level", [Level.OK, Level.UNKNOWN])
def test_a_finding_that_asks_for_nothing_needs_no_advice(level: Level) -> None:
    assert str(Finding(level=level, check="disk", found="it is large")) == f"{level}: disk: it is large"


def test_a_finding_reads_as_one_line() -> None:
    assert str(Finding.problem("disk", "it is full", "make room")) == "problem: disk: it is full; make room"
    assert str(Finding.unknown("disk", "it may not be asked", "ask")) == "unknown: disk: it may not be asked; ask"
