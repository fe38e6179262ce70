"""A pytest plugin that counts, for each backend, the clauses that ran and those that were skipped.

Turn it on with ``pytest_plugins = ["sessionkit.testing.report"]`` in the top ``conftest.py``, or with
``-p sessionkit.testing.report``.
"""

from __future__ import annotations

from collections import Counter

import pytest

from sessionkit.testing.conformance import SessionStoreConformance

_PROPERTY = "conformance"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark which items are clauses, and of which class; reports carry the mark, also between processes."""
    for item in items:
        if isinstance(item, pytest.Function) and item.cls and issubclass(item.cls, SessionStoreConformance):
            item.user_properties.append((_PROPERTY, item.cls.__name__))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print a line for each backend."""
    counts: dict[str, Counter[str]] = {}
    for outcome in ("passed", "failed", "skipped"):
        for report in terminalreporter.getreports(outcome):
            for name, value in getattr(report, "user_properties", ()):
                if name == _PROPERTY:
                    counts.setdefault(str(value), Counter())[outcome] += 1
    if not counts:
        return
    terminalreporter.section("conformance")
    for backend, count in sorted(counts.items()):
        terminalreporter.write_line(
            f"{backend}: {count['passed']} clauses passed, {count['failed']} failed, {count['skipped']} skipped"
        )
