"""What is installed, and what of it is broken or does not fit together."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit.doctor.plugins import check_plugins
from sessionkit.findings import Finding, Level

BACKEND = """
from sessionkit.memory import MemoryBackend
from sessionkit.plugins import BackendPlugin
plugin = BackendPlugin(factory=lambda options: MemoryBackend(){more})
"""


def of(check: str, *chosen: tuple[str, str]) -> list[Finding]:
    return [finding for finding in check_plugins(chosen) if finding.check == check]


def test_a_plugin_that_loads_is_told_with_its_version(site: Any) -> None:
    site.install(
        "zoo", backends={"zoo": "zoo_doc_a:plugin"}, modules={"zoo_doc_a": BACKEND.format(more=", api_version=(1, 1)")}
    )
    assert of("backend zoo") == [Finding.ok("backend zoo", "zoo 1.0")]


def test_one_of_an_earlier_api_is_told_as_that(site: Any) -> None:
    source = BACKEND.format(more=", api_version=(1, 0)")
    site.install("zoo", backends={"zoo": "zoo_doc_b:plugin"}, modules={"zoo_doc_b": source})
    (finding,) = of("backend zoo")
    assert (finding.level, finding.found) == (Level.OK, "zoo 1.0, written for version 1.0 of the plugin API")


@pytest.mark.parametrize(
    ("group", "noun"), [("backends", "backend"), ("extensions", "extension"), ("commands", "command")]
)
def test_a_broken_one_is_a_warning_and_if_it_is_used_a_problem(site: Any, group: str, noun: str) -> None:
    value = f"zoo_doc_{group}:plugin"
    source = "raise SystemExit('spoilt')"
    site.install("zoo", groups={f"sessionkit.{group}": {"zoo": value}}, modules={f"zoo_doc_{group}": source})
    (unused,) = of(f"{noun} zoo")
    (used,) = of(f"{noun} zoo", ("zoo", value))
    assert (unused.level, used.level) == (Level.WARNING, Level.PROBLEM)
    assert "spoilt" in unused.found
    assert unused.advice == "reinstall, upgrade or uninstall zoo"


def test_one_of_a_later_major_version_is_told(site: Any) -> None:
    site.install("zoo", groups={"sessionkit.backends.v2": {"zoo": "zoo_doc_c:plugin"}})
    (finding,) = of("sessionkit.backends.v2 zoo")
    assert (finding.level, "later plugin API" in finding.found) == (Level.WARNING, True)


def test_a_name_that_two_offer_is_told(site: Any) -> None:
    site.install("zoo", backends={"zoo": "zoo_doc_d:plugin"}, modules={"zoo_doc_d": BACKEND.format(more="")})
    site.install("circus", backends={"zoo": "zoo_doc_e:plugin"}, modules={"zoo_doc_e": BACKEND.format(more="")})
    found = [finding for finding in of("backend zoo") if finding.level is Level.WARNING]
    assert [finding.found for finding in found] == ["it is offered by circus 1.0 and zoo 1.0"]


def test_an_entry_point_that_is_ignored_is_told(site: Any) -> None:
    site.install("zoo", backends={"Not A Name": "zoo_doc_f:plugin"})
    (finding,) = of("entry point")
    assert (finding.level, "'Not A Name' of zoo 1.0" in finding.found) == (Level.WARNING, True)


def test_a_part_of_another_release_is_told(site: Any) -> None:
    backends = {"jsonl": "jsonl_doc:plugin"}
    modules = {"jsonl_doc": BACKEND.format(more="")}
    site.install("sessionkit-jsonl", version="9.9", backends=backends, modules=modules)
    (finding,) = of("versions")
    assert (finding.level, "sessionkit-jsonl 9.9" in finding.found) == (Level.WARNING, True)
