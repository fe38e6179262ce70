"""Two hundred real conversations through import and export, on each backend that keeps files."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sessionkit.transfer.documents import same_json

pytest.importorskip("rich_click", reason='the command needs the extra "cli"')

SOURCE = Path(__file__).parents[3] / "shared" / "data" / "airline-conversations.jsonl"

pytestmark = pytest.mark.skipif(not SOURCE.exists(), reason=f"the conversations are not there: {SOURCE.name}")


def _sessionkit(*arguments: str) -> str:
    command = [sys.executable, "-m", "sessionkit", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


@pytest.fixture(scope="module", params=["jsonl", "json"])
def url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """A store into which the conversations were imported."""
    pytest.importorskip(f"sessionkit_{request.param}", reason=f"needs the {request.param} backend")
    url = f"{request.param}:{tmp_path_factory.mktemp('store')}"
    assert _sessionkit("import", str(SOURCE), "--store", url) == "Imported 200 sessions (5,308 messages).\n"
    return url


def _conversations(text: str) -> dict[str, Any]:
    documents = map(json.loads, text.splitlines())
    return {document.get("key") or document["id"]: document["messages"] for document in documents}


def test_every_session_is_listed_once_with_its_messages(url: str) -> None:
    sessions = [json.loads(line) for line in _sessionkit("list", "--json", "--store", url).splitlines()]
    assert len(sessions) == len({session["key"] for session in sessions}) == 200
    assert sum(session["count"] for session in sessions) == 5308


def test_the_export_is_the_same_json_as_the_source(url: str) -> None:
    exported = _conversations(_sessionkit("export", "--all", "--store", url))
    assert same_json(exported, _conversations(SOURCE.read_text("utf-8")))


def test_a_second_import_doubles_nothing_and_says_so(url: str) -> None:
    assert _sessionkit("import", str(SOURCE), "--store", url).splitlines() == [
        "Imported 0 sessions (0 messages).",
        "200 sessions already there, with the same content.",
    ]


def test_an_export_moves_the_sessions_to_another_store_with_their_times(url: str, tmp_path: Path) -> None:
    other = f"{url.partition(':')[0]}:{tmp_path / 'other'}"
    _sessionkit("export", "--all", "-o", str(tmp_path / "all.jsonl"), "--store", url)
    _sessionkit("import", str(tmp_path / "all.jsonl"), "--store", other)
    before, after = (
        {document["key"]: document for document in map(json.loads, text.splitlines())}
        for text in ((tmp_path / "all.jsonl").read_text("utf-8"), _sessionkit("export", "--all", "--store", other))
    )
    assert same_json(before, after)
