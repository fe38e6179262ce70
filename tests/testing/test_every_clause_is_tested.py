"""Whoever adds a clause adds a store that it catches."""

from __future__ import annotations

import inspect
import re

import pytest

from sessionkit.hookspecs import Backend
from sessionkit.plugins.implementations import PARAMETERS
from sessionkit.testing import SessionStoreConformance

from .broken.registry import broken_stores
from .broken.suites import clauses
from .conformance_page import PAGE, page


@pytest.mark.parametrize("clause", clauses())
def test_there_is_a_broken_store_for_each_clause(clause: str) -> None:
    assert [name for name, broken in broken_stores().items() if clause in broken.clauses]


@pytest.mark.parametrize("name", broken_stores())
def test_a_broken_store_is_meant_for_clauses_that_there_are(name: str) -> None:
    assert set(broken_stores()[name].clauses) <= set(clauses())


def test_every_clause_of_the_suite_is_known_here() -> None:
    assert set(clauses()) == {name for name in dir(SessionStoreConformance) if name.startswith("test_")}


@pytest.mark.parametrize(("clause", "demand"), clauses().items())
def test_a_clause_says_what_it_demands(clause: str, demand: str) -> None:
    assert demand.endswith((".", ":")), f"the first line of the docstring of {clause} is a sentence of its own"


@pytest.mark.parametrize("hook", PARAMETERS)
def test_a_hook_and_its_arguments_are_documented(hook: str) -> None:
    text = inspect.getdoc(getattr(Backend, hook)) or ""
    assert text
    described = re.findall(r"^    (\w+): \S", text.partition("Args:\n")[2], re.MULTILINE)
    parameters = [name for name in PARAMETERS[hook] if name not in text.partition("Args:\n")[0]]
    assert set(parameters) <= {*described, "key"}


def test_the_page_of_clauses_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run: python -m tests.testing.conformance_page"
