"""Files that the programs themselves wrote, where they are installed (``tox -e programs`` installs them)."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessionkit.transfer.formats import Source, recognise

from .reading import contents, documents, messages

PROGRAMS = Path(__file__).with_name("programs")


def _run(script: str, *arguments: Path, needs: str) -> Any:
    try:
        importlib.metadata.distribution(needs)
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(f"{needs} is not installed")
    command = [sys.executable, str(PROGRAMS / script), *map(str, arguments)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
    return json.loads(printed.splitlines()[-1])


def test_a_database_of_openai_agents_is_read(tmp_path: Path) -> None:
    path = tmp_path / "agents.db"
    items = _run("openai_agents_database.py", path, needs="openai-agents")
    before = contents(tmp_path)
    with Source.opened(path) as source:
        assert recognise(source).name == "openai-agents"
    read = {document.key: messages(document) for document in documents(path)}
    assert read.keys() == items.keys() == {"chat", "look", "empty"}
    question, calls, oslo, rome, answer = read["chat"]
    assert question["content"] == "Weather in Oslo and Rome?"
    assert [call["id"] for call in calls["tool_calls"]] == ["call_Oslo", "call_Rome"]
    assert [(result["role"], result["tool_call_id"], result["content"]) for result in (oslo, rome)] == [
        ("tool", "call_Oslo", "sunny in Oslo"),
        ("tool", "call_Rome", "sunny in Rome"),
    ]
    assert (answer["role"], answer["content"]) == ("assistant", "Sunny.")
    assert [message["role"] for message in read["look"]] == ["user", "assistant"]
    assert [item["type"] for item in read["look"][1]["responses_items"]] == ["reasoning", "web_search_call"]
    assert read["empty"] == []
    assert contents(tmp_path) == before


def test_a_session_of_nanobot_is_read(tmp_path: Path) -> None:
    told = _run("nanobot_sessions.py", tmp_path / "work", tmp_path / "root", needs="nanobot-ai")
    directory = Path(told["directory"])
    before = contents(directory)
    with Source.opened(directory) as source:
        assert recognise(source).name == "nanobot"
    (document,) = documents(directory)
    assert document.key == "telegram:42"
    assert messages(document) == told["read"]["messages"]
    assert document.metadata == {**told["read"]["metadata"], "last_archived": 4}
    assert document.summary == "They looked at a cat."
    assert document.unknown_fields == ()
    assert document.created.startswith(told["read"]["created_at"])
    assert contents(directory) == before
