"""``sessionkit new-backend``: what it writes, and what it refuses to."""

from __future__ import annotations

import configparser
import re
import subprocess
import sys
import tomllib
from datetime import UTC, datetime
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sessionkit import __version__
from sessionkit.cli.new_backend import FILES
from sessionkit.hookspecs import API_VERSION

from .conftest import Run

MAX_LINES = 150
"""How long the generated backend may be, with blank lines and docstrings: it is read as a tutorial."""

MAX_LINES_ASIDE = 25
"""How long its options and its descriptor may be, each."""

NAMES = ("acme", "a", "my-own-2-store", "a-name-as-long-as-it-may-get")


def generate(run: Run, name: str = "acme") -> Path:
    run("new-backend", name)
    return Path(f"sessionkit-{name}").resolve()


def said(output: str) -> str:
    """The words of an error that rich has put into a box."""
    return " ".join(re.sub(r"[│╭╮╰╯─]", " ", output).split())


def requirements(project: dict[str, Any]) -> list[str]:
    extras = project["project"]["optional-dependencies"].values()
    return [*project["build-system"]["requires"], *project["project"]["dependencies"], *(r for e in extras for r in e)]


def test_it_writes_a_project_and_tells_what_to_type_next(run: Run) -> None:
    lines = run("new-backend", "acme").stdout.splitlines()
    assert lines[0] == "The backend acme is in sessionkit-acme:"
    assert "  sessionkit_acme/backend.py" in lines
    assert lines[-4:] == [
        "  cd sessionkit-acme",
        '  python -m pip install -e ".[test]"',
        "  python -m pytest",
        "  sessionkit list --store acme:sessions",
    ]


def test_every_file_that_is_told_is_there_and_no_other(run: Run) -> None:
    lines = run("new-backend", "acme", "--dir", "elsewhere/new").stdout.splitlines()
    place = Path("elsewhere/new")
    told = lines[1 : lines.index("Install it, run its tests, and use it:")]
    assert sorted(line.strip() for line in told) == sorted(
        str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()
    )


def test_a_directory_with_spaces_is_quoted_in_the_next_command(run: Run) -> None:
    assert "  cd 'a new one'" in run("new-backend", "acme", "--dir", "a new one").stdout.splitlines()


@pytest.mark.parametrize("name", NAMES)
def test_every_placeholder_is_filled(run: Run, name: str) -> None:
    place = generate(run, name)
    for path in [path for path in place.rglob("*") if path.is_file()]:
        assert not re.search(r"@[a-z_]+@", f"{path}\n{path.read_text('utf-8')}"), path


def test_the_project_offers_its_backend_under_the_name(run: Run) -> None:
    project = tomllib.loads((generate(run, "my-store") / "pyproject.toml").read_text("utf-8"))
    assert project["project"]["name"] == "sessionkit-my-store"
    assert project["project"]["entry-points"] == {"sessionkit.backends": {"my-store": "sessionkit_my_store:plugin"}}
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["sessionkit_my_store"]
    assert Path("sessionkit-my-store/sessionkit_my_store/py.typed").read_bytes() == b""


def test_it_requires_the_core_and_never_the_distribution_called_plain_sessionkit(run: Run) -> None:
    needed = requirements(tomllib.loads((generate(run) / "pyproject.toml").read_text("utf-8")))
    assert f"sessionkit-core>={__version__}" in needed
    assert f"sessionkit-core[testing]>={__version__}" in needed
    assert not [requirement for requirement in needed if re.match(r"sessionkit(?!-core)", requirement)]


def test_the_settings_of_tox_can_be_read(run: Run) -> None:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(generate(run) / "tox.ini")
    assert parser["testenv:types"]["commands"] == "mypy sessionkit_acme tests"


def test_the_workflow_keeps_the_expressions_of_its_own(run: Run) -> None:
    assert "tox -e ${{ matrix.environment }}" in (generate(run) / ".github/workflows/tests.yml").read_text("utf-8")


def test_the_license_is_of_this_year(run: Run) -> None:
    years = {str(datetime.now(UTC).year), str(datetime.now(UTC).year - 1)}  # it may be New Year
    text = (generate(run) / "LICENSE").read_text("utf-8")
    assert any(f"(c) {year} The authors of sessionkit-acme" in text for year in years)


