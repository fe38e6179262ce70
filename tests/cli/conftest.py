from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest
from click.testing import CliRunner, Result

from sessionkit import SessionStore, open_store
from sessionkit.cli.app import cli
from sessionkit.plugins import discovery

URL = "shared:tests"


class Run(Protocol):
    """Runs the command in this process and holds it to its exit status."""

    def __call__(self, *arguments: str, stdin: str | bytes | None = None, status: int = 0) -> Result: ...


@pytest.fixture(autouse=True)
def _nothing_configured(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in os.environ:
        if name.startswith(("SESSIONKIT_", "XDG_")) or name in {"NO_COLOR", "FORCE_COLOR", "PY_COLORS"}:
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)


@pytest.fixture(autouse=True)
def _shared_backend(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Install the distribution of ``plugins/``: its backend ``shared`` is new for each test."""
    monkeypatch.syspath_prepend(Path(__file__).with_name("plugins"))
    discovery.refresh()
    yield
    sys.modules.pop("shared_backend", None)
    discovery.refresh()


@pytest.fixture
def run() -> Run:
    def run(*arguments: str, stdin: str | bytes | None = None, status: int = 0) -> Result:
        result = CliRunner().invoke(cli, arguments, input=stdin, prog_name="sessionkit")
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code == status, result.output
        return result

    return run


@pytest.fixture
def store() -> Iterator[SessionStore]:
    """The store that the commands reach as ``--store shared:tests``."""
    with open_store(URL, on_write_error="raise") as opened:
        yield opened


def json_lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]
