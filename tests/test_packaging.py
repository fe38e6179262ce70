"""What the distributions promise to those who install and import them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

import sessionkit

ROOT = Path(__file__).parents[1]
PROJECTS = [ROOT / "pyproject.toml", *sorted(ROOT.glob("plugins/*/pyproject.toml"))]
PUBLIC: list[str] = vars(sessionkit)["__all__"]  # the stub file, which type checkers read instead, has none


def _read(path: Path) -> dict[str, Any]:
    return tomllib.loads(path.read_text("utf-8"))


def _requirements(project: dict[str, Any]) -> list[str]:
    groups = [
        project["build-system"]["requires"],
        project["project"].get("dependencies", []),
        *project["project"].get("optional-dependencies", {}).values(),
        *project.get("dependency-groups", {}).values(),
    ]
    return [item for group in groups for item in group if isinstance(item, str)]


def _name(requirement: str) -> str:
    match = re.match(r"[A-Za-z0-9._-]+", requirement)
    assert match, requirement
    return re.sub(r"[-_.]+", "-", match[0]).lower()


def test_all_distributions_have_one_version() -> None:
    assert {_read(path)["project"]["version"] for path in PROJECTS} == {sessionkit.__version__}


@pytest.mark.parametrize("path", PROJECTS[1:], ids=lambda path: path.parent.name)
def test_a_plugin_requires_the_core_of_its_own_version(path: Path) -> None:
    assert f"sessionkit-core=={sessionkit.__version__}" in _read(path)["project"]["dependencies"]


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_nothing_requires_the_strangers_distribution(path: Path) -> None:
    assert "sessionkit" not in {_name(requirement) for requirement in _requirements(_read(path))}


def test_nobody_is_told_to_install_the_strangers_distribution() -> None:
    told = re.compile(
        r"(pip|pipx|uv) (tool )?install\b[^\n`&|;]*[ \"']sessionkit(\[\w+\])?([ \"'=<>~!`]|$)", re.MULTILINE
    )
    folders = ("sessionkit", "plugins", "docs", "examples", "benchmarks")
    files = [path for folder in folders for path in ROOT.glob(f"{folder}/**/*")]
    texts = [path for path in files if path.suffix in {".md", ".py", ".toml", ".txt", ".in"}]
    assert [path for path in [*ROOT.glob("*.md"), *texts] if told.search(path.read_text("utf-8"))] == []


@pytest.mark.parametrize("path", PROJECTS, ids=lambda path: path.parent.name)
def test_a_package_is_typed(path: Path) -> None:
    packages = _read(path)["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    assert [package for package in packages if not (path.parent / package / "py.typed").exists()] == []


def test_importing_sessionkit_loads_nothing_heavy() -> None:
    code = "import sys; before = set(sys.modules); import sessionkit; print(*sorted(set(sys.modules) - before))"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    heavy = {"asyncio", "attrs", "click", "importlib_metadata", "json", "logging", "msgspec", "pluggy", "re", "tomllib"}
    assert "sessionkit" in loaded
    assert heavy & {name.partition(".")[0] for name in loaded} == set()
    assert [name for name in loaded if name.startswith("sessionkit.")] == []


@pytest.mark.parametrize("name", PUBLIC)
def test_a_public_name_leads_to_its_object(name: str) -> None:
    assert getattr(sessionkit, name) is not None


def test_type_checkers_see_the_public_names() -> None:
    stub = ast.parse((ROOT / "sessionkit/__init__.pyi").read_text("utf-8"))
    imported = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    declared = {ast.unparse(node.target) for node in stub.body if isinstance(node, ast.AnnAssign)}
    assert imported | declared == set(PUBLIC)
