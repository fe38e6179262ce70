"""What stands in a document: picoclaw's format, ours beside it, nothing lost."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sessionkit_json import SessionManager, document

from sessionkit.errors import DecodeError
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

from .conftest import Reopen

KEY = "agent:main/main"
NAME = "agent_main_main.json"


def _write(directory: Path, name: str = NAME, /, **fields: Any) -> None:
    directory.mkdir(exist_ok=True)
    (directory / name).write_text(json.dumps({"key": KEY, "messages": [], **fields}))


def _read_as_picoclaw(path: Path) -> dict[str, Any]:
    """What picoclaw's reader takes from a document: its own fields by type, the rest ignored."""
    fields = json.loads(path.read_text(encoding="utf-8"))
    assert isinstance(fields["key"], str)
    assert isinstance(fields["messages"], list)
    for message in fields["messages"]:
        assert isinstance(message["role"], str)
        assert message["content"] is None or isinstance(message["content"], str)
    for name in ("created", "updated"):
        assert datetime.fromisoformat(fields[name]).tzinfo is not None
    return {
        "key": fields["key"],
        "history": [(message["role"], message["content"]) for message in fields["messages"]],
        "summary": fields.get("summary", ""),
    }


def test_picoclaw_reads_what_we_write(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "hé <b>")
    manager.add_message(KEY, "assistant", "line\nline\u2028")
    manager.set_summary(KEY, "so far")
    manager.save(KEY)
    assert _read_as_picoclaw(directory / NAME) == {
        "key": KEY,
        "history": [("user", "hé <b>"), ("assistant", "line\nline\u2028")],
        "summary": "so far",
    }


def test_a_document_is_laid_out_as_picoclaw_does_it(directory: Path, manager: SessionManager) -> None:
    manager.add_message(KEY, "user", "hello")
    manager.save(KEY)
    lines = (directory / NAME).read_text().splitlines()
    assert lines[:9] == [
        "{",
        '  "key": "agent:main/main",',
        '  "messages": [',
        "    {",
        '      "role": "user",',
        '      "content": "hello"',
        "    }",
        "  ],",
        f'  "created": "{manager.get_or_create(KEY).created}",',
    ]


def test_an_empty_summary_is_left_out_and_ours_is_only_what_is_needed(directory: Path, manager: SessionManager) -> None:
    manager.get_or_create(KEY)
    manager.save(KEY)
    fields = json.loads((directory / NAME).read_bytes())
    assert list(fields) == ["key", "messages", "created", "updated", "sessionkit"]
    assert set(fields["sessionkit"]) == {"version", "generation", "digest"}


def test_metadata_aliases_and_times_come_back(manager: SessionManager, reopen: Reopen) -> None:
    created, updated = "2020-01-02T03:04:05.123456789+01:00", "2021-01-01T00:00:00Z"
    manager.sessionkit_update_session(
        KEY, UNCHANGED, UNCHANGED, {"scope": {"agent": None}}, ["main", "m"], created, updated, None, ""
    )
    manager.save(KEY)
    session = reopen().sessionkit_get_session(KEY, None)
    assert session.metadata == {"scope": {"agent": None}}
    assert session.aliases == ("main", "m")
    assert (session.created, session.updated) == (created, updated)


def test_a_zero_time_reads_as_unknown_and_is_written_as_zero(directory: Path, reopen: Reopen) -> None:
    _write(directory, created="0001-01-01T00:00:00Z", updated="0001-01-01T00:00:00Z")
    manager = reopen()
    session = manager.sessionkit_get_session(KEY, None)
    assert (session.created, session.updated) == ("", "")
    manager.sessionkit_update_session(KEY, UNCHANGED, "s", UNCHANGED, UNCHANGED, UNCHANGED, "", None, "")
    manager.save(KEY)
    assert json.loads((directory / NAME).read_bytes())["updated"] == "0001-01-01T00:00:00Z"


@pytest.mark.parametrize("content", ["hello", 'h\u00e9 "}}', "\ud800 alone"])
def test_the_digest_is_that_of_the_compact_document_without_it(
    directory: Path, manager: SessionManager, content: str
) -> None:
    manager.add_message(KEY, "user", content)
    manager.sessionkit_update_session(KEY, UNCHANGED, "s", {"a": {}}, ["m"], UNCHANGED, UNCHANGED, None, "")
    manager.save(KEY)
    fields = json.loads((directory / NAME).read_bytes())
    assert list(fields)[-1] == "sessionkit"
    assert list(fields["sessionkit"])[-1] == "digest"
    digest = fields["sessionkit"].pop("digest")
    compact = json.dumps(fields, separators=(",", ":"), ensure_ascii=content.startswith("\ud800"))
    assert hashlib.sha256(compact.encode()).hexdigest()[:32] == digest


def test_fields_that_nobody_knows_are_kept(directory: Path, reopen: Reopen) -> None:
    _write(directory, scope={"agent": 1}, messages=[{"role": "user", "content": None, "x": {"y": [None]}}], z=1.0)
    manager = reopen()
    manager.add_message(KEY, "user", "more")
    manager.save(KEY)
    fields = json.loads((directory / NAME).read_bytes())
    assert (fields["scope"], fields["z"]) == ({"agent": 1}, 1.0)
    assert fields["messages"][0] == {"role": "user", "content": None, "x": {"y": [None]}}


def test_a_document_without_times_messages_or_summary_is_read(directory: Path, reopen: Reopen) -> None:
    _write(directory, messages=None, summary=None, created=None)
    session = reopen().sessionkit_get_session(KEY, None)
    assert session.exists
    assert (session.messages, session.summary, session.created, session.updated) == ((), "", "", "")


@pytest.mark.parametrize(
    "data",
    [b"{}", b"[]", b"null", b'{"key": "x", "summary": "", "skip": 0, "count": 2}', b'{"messages": []}']
    + [b'{"key": %s, "messages": []}' % key for key in (b'""', b"1", b'"a\\u0000"', b'"\\ud800"')],
)
def test_json_that_is_no_session_is_none(data: bytes) -> None:
    assert document.decode(data) is None


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "."),
        (b'{"key": "x", "messages": [', "."),
        (b"\0\0\0", "."),
        (b'{"key": "x", "messages": {}}', "messages is an object, not an array"),
        (b'{"key": "x", "messages": [null]}', r"messages\[0\] is null, not an object"),
        (b'{"key": "x", "messages": [{}, 5]}', r"messages\[1\] is a number, not an object"),
        (b'{"key": "x", "messages": [], "summary": []}', "summary is an array, not a string"),
    ],
)
def test_a_damaged_document_is_an_error(data: bytes, says: str) -> None:
    with pytest.raises(DecodeError, match=says):
        document.decode(data)


def test_a_document_of_ten_thousand_messages_is_read_whole(manager: SessionManager, reopen: Reopen) -> None:
    messages = [Message.simple("user", str(number)) for number in range(10_000)]
    manager.set_history(KEY, messages)
    manager.save(KEY)
    assert reopen().get_history(KEY) == messages
