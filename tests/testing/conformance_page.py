"""Writes ``docs/reference/conformance.md``: ``python -m tests.testing.conformance_page`` in the project's directory."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Final

from sessionkit.testing import SessionStoreConformance

from .broken.registry import broken_stores
from .broken.suites import clauses

PAGE: Final = Path(__file__).parents[2] / "docs/reference/conformance.md"

_BEGINNING: Final = """\
# The conformance suite, clause by clause

`sessionkit.testing.SessionStoreConformance` runs these clauses on a backend. Each is proven by at least one store that
is broken on purpose: it has the fault that is told beside the clause, and the clause fails on it. A clause that no
broken store fails does not get in.

This page is made from the clauses and the broken stores by `python -m tests.testing.conformance_page`; a test holds
it up to date.
"""


def page() -> str:
    """The page as it should be."""
    parts = [_part(part) for part in SessionStoreConformance.__bases__]
    count = f"There are {len(clauses())} clauses and {len(broken_stores())} broken stores.\n"
    return "\n".join([_BEGINNING, count, *parts])


def _part(part: type) -> str:
    title = part.__name__.removesuffix("Clauses")
    rule = " ".join((inspect.getdoc(part) or "").split()).replace("``", "`")
    lines = [f"## {title}", "", rule, "", "| clause | what it demands | a store that it catches |", "|---|---|---|"]
    lines += [_row(name) for name in vars(part) if name.startswith("test_")]
    return "\n".join([*lines, ""])


def _row(clause: str) -> str:
    stores = [broken for broken in broken_stores().values() if clause in broken.clauses]
    faults = "<br>".join(f"`{broken.store.__name__}`: {broken.fault}" for broken in stores)
    cells = (clause.removeprefix("test_").replace("_", " "), clauses()[clause].replace("``", "`"), faults)
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
