"""Checking a scenario, with the promise that its durability makes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

from sessionkit.store import SessionStore
from sessionkit.testing.crash import CrashChecker, Report

from .crash_scenarios import Operation, opened


def checked(
    operations: list[Operation],
    *,
    given: list[Operation] | Path,
    second_states: int = 100,
    durability: str = "always",
    **options: Any,
) -> Report:
    """Cut the power under operations. With ``always``, what returned has to be there, else what was saved."""
    always = durability == "always"
    report = CrashChecker(
        open=partial(opened, durability=durability, interval=3600, **options),
        acknowledged="write" if always else "save",
        in_order=always,
        second_states=second_states,
    ).check(operations if always else [*operations, _save_all], given=given)
    print(report)
    assert report.violations == (), report
    return report


def _save_all(store: SessionStore) -> None:
    for info in store.list_sessions():
        store.save(info.key)
