"""The example's agent loop: which backend keeps its conversation is configuration."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sessionkit import open_store

pytest.importorskip("sessionkit_json", reason="needs the json backend")
pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")

PROGRAM = Path(__file__).parents[2] / "examples" / "agent_loop.py"


def _ask(place: Path, question: str, **configuration: str) -> str:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "XDG_"))}
    return subprocess.run(
        [sys.executable, PROGRAM, question],
        cwd=place,
        env=kept | {"HOME": str(place)} | configuration,
        capture_output=True,
        text=True,
        check=True,
    ).stdout


@pytest.mark.parametrize("backend", ["json", "jsonl"])
def test_one_environment_variable_switches_the_backend(tmp_path: Path, backend: str) -> None:
    configuration = {"SESSIONKIT_BACKEND": backend, f"SESSIONKIT_{backend.upper()}__PATH": "sessions"}
    assert _ask(tmp_path, "add 2 3", **configuration) == "The sum is 5.\n4 messages are stored.\n"
    with open_store(f"{backend}:{tmp_path / 'sessions'}") as store:
        assert [message.role for message in store.get_history("example:calculator")] == [
            "user",
            "assistant",
            "tool",
            "assistant",
        ]


def test_a_later_run_continues_the_conversation(tmp_path: Path) -> None:
    _ask(tmp_path, "add 2 3", SESSIONKIT_URL="jsonl:sessions")
    assert _ask(tmp_path, "add -4 5", SESSIONKIT_URL="jsonl:sessions") == "The sum is 1.\n8 messages are stored.\n"


def test_with_nothing_configured_it_runs_too(tmp_path: Path) -> None:
    assert "4 messages are stored." in _ask(tmp_path, "add 2 3")
    assert any(tmp_path.rglob("*.jsonl"))


def test_the_program_names_no_backend_in_its_code() -> None:
    code = PROGRAM.read_text("utf-8").partition('"""\n\nfrom')[2]
    assert "open_store()" in code
    assert not {"json:", "jsonl", "redis", "SESSIONKIT"} & set(code.replace('"', " ").split())
