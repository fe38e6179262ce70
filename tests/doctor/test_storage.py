"""The storage: opened, asked, listed; and nothing that goes wrong there raises."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit.config import resolve
from sessionkit.doctor import examine
from sessionkit.doctor.storage import check_storage
from sessionkit.findings import Finding, Level

BACKEND = """
from sessionkit import BackendUnavailableError, Finding, SessionPage, StoreError, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.plugins import BackendPlugin

class Zoo(MemoryBackend):
{body}

plugin = BackendPlugin(factory=lambda options: Zoo())
"""

Check = Callable[[str], list[Finding]]


@pytest.fixture
def check(site: Any, request: pytest.FixtureRequest) -> Check:
    """What is found with a backend whose class has this body."""

    def check(body: str) -> list[Finding]:
        module = f"zoo_storage_{request.node.name}"
        site.install("zoo", backends={"zoo": f"{module}:plugin"}, modules={module: BACKEND.format(body=body)})
        return list(check_storage(resolve("zoo:")))

    return check


def test_a_sound_store_opens_and_lists() -> None:
    levels = {finding.check: finding.level for finding in check_storage(resolve("memory:"))}
    assert levels == {"opening": Level.OK, "keeping": Level.OK, "listing": Level.OK}


def test_a_store_that_does_not_open_is_a_problem(check: Check) -> None:
    (finding,) = check("    def __init__(self): raise BackendUnavailableError('the disk is gone')")
    assert (finding.level, finding.check, finding.found) == (Level.PROBLEM, "opening", "the disk is gone")


def test_a_diagnosis_that_fails_is_a_problem_and_the_rest_is_told(check: Check) -> None:
    findings = check("    @hookimpl\n    def sessionkit_diagnose(self): raise BackendUnavailableError('no answer')")
    assert [(f.check, f.level) for f in findings] == [
        ("opening", Level.OK),
        ("storage", Level.PROBLEM),
        ("listing", Level.OK),
    ]


def test_a_backend_that_cannot_examine_itself_is_told_as_unknown(check: Check) -> None:
    findings = check("    sessionkit_diagnose = hookimpl(lambda self: [])")
    assert findings[1] == Finding.unknown("storage", "the backend zoo has no way to examine its storage")


def test_a_listing_that_fails_is_a_problem(check: Check) -> None:
    body = """\
    @hookimpl
    def sessionkit_list_sessions(self, prefix, cursor, limit): raise StoreError('unlistable')
"""
    assert check(body)[-1].found == "unlistable"


def test_sessions_that_a_listing_leaves_out_are_a_problem(check: Check) -> None:
    body = """\
    @hookimpl
    def sessionkit_list_sessions(self, prefix, cursor, limit):
        return SessionPage(sessions=[], next=None, unreadable=("a.json is damaged", "b.json is damaged"))
"""
    finding = check(body)[-1]
    assert (finding.level, finding.found) == (Level.PROBLEM, "a.json is damaged and 1 more")
    assert "sessionkit verify" in finding.advice
    assert "sessionkit repair" in finding.advice


def test_the_sections_come_in_order_and_know_their_worst_finding() -> None:
    sections = {section.name: section.level for section in examine({"backend": "memory", "on_write_error": "hope"})}
    assert list(sections) == ["environment", "configuration", "plugins", "store"]
    assert sections["configuration"] is Level.PROBLEM
    assert sections["store"] is Level.UNKNOWN
