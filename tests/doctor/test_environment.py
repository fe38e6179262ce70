"""Where it runs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import sessionkit
from sessionkit.doctor.environment import check_environment
from sessionkit.findings import Finding, Level


def of(check: str) -> list[Finding]:
    return [finding for finding in check_environment() if finding.check == check]


def test_python_and_the_core_are_told() -> None:
    assert of("python")[0].level is Level.OK
    assert of("core")[0].found.startswith(f"sessionkit-core {sessionkit.__version__}, plugin API 1.")


def test_another_version_than_the_installed_one_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessionkit, "__version__", "9.9")
    assert of("core")[0].level is Level.WARNING
    assert "what is imported is 9.9" in of("core")[0].found


def test_a_strangers_package_of_the_same_name_is_a_problem(site: Any) -> None:
    assert of("foreign package") == []
    site.install("sessionkit", version="0.6")
    (finding,) = of("foreign package")
    assert (finding.level, "sessionkit 0.6" in finding.found) == (Level.PROBLEM, True)


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="users are something else here")
def test_a_user_without_a_home_directory_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def nobody(uid: int) -> None:
        raise KeyError(uid)

    assert [f for f in check_environment({"HOME": str(Path.home())}) if f.check == "home directory"] == []
    monkeypatch.setattr(pwd, "getpwuid", nobody)
    (finding,) = [finding for finding in check_environment({}) if finding.check == "home directory"]
    assert finding.level is Level.WARNING


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="there is no such limit here")
def test_a_low_limit_of_open_files_is_told() -> None:
    # In a process of its own: this one may have as many files open as that, of stores that other tests left.
    program = (
        "import resource; from sessionkit.doctor.environment import check_environment; "
        "_, hard = resource.getrlimit(resource.RLIMIT_NOFILE); "
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard)); "
        "[print(found.level, found.found) for found in check_environment() if found.check == 'open files']"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    (finding,) = done.stdout.splitlines()
    assert finding.startswith(f"{Level.WARNING} ")
    assert "256" in finding
