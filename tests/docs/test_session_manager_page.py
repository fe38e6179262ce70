"""The page of the SessionManager names tests that are there."""

from __future__ import annotations

import ast
import re

from .markdown import ROOT

PAGE = ROOT / "docs/reference/session-manager.md"
_TEST = re.compile(r"`(test_\w+\.py)::(test_\w+)`")


def test_every_behaviour_has_a_test() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 10
    assert not [row for row in rows if not _TEST.search(row)]


def test_the_tests_of_the_behaviours_are_there() -> None:
    folder = ROOT / "plugins/json/tests"
    named = _TEST.findall(PAGE.read_text("utf-8"))
    there = {
        (path.name, node.name)
        for path in folder.glob("test_*.py")
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef)
    }
    assert {*named} - there == set()
