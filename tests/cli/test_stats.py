"""``sessionkit stats``."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from sessionkit import SessionStore
from sessionkit.cli.tally import OTHERS, Tally, grown
from sessionkit.messages import Message

from .conftest import URL, Run
from .test_parts import FORMATS

CALL = {"id": "c", "function": {"name": "stock", "arguments": "{}"}}


@pytest.fixture
def _sessions(store: SessionStore) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "é"},
        {"role": "assistant", "tool_calls": [CALL, CALL]},
        {"role": "tool"},
    ]
    store.update_session("a:1", messages=messages, created="2026-01-01T23:00:00Z", updated="2026-01-02T00:00:00Z")
    store.update_session("a:2", messages=messages[:1], created="2026-01-09T00:30:00+02:00")
    store.update_session("b:1", created="0001-01-01T00:00:00Z")


@pytest.mark.usefixtures("_sessions")
def test_what_stands_in_sessions_is_counted(run: Run) -> None:
    counted = json.loads(run("stats", "--store", URL, "--json").stdout)
    assert counted == {
        "sessions": 3,
        "messages": 4,
        "roles": {"user": 2, "assistant": 1, "tool": 1},
        "tool_calls": {"stock": 2},
        "bytes": counted["bytes"],
        "longest": {"key": "a:1", "messages": 3},
        "begun": {"2026-01-01": 1, "2026-01-08": 1},
    }
    assert counted["bytes"] > 100


@pytest.mark.usefixtures("_sessions")
def test_people_get_tables_and_a_plot(run: Run) -> None:
    text = run("stats", "--store", URL).stdout
    assert "sessions    3\nmessages    4\ntool calls  2\n" in text
    assert "longest     3 messages: a:1\n" in text
    assert f"  user       2  {'█' * 24}\n" in text
    assert f"  tool       1  {'█' * 12}\n" in text
    assert "sessions over time\n  ▄▄▄▄▄▄▄█  2\n  2026-01-01 to 2026-01-08\n" in text


@pytest.mark.usefixtures("_sessions")
def test_a_prefix_and_a_time_choose_sessions(run: Run) -> None:
    assert json.loads(run("stats", "--store", URL, "--prefix", "b:", "--json").stdout)["sessions"] == 1
    since = json.loads(run("stats", "--store", URL, "--since", "2026-01-03", "--json").stdout)
    assert (since["sessions"], since["messages"]) == (2, 1)


def test_an_empty_store_has_nothing(run: Run) -> None:
    lines = run("stats", "--store", "shared:empty").stdout.splitlines()
    assert lines == ["sessions    0", "messages    0", "tool calls  0", "bytes       0 (0 bytes)"]


def test_names_are_shown_harmlessly(run: Run, store: SessionStore) -> None:
    store.add_full_message("x", {"role": "\x1b[31m[bold]", "tool_calls": [{"function": {"name": "\u202e"}}]})
    text = run("stats", "--store", URL).stdout
    assert "\\x1b[31m[bold]" in text
    assert "\\u202e" in text


def test_names_beyond_number_are_counted_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sessionkit.cli.tally._MOST_NAMES", 2)
    tally = Tally()
    for role in ("a", "b", "c", "d", "a"):
        tally.message(Message.simple(role, ""))
    assert tally.messages == Counter({"a": 2, OTHERS: 2, "b": 1})


def test_growth_ends_with_all_and_never_falls() -> None:
    counts = grown(Counter({"2025-12-31": 1, "2026-02-01": 5, "2026-03-01": 2}), 10)
    assert len(counts) == 10
    assert counts == sorted(counts)
    assert counts[-1] == 8


def test_calls_of_every_provider_are_counted() -> None:
    tally = Tally()
    for call, _ in FORMATS.values():
        tally.message(Message.from_dict(call))
    assert tally.calls == Counter({"add": len(FORMATS)})