def test_the_plugin_says_for_which_version_of_the_api_it_is_written(run: Run) -> None:
    module = (generate(run) / "sessionkit_acme" / "__init__.py").read_text("utf-8")
    assert f"api_version=({API_VERSION[0]}, {API_VERSION[1]})," in module


def test_the_generated_backend_is_no_longer_than_a_tutorial_may_be(run: Run) -> None:
    modules = (generate(run, NAMES[-1]) / f"sessionkit_{NAMES[-1].replace('-', '_')}").rglob("*.py")
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in modules}
    assert lengths.pop("__init__.py") <= MAX_LINES_ASIDE
    assert lengths.pop("options.py") <= MAX_LINES_ASIDE
    assert lengths
    assert sum(lengths.values()) <= MAX_LINES, lengths


def test_the_page_about_writing_a_backend_tells_its_length(run: Run) -> None:
    length = len((generate(run) / "sessionkit_acme" / "backend.py").read_text("utf-8").splitlines())
    page = (Path(__file__).parents[2] / "docs/how-to/write-a-backend.md").read_text("utf-8")
    assert f"what SQLite's errors mean: {length} lines |" in page


def test_no_generated_test_module_is_longer_than_a_tutorial_may_be(run: Run) -> None:
    lengths = {path.name: len(path.read_text("utf-8").splitlines()) for path in (generate(run) / "tests").glob("*.py")}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_every_template_is_used() -> None:
    folder = resources.files("sessionkit.cli").joinpath("scaffold")
    assert sorted(entry.name for entry in folder.iterdir()) == sorted(f"{template}.in" for template in FILES)


@pytest.mark.parametrize("name", ["Acme", "1acme", "a--b", "-a", "a-", "a_b", "a.b", "a/b", "../a", "", "é", "a\n"])
def test_what_is_no_name_is_refused(run: Run, name: str, tmp_path: Path) -> None:
    assert "cannot be the name of a backend" in said(run("new-backend", "--", name, status=2).stderr)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["json", "jsonl", "memory", "redis", "rediss", "valkey", "core", "sessionkit"])
def test_the_names_of_sessionkit_are_refused(run: Run, name: str, tmp_path: Path) -> None:
    assert f"'{name}' is a name of sessionkit's own; choose another one" in said(
        run("new-backend", name, status=2).stderr
    )
    assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_empty_is_refused_and_left_as_it_is(run: Run) -> None:
    place = Path("sessionkit-acme")
    place.mkdir()
    (place / "pyproject.toml").write_text("mine")
    assert "sessionkit-acme is not empty; name a new or an empty directory with --dir" in said(
        run("new-backend", "acme", status=2).stderr
    )
    assert [(path.name, path.read_text()) for path in place.iterdir()] == [("pyproject.toml", "mine")]


def test_an_empty_directory_is_filled(run: Run) -> None:
    Path("here").mkdir()
    run("new-backend", "acme", "--dir", "here")
    assert Path("here/pyproject.toml").exists()


def test_a_file_in_the_place_of_the_directory_is_refused(run: Run) -> None:
    Path("sessionkit-acme").write_text("mine")
    run("new-backend", "acme", status=1)
    run("new-backend", "acme", "--dir", "sessionkit-acme", status=2)
    assert Path("sessionkit-acme").read_text() == "mine"


def check(place: Path, *command: str) -> None:
    result = subprocess.run(
        [sys.executable, "-m", *command], cwd=place, capture_output=True, text=True, check=False, timeout=300
    )
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.skipif(not find_spec("mypy"), reason="mypy is not installed here; the environment `types` has it")
@pytest.mark.slow
def test_the_project_is_clean_for_mypy_in_its_strict_mode(run: Run) -> None:
    check(generate(run), "mypy", "--strict", "sessionkit_acme", "tests")


@pytest.mark.skipif(not find_spec("ruff"), reason="ruff is not installed here; the environment `types` has it")
@pytest.mark.parametrize("name", NAMES)
def test_the_project_is_clean_for_ruff(run: Run, name: str) -> None:
    place = generate(run, name)
    check(place, "ruff", "check", "--no-cache")
    check(place, "ruff", "format", "--check", "--no-cache")
