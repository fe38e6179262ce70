"""Every command that shows something of a session shows it harmlessly, wherever in the session it stands."""

from __future__ import annotations

import json

import pytest

from sessionkit import SessionStore

from .conftest import URL, Run
from .hostile import FORBIDDEN, HOSTILE, MARKUP

COMMANDS = [
    ("list",),
    ("list", "--json"),
    ("show", "alias"),
    ("show", "alias", "--json"),
    ("show", "alias", "--raw"),
    ("show", "alias", "--full"),
    ("search", "--regex", "(?s).+"),
    ("search", "--regex", ".", "--json"),
    ("export", "--all"),
]

hostile = pytest.mark.parametrize("text", [*HOSTILE.values(), MARKUP], ids=[*HOSTILE, "markup"])


def _session(store: SessionStore, text: str) -> None:
    """A session that holds the text in every place."""
    call = {"id": text, "type": text, "function": {"name": text, "arguments": json.dumps({text: text})}}
    other_call = {"id": "c2", "function": {"name": "f", "arguments": text}}
    store.update_session(
        f"key {text}".replace("\0", "").replace("\ud800", ""),
        messages=[
            {"role": text, "content": text, "name": text, text: text, "created_at": text, "model_name": text},
            {"role": "assistant", "content": None, "reasoning_content": text, "tool_calls": [call, other_call]},
            {"role": "tool", "tool_call_id": text, "content": json.dumps([text])},
            {"role": "tool", "tool_call_id": text, "content": text},
            {"role": "user", "content": [{"type": "text", "text": text}, {"type": text}, text], "media": [text]},
        ],
        summary=f"{text}\n{text}",
        metadata={text: text},
        aliases=["alias", text.replace("\0", "").replace("\ud800", "") or "other"],
    )


@hostile
@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_command_prints_nothing_that_steers_a_terminal(
    run: Run, store: SessionStore, arguments: tuple[str, ...], text: str
) -> None:
    _session(store, text)
    result = run(*arguments, "--store", URL)
    assert not (FORBIDDEN - {"\n"}) & set(result.output)


@pytest.mark.parametrize("arguments", COMMANDS[:3:2], ids=" ".join)
def test_markup_is_shown_as_it_stands(run: Run, store: SessionStore, arguments: tuple[str, ...]) -> None:
    _session(store, MARKUP)
    assert MARKUP in run(*arguments, "--store", URL).output


@hostile
def test_the_report_of_an_import_is_harmless(run: Run, text: str) -> None:
    key = text.replace("\0", "").replace("\ud800", "") or "key"
    first = {"key": key, "messages": [], text: 1}
    lines = [first, first | {"summary": "other"}, {"key": key, "messages": 5}, {"key": text * 2000, "messages": []}]
    stdin = "\n".join(json.dumps(line) for line in lines)
    result = run("import", "-", "--store", URL, stdin=stdin, status=1)
    assert not (FORBIDDEN - {"\n"}) & set(result.output)


@hostile
def test_an_error_is_harmless(run: Run, text: str) -> None:
    key = text.replace("\0", "").replace("\ud800", "") or "key"
    assert not (FORBIDDEN - {"\n"}) & set(run("show", key, "--store", URL, status=1).output)
