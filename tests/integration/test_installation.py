"""The README's first command, run as a newcomer runs it: from a clean checkout, in a fresh virtual environment."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow

_COMMAND = re.compile(r"^```bash no-run: tests/integration/test_installation\.py .*\n(.+)\n```$", re.MULTILINE)

_LEFT_OUT = shutil.ignore_patterns(".git", ".tox", ".venv", "venv", ".*_cache", "__pycache__", ".hypothesis", "dist")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("installation")


@pytest.fixture(scope="module")
def environ(folder: Path) -> dict[str, str]:
    """The environment inside the activated virtual environment."""
    subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "PYTHON"))}
    return kept | {"PATH": f"{folder / 'venv' / 'bin'}{os.pathsep}{os.environ['PATH']}", "NO_COLOR": "1"}


@pytest.fixture(scope="module")
def shown(folder: Path, environ: dict[str, str]) -> str:
    """What the command prints."""
    command = _COMMAND.search((ROOT / "README.md").read_text("utf-8"))
    assert command, "README.md shows no command that installs everything"
    shutil.copytree(ROOT, folder / "checkout", ignore=_LEFT_OUT)
    return _run(["bash", "-c", command[1]], folder / "checkout", environ)


def _run(command: list[str], directory: Path, environ: dict[str, str]) -> str:
    result = subprocess.run(
        command,
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


def test_the_first_command_of_the_readme_installs_and_shows_a_conversation(shown: str) -> None:
    assert "Successfully installed" in shown
    assert re.search(r"user|assistant", shown)


@pytest.fixture(scope="module")
def whole(shown: str, folder: Path, environ: dict[str, str]) -> None:
    """What the command leaves out, because it needs a server: installed too."""
    _run(["pip", "install", "./plugins/redis"], folder / "checkout", environ)


@pytest.mark.usefixtures("whole")
@pytest.mark.parametrize(
    "source",
    ["sessionkit", "plugins/json/sessionkit_json", "plugins/jsonl/sessionkit_jsonl", "plugins/redis/sessionkit_redis"],
)
def test_a_wheel_holds_every_file_of_its_package(source: str, folder: Path) -> None:
    (site_packages,) = folder.glob("venv/lib/python*/site-packages")
    package = ROOT / source
    files = [path.relative_to(package) for path in package.rglob("*") if path.is_file()]
    names = {path for path in files if not path.parts[0].startswith(".") and "__pycache__" not in path.parts}
    assert Path("py.typed") in names
    assert [name for name in sorted(names) if not (site_packages / package.name / name).exists()] == []


@pytest.mark.usefixtures("shown")
def test_the_command_also_runs_as_a_module(folder: Path, environ: dict[str, str]) -> None:
    assert "json" in _run(["python", "-m", "sessionkit", "backends"], folder, environ)
