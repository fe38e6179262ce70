"""A pytest plugin that counts, for each backend, the clauses that ran and those that were skipped.

Turn it on with ``pytest_plugins = ["sessionkit.testing.report"]`` in the top ``conftest.py``, or with
``-p sessionkit.testing.report``.
"""

from __future__ import annotations

from collections import Counter

import pytest

from sessionkit.testing.conformance import SessionStoreConformance

_CLASSES = pytest.StashKey[dict[str, str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Remember which items are clauses, and of which class."""
    classes = config.stash.setdefault(_CLASSES, {})
    for item in items:
        if isinstance(item, pytest.Function) and item.cls and issubclass(item.cls, SessionStoreConformance):
            classes[item.nodeid] = item.cls.__name__


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print a line for each backend."""
    classes = config.stash.get(_CLASSES, {})
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            if report.nodeid in classes:
                counts.setdefault(classes[report.nodeid], Counter())[outcome] += 1
    if not counts:
        return
    terminalreporter.section("conformance")
    for name, count in sorted(counts.items()):
        terminalreporter.write_line(
            f"{name}: {count['passed']} clauses passed, {count['failed']} failed, {count['skipped']} skipped"
        )
