"""``sessionkit verify`` and ``repair``: what they print, and how they end."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

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
    assert json.loads(result.stdout) == {"sessions": 1, "findings": [], "missing": []}


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


@pytest.mark.parametrize("command", ["verify", "repair"])
def test_a_key_that_no_session_has_is_told(run: Run, command: str) -> None:
    result = run(command, "a:1", "z", "--store", URL, status=1)
    assert result.stderr == "Error: no session has the key 'z'\n"
    assert result.stdout.endswith(" 1 session: all sound.\n")


def test_what_is_piped_on_is_not_drawn_into_the_progress_of_a_terminal(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty", reason="this system has no pseudo-terminals")
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "k.json").write_text("{")
    controller, terminal = pty.openpty()
    command = [sys.executable, "-m", "sessionkit", "verify", "--store", f"json:{tmp_path}/s"]
    pytest.importorskip("sessionkit_json", reason="needs the json backend")
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=terminal, text=True, check=False, timeout=60)
    os.close(terminal)
    os.close(controller)
    assert "bad-document" in done.stdout
    assert "\x1b" not in done.stdout


def test_what_was_mended_is_told_as_such(capsys: pytest.CaptureFixture[str]) -> None:
    mended = Damage(kind="torn", place="/x/\x07", problem="it is torn", remedy="it is put aside", mended=True)
    findings.print_damage(mended)
    assert capsys.readouterr().out == "(no session)  torn  it is torn  /x/\\x07\n    mended: it is put aside\n"
    assert findings.Checked(3, [mended]).summary("Repaired") == "Repaired 3 sessions: 1 mended."
