"""``sessionkit demo``, as a newcomer runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sessionkit import open_store

pytest.importorskip("rich_click", reason='the command needs the extra "cli"')
pytest.importorskip("sessionkit_json", reason="needs the json backend")
pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")


def _demo(place: Path, *arguments: str, status: int = 0) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SESSIONKIT_")}
    done = subprocess.run(
        [sys.executable, "-m", "sessionkit", "demo", *arguments],
        cwd=place,
        env=environment | {"SESSIONKIT_URL": "memory:", "TMPDIR": str(place)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture(scope="module")
def told(place: Path) -> str:
    return _demo(place, "--dir", "files")


def test_the_agent_answers_and_another_process_reads_the_session_on_both_backends(told: str) -> None:
    assert told.count("12 messages became a summary and 4 messages, saved") == 2
    assert told.count("summary: The customer asked for blue mugs") == 2
    assert told.count('assistant: reserve({"item": "blue mug", "count": 2})') == 2
    assert "SESSIONKIT_BACKEND=json python demo_agent.py talk" in told


@pytest.mark.usefixtures("told")
@pytest.mark.parametrize("backend", ["jsonl", "json"])
def test_the_files_of_each_backend_stay(place: Path, backend: str) -> None:
    with open_store(f"{backend}:{place}/files/sessions-{backend}") as store:
        session = store.get_session("demo:shop")
    assert session.summary.startswith("The customer asked")
    assert [message.role for message in session.messages] == ["user", "assistant", "tool", "assistant"]
    assert json.loads(session.messages[1].tool_calls[0].arguments) == {"item": "blue mug", "count": 2}


def test_the_told_places_are_where_the_files_are(told: str, place: Path) -> None:
    assert f"The files are in {place}/files\n" in told
    for line in told.partition("The files are in")[2].splitlines()[1:-1]:
        assert (place / "files" / line.split()[0]).is_file()


@pytest.mark.usefixtures("told")
def test_a_second_demo_in_the_same_directory_continues_the_conversation(place: Path) -> None:
    assert "16 messages became a summary and 4 messages, saved" in _demo(place, "--dir", "files")


def test_without_a_directory_it_takes_a_temporary_one_and_keeps_it(tmp_path: Path) -> None:
    assert f"The files are in {tmp_path}/sessionkit-demo-" in _demo(tmp_path)


def test_a_directory_with_other_files_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "sessionkit.toml").write_text('backend = "memory"\n')
    assert "other files" in _demo(tmp_path, "--dir", "mine", status=2)
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["sessionkit.toml"]


def test_a_backend_that_is_not_installed_is_told_as_left_out(tmp_path: Path) -> None:
    """``importlib.metadata`` finds a distribution by its directory on the path; this path has all but one."""
    code = (
        "import importlib_metadata, sys; find = importlib_metadata.entry_points; "
        "importlib_metadata.entry_points = lambda: [e for e in find() if e.name != 'json']; "
        "sys.argv = ['sessionkit', 'demo']; from sessionkit.__main__ import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Left out: the backend json. To have it: pip install sessionkit-json" in done.stdout
    assert done.stdout.count("4 messages, saved") == 1
