"""Directories that picoclaw itself wrote."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from sessionkit_json import SessionManager

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"
WRITERS = ["picoclaw-v0.2.2-json", "picoclaw-main-json"]


@pytest.fixture(params=WRITERS)
def fixture(request: pytest.FixtureRequest) -> Path:
    path: Path = FIXTURES / request.param
    if not path.is_dir():
        pytest.skip(f"no picoclaw fixtures in {FIXTURES}")
    return path


@pytest.fixture
def copied(fixture: Path, directory: Path) -> Path:
    shutil.copytree(fixture / "sessions", directory, copy_function=shutil.copy)
    directory.chmod(0o700)
    for path in directory.iterdir():
        path.chmod(0o600)
    return directory


def _expected(fixture: Path) -> dict[str, Any]:
    about = json.loads((fixture / "about.json").read_text(encoding="utf-8"))
    expected: dict[str, Any] = json.loads((fixture / "expected.json").read_text(encoding="utf-8"))
    assert sorted(about["keys"]) == sorted(expected)
    return expected


def _history(manager: SessionManager, key: str) -> list[dict[str, Any]]:
    return [message.to_dict() for message in manager.get_history(key)]


def test_histories_and_summaries_are_those_that_picoclaw_reads(fixture: Path, copied: Path) -> None:
    manager = SessionManager(copied)
    for key, expected in _expected(fixture).items():
        assert _history(manager, key) == expected["history"]
        assert manager.get_summary(key) == expected["summary"]


def test_every_session_is_listed(fixture: Path, copied: Path) -> None:
    listed = SessionManager(copied).sessionkit_list_sessions("", None, 100).sessions
    assert {info.key: info.count for info in listed} == {
        key: len(expected["history"]) for key, expected in _expected(fixture).items()
    }


def test_opening_and_closing_changes_no_byte(fixture: Path, copied: Path) -> None:
    manager = SessionManager(copied)
    for key in _expected(fixture):
        manager.get_history(key)
    manager.close()
    for path in (fixture / "sessions").iterdir():
        assert (copied / path.name).read_bytes() == path.read_bytes()


def test_what_we_rewrite_has_picoclaws_fields_with_picoclaws_values(fixture: Path, copied: Path) -> None:
    manager = SessionManager(copied)
    for key in _expected(fixture):
        manager.add_message(key, "user", "one more")
    manager.close()
    for path in (fixture / "sessions").iterdir():
        before = json.loads(path.read_bytes())
        after = json.loads((copied / path.name).read_bytes())
        assert after.pop("messages") == [*before.pop("messages"), {"role": "user", "content": "one more"}]
        assert after.pop("updated") > before.pop("updated")
        assert set(after.pop("sessionkit")) == {"version", "generation", "digest"}
        assert after == before
