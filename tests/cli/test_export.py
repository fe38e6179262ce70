"""``sessionkit export``."""

from __future__ import annotations

import stat
from pathlib import Path
from typing import Any

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run, json_lines

A: dict[str, Any] = {
    "key": "a",
    "messages": [{"role": "user", "content": None, "name": "é\u202e"}],
    "summary": "Hello.",
    "metadata": {"scope": None},
    "aliases": ["first"],
    "created": "2026-01-02T03:04:05.100Z",
    "updated": "2026-01-02T03:04:06+02:00",
}


@pytest.fixture(autouse=True)
def _sessions(store: SessionStore) -> None:
    store.update_session(**A)
    store.add_message("b", "user", "hello")


def test_a_session_goes_to_standard_output_and_its_count_to_standard_error(run: Run) -> None:
    result = run("export", "a", "--store", URL)
    assert json_lines(result.stdout) == [A]
    assert result.stderr == "Exported 1 session (1 message).\n"


def test_an_alias_exports_its_session(run: Run) -> None:
    assert json_lines(run("export", "first", "--store", URL).stdout)[0]["key"] == "a"


def test_all_sessions_go_to_a_file(run: Run, tmp_path: Path) -> None:
    result = run("export", "--all", "-o", "out.jsonl", "--store", URL)
    assert result.stdout == ""
    assert result.stderr == "Exported 2 sessions (2 messages) to out.jsonl.\n"
    assert [document["key"] for document in json_lines((tmp_path / "out.jsonl").read_text("utf-8"))] == ["a", "b"]
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_the_file_is_readable_by_its_owner_alone(run: Run, tmp_path: Path) -> None:
    run("export", "--all", "-o", "out.jsonl", "--store", URL)
    assert stat.S_IMODE((tmp_path / "out.jsonl").stat().st_mode) == 0o600


def test_an_export_is_imported_as_it_was(run: Run) -> None:
    exported = run("export", "--all", "--store", URL).stdout
    run("import", "-", "--store", "shared:other", stdin=exported)
    assert run("export", "--all", "--store", "shared:other").stdout == exported
    assert "2 sessions already there" in run("import", "-", "--store", URL, stdin=exported).stdout


def test_an_export_that_fails_leaves_the_file_as_it_was(run: Run, tmp_path: Path) -> None:
    (tmp_path / "out.jsonl").write_text("before")
    run("export", "a", "nobody", "-o", "out.jsonl", "--store", URL, status=1)
    assert (tmp_path / "out.jsonl").read_text() == "before"
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]


def test_a_link_stays_a_link_to_the_file_that_is_replaced(run: Run, tmp_path: Path) -> None:
    (tmp_path / "real.jsonl").write_text("before")
    (tmp_path / "out.jsonl").symlink_to("real.jsonl")
    run("export", "a", "-o", "out.jsonl", "--store", URL)
    assert (tmp_path / "out.jsonl").is_symlink()
    assert json_lines((tmp_path / "real.jsonl").read_text("utf-8")) == [A]


def test_a_device_is_written_to(run: Run) -> None:
    run("export", "a", "-o", "/dev/null", "--store", URL)
    assert not Path("/dev/null").is_file()


def test_a_session_that_cannot_be_read_is_told_and_the_others_exported(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt", "user", "hello")
    result = run("export", "--all", "--store", URL, status=1)
    assert [document["key"] for document in json_lines(result.stdout)] == ["a", "b"]
    assert result.stderr.splitlines()[-1] == "Error: session 'corrupt' cannot be read"


def test_json_tells_the_counts_on_standard_error(run: Run) -> None:
    result = run("export", "--all", "--json", "--store", URL)
    assert json_lines(result.stderr) == [{"sessions": 2, "messages": 2, "failed": []}]
    assert len(json_lines(result.stdout)) == 2


@pytest.mark.parametrize("arguments", [(), ("a", "--all")], ids=["nothing", "both"])
def test_either_keys_or_all_are_said(run: Run, arguments: tuple[str, ...]) -> None:
    assert "their keys, or --all" in run("export", *arguments, "--store", URL, status=2).stderr


def test_what_cannot_be_listed_is_told_by_an_export_of_all(run: Run, store: SessionStore) -> None:
    store.add_message("a", "user", "hello")
    store.add_message("unlisted", "user", "x")
    result = run("export", "--all", "--store", URL, status=1)
    assert json_lines(result.stdout)[0]["key"] == "a"
    assert result.stderr.splitlines()[-1] == "Error: the document of unlisted is damaged"
