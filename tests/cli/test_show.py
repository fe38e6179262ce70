"""``sessionkit show``."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run, json_lines

MESSAGES: list[dict[str, Any]] = [
    {"role": "user", "content": "Two sums,\nplease."},
    {
        "role": "assistant",
        "content": None,
        "model_name": "m-1",
        "reasoning_content": "I add.",
        "tool_calls": [
            {"id": "c1", "type": "function", "function": {"name": "add", "arguments": '{"numbers":[1,2]}'}},
            {"id": "c2", "type": "function", "function": {"name": "add", "arguments": "1 + "}},
        ],
    },
    {"role": "tool", "tool_call_id": "c1", "name": "add", "content": '{"sum":3}'},
    {"role": "tool", "tool_call_id": "c2", "name": "add", "content": "invalid arguments"},
    {
        "role": "assistant",
        "content": [{"type": "text", "text": "Three."}, {"type": "image_url", "image_url": {"url": "x" * 300}}],
        "x-trace": {"a": None},
    },
]


@pytest.fixture(autouse=True)
def _session(store: SessionStore) -> None:
    store.update_session(
        "sums",
        messages=MESSAGES,
        summary="Hello.",
        metadata={"scope": None},
        aliases=["s"],
        created="2026-01-02T03:04:05Z",
        updated="2026-01-02T03:04:06Z",
    )


def test_a_session_is_shown_with_calls_and_results(run: Run) -> None:
    part = '{"type":"image_url","image_url":{"url":"' + "x" * 300 + '"}}'
    assert run("show", "sums", "--store", URL).stdout.splitlines() == [
        "Session   sums",
        "Messages  5",
        "Created   2026-01-02 03:04:05Z",
        "Updated   2026-01-02 03:04:06Z",
        "Aliases   s",
        'Metadata  {"scope":null}',
        "Summary",
        "    Hello.",
        "",
        "[1] user",
        "    Two sums,",
        "    please.",
        "",
        "[2] assistant  m-1",
        "    thinks:",
        "    I add.",
        "    calls add (c1)",
        "      {",
        '        "numbers": [',
        "          1,",
        "          2",
        "        ]",
        "      }",
        "    calls add (c2)",
        "      1 + ",
        "",
        "[3] tool add (answers c1)",
        "    {",
        '      "sum": 3',
        "    }",
        "",
        "[4] tool add (answers c2)",
        "    invalid arguments",
        "",
        "[5] assistant",
        "    Three.",
        f"    {part[:200]}… ({len(part)} characters)",
        '    x-trace: {"a":null}',
    ]


def test_a_tail_is_numbered_as_in_the_whole(run: Run) -> None:
    lines = run("show", "sums", "--tail", "2", "--store", URL).stdout.splitlines()
    assert "Messages  5 (the last 2 are shown)" in lines
    assert [line.split()[0] for line in lines if line.startswith("[")] == ["[4]", "[5]"]


def test_a_tail_of_none_shows_the_head(run: Run) -> None:
    assert "[5]" not in run("show", "sums", "--tail", "0", "--store", URL).stdout


def test_an_alias_names_a_session_too(run: Run) -> None:
    assert run("show", "s", "--store", URL).stdout.startswith("Session   sums\n")


def test_json_holds_the_messages_as_they_are_stored(run: Run) -> None:
    (session,) = json_lines(run("show", "sums", "--json", "--tail", "4", "--store", URL).stdout)
    assert session["messages"] == MESSAGES[1:]
    assert (session["key"], session["count"], session["summary"]) == ("sums", 5, "Hello.")


def test_an_unknown_session_is_an_error(run: Run) -> None:
    result = run("show", "sum", "--store", URL, status=1)
    assert result.stderr.startswith("Error: no session has the key or alias 'sum'")
    assert result.stdout == ""


def test_an_unreadable_session_is_an_error(run: Run) -> None:
    assert run("show", "corrupt", "--store", URL, status=1).stderr == "Error: session 'corrupt' cannot be read\n"


def test_raw_prints_the_stored_messages_one_a_line(run: Run) -> None:
    assert json_lines(run("show", "sums", "--raw", "--tail", "4", "--store", URL).stdout) == MESSAGES[1:]


def test_raw_of_no_messages_is_empty(run: Run) -> None:
    assert run("show", "sums", "--raw", "--tail", "0", "--store", URL).stdout == ""


def test_json_of_an_empty_session_is_a_document(run: Run, store: SessionStore) -> None:
    store.update_session("empty")
    assert json.loads(run("show", "empty", "--json", "--store", URL).stdout)["messages"] == []


@pytest.mark.parametrize("option", ["--raw", "--follow"])
def test_json_is_one_document_and_goes_with_nothing_else(run: Run, option: str) -> None:
    assert "one document" in run("show", "sums", "--json", option, "--store", URL, status=2).stderr


def test_a_long_result_is_shortened_unless_all_is_asked_for(run: Run, store: SessionStore) -> None:
    lines = [f"line {number}" for number in range(40)]
    store.add_full_message("long", {"role": "tool", "content": "\n".join(lines), "tool_call_id": "c"})
    shown = run("show", "long", "--store", URL).stdout
    assert "line 11\n    … 28 more lines\n" in shown
    assert "line 39" not in shown
    assert "line 39" in run("show", "long", "--full", "--store", URL).stdout


def test_on_a_terminal_markdown_is_rendered_and_calls_stand_in_panels(
    run: Run, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLUMNS", "60")
    store.add_message("sums", "assistant", "It is **three**.")
    shown = run("show", "sums", "--store", URL).stdout
    assert "\x1b[1mthree\x1b[0m" in shown
    assert "╭─\x1b[0m\x1b[35m calls \x1b[0m\x1b[1;35madd" in shown


def test_no_color_keeps_colours_away_from_a_terminal(
    run: Run, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[3" not in run("show", "sums", "--store", URL).stdout.replace("\x1b[3m", "")
