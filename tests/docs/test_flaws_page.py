"""The page of picoclaw's flaws names tests that are there."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

from .markdown import ROOT

PAGE = ROOT / "docs/reference/picoclaw-flaws.md"
_HEADING = re.compile(r"^## (\d+)\*?\. ", re.MULTILINE)
_TEST = re.compile(r"^- `([\w/]+\.py)::(\w+)`$", re.MULTILINE)


def _flaws() -> dict[int, list[tuple[str, str]]]:
    text = PAGE.read_text("utf-8")
    headings = [*_HEADING.finditer(text)]
    ends = [*(heading.start() for heading in headings), len(text)]
    return {
        int(heading[1]): _TEST.findall(text, start, end)
        for heading, (start, end) in zip(headings, pairwise(ends), strict=True)
    }


@cache
def _names(path: Path) -> frozenset[str]:
    found = (ast.FunctionDef, ast.ClassDef)
    return frozenset(node.name for node in ast.parse(path.read_text("utf-8")).body if isinstance(node, found))


def test_every_flaw_has_a_test() -> None:
    flaws = _flaws()
    assert list(flaws) == list(range(1, 22))
    assert not [number for number, tests in flaws.items() if not tests]
    listed = PAGE.read_text("utf-8").count("\n- `")
    assert sum(map(len, flaws.values())) == listed  # no line is written in another way, and so passed over


@pytest.mark.parametrize("number", range(1, 22))
def test_the_tests_of_a_flaw_are_there(number: int) -> None:
    gone = [f"{path}::{name}" for path, name in _flaws()[number] if name not in _names(ROOT / path)]
    assert not gone
