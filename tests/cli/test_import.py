"""``sessionkit import``."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from sessionkit import SessionStore

from .conftest import URL, Run, json_lines

A: dict[str, Any] = {"id": "a", "messages": [{"role": "user", "content": None}], "reward": 1}
B: dict[str, Any] = {"id": "b", "messages": [{"role": "user", "content": "hello"}] * 2}


def _lines(*documents: dict[str, Any]) -> str:
    return "".join(json.dumps(document) + "\n" for document in documents)


def test_a_file_is_imported_and_counted(run: Run, store: SessionStore, tmp_path: Path) -> None:
    (tmp_path / "f.jsonl").write_text(_lines(A, B), "utf-8")
    assert run("import", "f.jsonl", "--store", URL).output.splitlines() == [
        "Imported 2 sessions (3 messages).",
        "Not imported, because sessions have no such field: reward (in 1 conversation).",
    ]
    assert [message.to_dict() for message in store.get_history("b")] == B["messages"]


def test_a_second_import_says_that_all_is_there(run: Run) -> None:
    run("import", "-", "--store", URL, stdin=_lines(B))
    assert run("import", "-", "--store", URL, stdin=_lines(B)).output.splitlines() == [
        "Imported 0 sessions (0 messages).",
        "1 session already there, with the same content.",
    ]


def test_a_session_of_other_content_is_left_alone_and_named(run: Run, store: SessionStore) -> None:
    store.add_message("b", "user", "mine")
    result = run("import", "-", "--store", URL, stdin=_lines(A, B), status=1)
    assert result.stdout.startswith("Imported 1 session (1 message).")
    assert result.stderr.splitlines() == [
        "Error: 1 session already there with other content, left alone (--replace would overwrite):",
        "  b",
    ]
    assert store.get_session("b").count == 1


def test_replace_overwrites(run: Run, store: SessionStore) -> None:
    store.add_message("b", "user", "mine")
    result = run("import", "-", "--replace", "--store", URL, stdin=_lines(B))
    assert result.output == "Imported 0 sessions, replaced 1 (2 messages).\n"
    assert store.get_session("b").count == 2


def test_bad_lines_are_named_at_the_end_and_the_others_imported(run: Run, store: SessionStore) -> None:
    stdin = _lines(A) + '{"id": "torn"\n' + '{"id": "c", "messages": 5}\n' + _lines(B)
    result = run("import", "-", "--store", URL, stdin=stdin, status=1)
    heading, torn, wrong = result.stderr.splitlines()
    assert heading == "Error: 2 conversations not imported:"
    assert torn.startswith("  standard input, line 2: the line is not JSON (")
    assert wrong == "  standard input, line 3: session 'c': \"messages\" is a number; it is an array of message objects"
    assert store.get_session("b").count == 2


def test_json_tells_the_whole_report(run: Run, store: SessionStore) -> None:
    store.add_message("b", "user", "mine")
    stdin = _lines(A, A, B, {"id": "c"})
    (report,) = json_lines(run("import", "-", "--json", "--store", URL, stdin=stdin, status=1).stdout)
    (problem,) = report.pop("unreadable")
    assert report == {
        "imported": 1,
        "replaced": 0,
        "already_there": 1,
        "messages": 1,
        "different": ["b"],
        "damaged": [],
        "unknown_fields": {"reward": 2},
    }
    assert (problem["source"], problem["line"], problem["key"]) == ("standard input", 4, "c")


def test_an_empty_file_imports_nothing(run: Run) -> None:
    assert run("import", "-", "--store", URL, stdin="").output == "Imported 0 sessions (0 messages).\n"


def test_a_file_that_is_not_there_is_wrong_usage(run: Run) -> None:
    assert "nowhere.jsonl" in run("import", "nowhere.jsonl", "--store", URL, status=2).stderr


def test_an_unreadable_existing_session_is_told_and_the_others_imported(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt", "user", "mine")
    result = run("import", "-", "--store", URL, stdin=_lines({"id": "corrupt", "messages": []}, B), status=1)
    assert "session 'corrupt' cannot be read" in result.stderr
    assert store.get_session("b").count == 2
