"""``sessionkit new-backend``, from the command to a backend in use: outside the repository, installed with pip."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

_LEFT_OUT = shutil.ignore_patterns(".git", ".tox", ".venv", "venv", ".*_cache", "__pycache__", ".hypothesis", "dist")

Run: TypeAlias = Callable[..., str]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty directory with a fresh virtual environment and a copy of the core in it."""
    folder = tmp_path_factory.mktemp("new-backend")
    shutil.copytree(ROOT / "sessionkit", folder / "core" / "sessionkit", ignore=_LEFT_OUT)
    for name in ("pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md"):
        shutil.copy(ROOT / name, folder / "core" / name)
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    return folder


@pytest.fixture(scope="module")
def run(folder: Path) -> Run:
    """Run a program of the virtual environment, and hold it to its success."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "PYTHON"))}
    programs = folder / "venv" / "bin"
    environ = kept | {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1", "COLUMNS": "200"}

    def run(program: str, *arguments: str, directory: Path = folder) -> str:
        result = subprocess.run(
            [programs / program, *arguments],
            cwd=directory,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        assert result.returncode == 0, result.stdout
        return result.stdout

    return run


@pytest.fixture(scope="module")
def project(folder: Path, run: Run) -> Iterator[Path]:
    """The project, made and installed as a newcomer does it; how long it all took is printed at the end."""
    began = time.monotonic()
    run("python", "-m", "pip", "install", "--quiet", "./core[cli,testing]")
    run("sessionkit", "new-backend", "acme")
    project = folder / "sessionkit-acme"
    run("python", "-m", "pip", "install", "--quiet", "-e", ".[test]", directory=project)
    yield project
    print(f"\nfrom an empty environment to a tested backend: {time.monotonic() - began:.0f} seconds")


def test_its_tests_pass_as_they_were_generated(project: Path, run: Run) -> None:
    output = run("python", "-m", "pytest", directory=project)
    counts = re.search(r"TestAcme: (\d+) clauses passed, 0 failed, (\d+) skipped", output)
    assert counts, output
    assert int(counts[1]) > 100
    assert int(counts[2]) <= 2, "only what needs a password may be skipped"


@pytest.mark.usefixtures("project")
def test_a_store_opens_by_the_name_of_the_backend_and_keeps_what_is_written(run: Run) -> None:
    program = """
from sessionkit import open_store
with open_store("acme:sessions?busy_timeout=1") as store:
    store.add_message("telegram:42", "user", "hello")
with open_store("acme:sessions") as store:
    print(store.get_history("telegram:42")[0].text)
"""
    assert run("python", "-W", "error", "-c", program) == "hello\n"
    assert "telegram:42" in run("sessionkit", "list", "--store", "acme:sessions")


@pytest.mark.usefixtures("project")
def test_it_is_listed_among_the_backends_with_what_it_promises(run: Run) -> None:
    rows = [line.split(maxsplit=3) for line in run("sessionkit", "backends").splitlines()]
    assert ["acme", "sessionkit-acme", "0.1.0", "durable, multi-process, persistent"] in rows


@pytest.mark.usefixtures("project")
def test_its_options_are_among_the_settings(run: Run) -> None:
    assert re.search(r"backends\.acme\.busy_timeout +5\.0 +", run("sessionkit", "config", "--store", "acme:sessions"))
