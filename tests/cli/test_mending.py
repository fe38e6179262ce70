"""``sessionkit verify`` and ``repair``: what they print, and how they end."""

from __future__ import annotations

import json

import pytest

from sessionkit import SessionStore
from sessionkit.cli import findings
from sessionkit.damage import Damage

from .conftest import URL, Run


@pytest.fixture(autouse=True)
def _sessions(store: SessionStore) -> None:
    store.add_message("a:1", "user", "hello")
    store.add_message("a:2", "user", "hello")


@pytest.mark.parametrize(("command", "verb"), [("verify", "Verified"), ("repair", "Repaired")])
def test_a_sound_store_ends_with_0(run: Run, command: str, verb: str) -> None:
    assert run(command, "--store", URL).stdout == f"{verb} 2 sessions: all sound.\n"
    result = run(command, "a:1", "--json", "--store", URL)
    assert json.loads(result.stdout) == {"sessions": 1, "findings": []}


def test_damage_ends_with_1_and_is_named(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt\x1b:1", "user", "hello")
    result = run("verify", "--store", URL, status=1)
    assert result.stdout.splitlines() == [
        "corrupt\\x1b:1  unreadable  session 'corrupt\\x1b:1' cannot be read",
        "    by hand: restore it from a backup, or delete the session",
        "Verified 3 sessions: 1 damaged.",
    ]


def test_damage_of_others_is_not_that_of_a_prefix(run: Run, store: SessionStore) -> None:
    store.add_message("corrupt:1", "user", "hello")
    assert run("verify", "--prefix", "a:", "--store", URL).stdout == "Verified 2 sessions: all sound.\n"
    for command in (["repair"], ["repair", "--dry-run"]):
        found = json.loads(run(*command, "--prefix", "c", "--json", "--store", URL, status=1).stdout)
        assert [(each["key"], each["kind"], each["mended"]) for each in found["findings"]] == [
            ("corrupt:1", "unreadable", False)
        ]


def test_a_note_is_no_damage(run: Run, store: SessionStore) -> None:
    store.add_full_message("a:1", {"role": "tool", "tool_call_id": "c", "content": "result"})
    result = run("verify", "--store", URL)
    assert result.stdout.splitlines()[0] == "a:1  tool-calls  its history has 1 results without a call"
    assert result.stdout.splitlines()[-1] == "Verified 2 sessions: 1 note."


def test_what_was_mended_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    mended = Damage(kind="torn", place="/x/\x07", problem="it is torn", remedy="it is put aside", mended=True)
    findings.print_damage(mended)
    assert capsys.readouterr().out == "(no session)  torn  it is torn  /x/\\x07\n    mended: it is put aside\n"
    assert findings.Checked(3, [mended]).summary("Repaired") == "Repaired 3 sessions: 1 mended."
