"""Directories that picoclaw wrote, and what picoclaw sees of ours."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest

from sessionkit import SessionStore

Reopen: TypeAlias = Callable[..., SessionStore]

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"

# What picoclaw decodes a message into: names and types. It knows no other fields.
STRINGS = ("role", "content", "reasoning_content", "tool_call_id", "model_name", "created_at")
LISTS = ("media", "system_parts", "tool_calls", "attachments")
ZONED = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]\d\d:\d\d)")
LONGEST = 10 * 1024 * 1024


class Picoclaw:
    """A second reader of the format, made from its description and from nothing of this package."""

    def __init__(self, directory: Path, name: str) -> None:
        self.meta = json.loads((directory / f"{name}.meta.json").read_bytes())
        assert {name: type(self.meta[name]) for name in ("key", "summary", "skip", "count")} == {
            "key": str,
            "summary": str,
            "skip": int,
            "count": int,
        }
        for name_ in ("created_at", "updated_at"):
            assert ZONED.fullmatch(self.meta[name_])
        path = directory / f"{name}.jsonl"
        raw = path.read_bytes().split(b"\n") if path.exists() else []
        self.lines = [line for line in (line.removesuffix(b"\r") for line in raw) if line]
        assert all(len(line) < LONGEST for line in self.lines)
        self.history = [
            message for line in self.lines[self.meta["skip"] :] if (message := self._decode(line)) is not None
        ]

    @staticmethod
    def _decode(line: bytes) -> dict[str, Any] | None:
        try:
            value = json.loads(line.decode("utf-8", "replace"))
        except ValueError:
            return None
        if value is None:
            return {"role": "", "content": ""}
        if not isinstance(value, dict):
            return None
        message: dict[str, Any] = {"role": "", "content": ""}
        for names, kind in ((STRINGS, str), (LISTS, list)):
            for name in names:
                if value.get(name) is not None:
                    if not isinstance(value[name], kind):
                        return None
                    message[name] = value[name]
        return {name: item for name, item in message.items() if item or name in ("role", "content")}


def ours(store: SessionStore, key: str) -> list[dict[str, Any]]:
    return [message.to_dict() for message in store.get_history(key)]


def name_of(key: str) -> str:
    return key.translate(str.maketrans(":/\\", "___"))


@pytest.fixture(params=["picoclaw-v0.2.2-jsonl", "picoclaw-main-jsonl"])
def fixture(request: pytest.FixtureRequest) -> Path:
    path: Path = FIXTURES / request.param
    if not path.is_dir():
        pytest.skip(f"no picoclaw fixtures in {FIXTURES}")
    return path


@pytest.fixture
def copied(fixture: Path, directory: Path) -> Path:
    shutil.copytree(fixture / "sessions", directory, copy_function=shutil.copy)
    directory.chmod(0o755)
    for path in directory.iterdir():
        path.chmod(0o644)
    return directory


@pytest.fixture
def expected(fixture: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((fixture / "expected.json").read_bytes())
    assert sorted(content) == sorted(json.loads((fixture / "about.json").read_bytes())["keys"])
    return content


def test_histories_and_summaries_are_those_that_picoclaw_reads(
    copied: Path, reopen: Reopen, expected: dict[str, Any]
) -> None:
    store = reopen()
    for key, session in expected.items():
        assert ours(store, key) == session["history"]
        assert store.get_summary(key) == session["summary"]


def test_the_second_reader_reads_as_picoclaw_does(copied: Path, expected: dict[str, Any]) -> None:
    for key, session in expected.items():
        assert Picoclaw(copied, name_of(key)).history == session["history"]


def test_every_session_is_listed_with_its_times(copied: Path, reopen: Reopen, expected: dict[str, Any]) -> None:
    listed = {info.key: info for info in reopen().list_sessions()}
    assert {key: info.count for key, info in listed.items()} == {
        key: len(session["history"]) for key, session in expected.items()
    }
    for key, info in listed.items():
        meta = json.loads((copied / f"{name_of(key)}.meta.json").read_bytes())
        assert (info.created, info.updated) == (meta["created_at"], meta["updated_at"])


def test_reading_and_closing_changes_no_byte(copied: Path, reopen: Reopen, expected: dict[str, Any]) -> None:
    before = {path.name: path.read_bytes() for path in copied.iterdir()}
    store = reopen()
    for key in expected:
        store.get_session(key)
    store.close()
    assert {path.name: path.read_bytes() for path in copied.iterdir()} == before


def test_picoclaw_sees_what_we_do_to_its_sessions(copied: Path, reopen: Reopen, expected: dict[str, Any]) -> None:
    store = reopen(compact_threshold=0)
    for key in expected:
        created = store.get_session(key).created

        def check(key: str = key, created: str = created) -> None:
            seen = Picoclaw(copied, name_of(key))
            assert seen.history == ours(store, key) == ours(reopen(), key)
            assert (seen.meta["summary"], seen.meta["created_at"]) == (store.get_summary(key), created)

        store.add_message(key, "user", "one")
        check()
        store.add_messages(key, [{"role": "user", "content": str(number)} for number in range(3)])
        check()
        version, generation = store.get_session(key).version, store.get_session(key).generation
        store.save(key)
        check()
        assert (store.get_session(key).version, store.get_session(key).generation) == (version, generation)
        store.truncate_history(key, 3, summary="what was before")
        check()
        assert len(ours(store, key)) == 3
        store.save(key)
        check()
        store.set_history(key, [{"role": "user", "content": "new"}] * 5)
        check()
        store.truncate_history(key, 2)
        store.update_session(key, messages=[{"role": "user", "content": "both"}], summary="in one step")
        check()
        store.truncate_history(key, 0)
        check()
        store.add_message(key, "user", "after all were truncated")
        check()


def test_truncation_counts_lines_as_picoclaw_does(copied: Path, reopen: Reopen, expected: dict[str, Any]) -> None:
    store = reopen()
    for key, session in expected.items():
        lines = len(Picoclaw(copied, name_of(key)).lines)
        store.truncate_history(key, 2)
        seen = Picoclaw(copied, name_of(key))
        assert seen.meta["skip"] == lines - min(2, len(session["history"]))
        assert seen.meta["count"] == len(seen.lines) == lines


def test_picoclaw_reads_what_has_nothing_but_text_in_our_own_sessions(directory: Path, reopen: Reopen) -> None:
    store = reopen()
    store.add_messages("a", [{"role": "user", "content": str(number)} for number in range(5)])
    store.set_history("a", [{"role": "user", "content": "x", "tool_calls": [{"id": "c", "type": "function"}]}])
    store.update_session("b", summary="only a summary")
    assert Picoclaw(directory, "a").history == ours(store, "a")
    assert Picoclaw(directory, "b").history == []


def test_our_reading_is_richer_where_picoclaw_drops_something(directory: Path, reopen: Reopen) -> None:
    messages: list[dict[str, Any]] = [
        {"role": "assistant", "content": None, "name": "x"},
        {"role": "user", "content": [{"type": "text", "text": "part"}]},
        {"role": "user", "content": "plain", "x-unknown": {"deep": 1}},
    ]
    store = reopen()
    store.add_messages("a", messages)
    assert ours(reopen(), "a") == messages
    assert Picoclaw(directory, "a").history == [
        {"role": "assistant", "content": ""},  # null reads as "", and the field `name` is not known
        # a list as content makes a line one that picoclaw passes over
        {"role": "user", "content": "plain"},
    ]


def test_scope_aliases_and_unknown_fields_of_the_document_survive(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    document = {
        "key": "k",
        "summary": "",
        "skip": 0,
        "count": 0,
        "created_at": "2026-01-02T03:04:05.000000009+01:00",
        "updated_at": "0001-01-01T00:00:00Z",
        "scope": {"channel": "x"},
        "aliases": ["other"],
        "x-later": {"kept": True},
    }
    (directory / "k.meta.json").write_text(json.dumps(document), encoding="utf-8")
    store = reopen()
    session = store.get_session("k")
    assert (session.metadata, session.aliases) == ({"scope": {"channel": "x"}}, ("other",))
    assert (session.created, session.updated) == (document["created_at"], "")
    store.update_session("k", metadata={"scope": {"channel": "y"}, "mine": 1}, summary="s")
    written = json.loads((directory / "k.meta.json").read_bytes())
    assert (written["scope"], written["aliases"], written["metadata"]) == ({"channel": "y"}, ["other"], {"mine": 1})
    assert (written["x-later"], written["created_at"]) == ({"kept": True}, document["created_at"])


def test_picoclaw_may_rewrite_the_document_and_the_data(directory: Path, reopen: Reopen) -> None:
    """It drops every field of ours; then its own fields count, and no version is taken for an earlier one."""
    store = reopen()
    store.add_messages("k", [{"role": "user", "content": str(number)} for number in range(4)])
    store.truncate_history("k", 3)
    versions = {store.get_session("k").version}
    meta = json.loads((directory / "k.meta.json").read_bytes())
    del meta["sessionkit"]
    (directory / "k.meta.json").write_text(json.dumps(meta | {"updated_at": "2026-12-01T00:00:00Z"}))
    assert [message.text for message in store.get_history("k")] == ["1", "2", "3"]
    versions.add(store.get_session("k").version)
    new = directory / "k.jsonl.tmp"
    new.write_text("".join(json.dumps({"role": "user", "content": text}) + "\n" for text in "12"))
    (directory / "k.meta.json").write_text(json.dumps(meta | {"skip": 0, "updated_at": "2026-12-01T00:00:01Z"}))
    new.rename(directory / "k.jsonl")
    assert [message.text for message in store.get_history("k")] == ["1", "2"]
    versions.add(store.get_session("k").version)
    store.add_message("k", "user", "3")
    versions.add(store.get_session("k").version)
    assert len(versions) == 4
    assert Picoclaw(directory, "k").history == ours(store, "k")
