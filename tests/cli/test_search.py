"""``sessionkit search``."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run, json_lines


@pytest.fixture(autouse=True)
def _sessions(store: SessionStore) -> None:
    call = {"id": "c", "function": {"name": "reserve", "arguments": '{"item": "mug"}'}}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "first\nTwo mugs, mugs\nthird\nfourth"},
        {"role": "assistant", "content": None, "tool_calls": [call], "reasoning_content": "mug?"},
        {"role": "tool", "content": [{"type": "text", "text": "a mug"}]},
    ]
    store.update_session("shop:mug", messages=messages, summary="About mugs.", updated="2026-01-02T03:04:05Z")
    store.update_session("home:1", messages=[{"role": "user", "content": "x" * 500 + "mug" + "y" * 500}])


def found(run: Run, *arguments: str) -> list[tuple[str, int | None, str]]:
    lines = json_lines(run("search", *arguments, "--json", "--store", URL).stdout)
    return [(match["key"], match["position"], match["place"]) for match in lines]


def test_every_place_is_searched(run: Run) -> None:
    assert found(run, "mug", "--key", "shop") == [
        ("shop:mug", None, "key"),
        ("shop:mug", None, "summary"),
        ("shop:mug", 0, "content"),
        ("shop:mug", 1, "reasoning"),
        ("shop:mug", 1, "arguments"),
        ("shop:mug", 2, "content"),
    ]
    assert found(run, "reserve") == [("shop:mug", 1, "tool")]


def test_lines_are_shown_with_lines_around_them(run: Run) -> None:
    assert run("search", "mugs,", "--context", "1", "--store", URL).stdout.splitlines() == [
        "shop:mug [1] user content",
        "    first",
        "    Two mugs, mugs",
        "    third",
    ]


def test_a_long_line_is_cut_around_what_was_found(run: Run) -> None:
    [_, line] = run("search", "mug", "--key", "home", "--store", URL).stdout.splitlines()
    assert line == f"    …{'x' * 60}mug{'y' * 177}…"


def test_what_was_found_is_highlighted_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    assert "Two \x1b[1;31mmug\x1b[0ms, \x1b[1;31mmug\x1b[0ms" in run("search", "mug", "--store", URL).stdout


def test_nothing_found_is_status_1(run: Run) -> None:
    assert run("search", "Mug", "--store", URL, status=1).stdout == ""


def test_options_choose_what_is_searched(run: Run) -> None:
    assert found(run, "MUGS", "-i", "--role", "user") == [("shop:mug", 0, "content")]
    assert found(run, "m.gs", "--regex", "--limit", "1") == [("shop:mug", None, "summary")]
    assert {key for key, _, _ in found(run, "mug", "--since", "1h")} == {"home:1"}
    assert {key for key, _, _ in found(run, "mug", "--since", "2026-01-01")} == {"home:1", "shop:mug"}


@pytest.mark.parametrize("arguments", [["("], [""], ["a", "--since", "yesterday"], ["a", "--since", "999999w"]])
def test_wrong_usage_is_status_2(run: Run, arguments: list[str]) -> None:
    run("search", "--regex", *arguments, "--store", URL, status=2)
