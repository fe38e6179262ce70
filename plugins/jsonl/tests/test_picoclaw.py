"""Directories that picoclaw wrote, and what picoclaw sees of ours."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import read_archive
from sessionkit_jsonl.marks import read_mark, unmarked

from sessionkit import SessionStore

from .picoclaw import LISTS, STRINGS, ZONED, Picoclaw, PicoclawWriter, name_of

Reopen: TypeAlias = Callable[..., SessionStore]

FIXTURES = Path(__file__).parents[4] / "shared" / "fixtures"


def ours(store: SessionStore, key: str) -> list[dict[str, Any]]:
    return [message.to_dict() for message in store.get_history(key)]


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


def test_picoclaw_sees_what_we_do_to_its_sessions(
    copied: Path, reopen: Reopen, expected: dict[str, Any], fixture: Path
) -> None:
    store = reopen(compact_threshold=0, archive="main" in fixture.name, durability="os")
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


class Turns:
    """One session that both write to, and what it should have."""

    def __init__(self, directory: Path, key: str, history: list[dict[str, Any]], store: SessionStore) -> None:
        self._directory, self._key, self._store = directory, key, store
        self._numbers = itertools.count()
        self.history = history

    def said(self, role: str = "user") -> dict[str, Any]:
        return {"role": role, "content": f"<{next(self._numbers)}> & \u2028 ж"}

    def check(self, other: SessionStore) -> None:
        assert Picoclaw(self._directory, name_of(self._key)).history == self.history
        assert ours(self._store, self._key) == ours(other, self._key) == self.history

    def keep(self, number: int) -> None:
        self.history = self.history[max(len(self.history) - number, 0) :]


def test_picoclaw_and_we_may_take_turns(copied: Path, reopen: Reopen, expected: dict[str, Any], fixture: Path) -> None:
    main = "main" in fixture.name
    store = reopen(compact_threshold=0, archive=main, durability="os")
    other = reopen()
    for key, session in expected.items():
        theirs = PicoclawWriter(copied, name_of(key), main=main)
        both = Turns(copied, key, list(session["history"]), store)
        for keep in (9, 4, 0):
            both.history += (batch := [both.said() for _ in range(3)])
            store.add_messages(key, batch)
            both.check(other)
            both.history.append(both.said("assistant"))
            theirs.append(both.history[-1])
            both.check(other)
            both.history.append(both.said())
            store.add_full_message(key, both.history[-1])
            both.check(other)
            both.keep(keep + 2)
            store.truncate_history(key, keep + 2, summary="ours")
            both.check(other)
            both.keep(keep)
            theirs.truncate(keep)
            theirs.summarise("theirs")
            assert store.get_summary(key) == other.get_summary(key) == "theirs"
            both.check(other)
            theirs.compact() if keep == 4 else store.save(key)
            both.check(other)
            both.history = [both.said(), *both.history[-2:]]
            if keep:
                store.set_history(key, both.history)
            else:
                theirs.set_history(both.history)
            both.check(other)


def test_messages_of_picoclaw_keep_their_bytes_when_we_compact(
    copied: Path, reopen: Reopen, expected: dict[str, Any]
) -> None:
    store = reopen(compact_threshold=0)
    for key, session in expected.items():
        seen = Picoclaw(copied, name_of(key))
        keep = min(5, len(session["history"]))
        wanted = seen.lines[len(seen.lines) - keep :]
        store.truncate_history(key, keep)
        store.save(key)
        written = Picoclaw(copied, name_of(key))
        assert [unmarked(line, read_mark(line)) for line in written.lines[written.meta["skip"] :]] == wanted


def test_everything_that_picoclaw_stored_is_in_the_archive_when_it_left_the_log(
    copied: Path, reopen: Reopen, expected: dict[str, Any]
) -> None:
    store = reopen(compact_threshold=0, archive=True)
    for key in expected:
        stored = [message for line in Picoclaw(copied, name_of(key)).lines if (message := Picoclaw.decode(line))]
        store.truncate_history(key, 3)
        store.save(key)
        store.set_history(key, [])
        archived = [message.to_dict() for message in read_archive(copied / f"{name_of(key)}.archive")]
        assert archived == stored


def test_what_we_write_keeps_to_the_format(copied: Path, reopen: Reopen, expected: dict[str, Any]) -> None:
    store = reopen()
    for key in expected:
        before = json.loads((copied / f"{name_of(key)}.meta.json").read_bytes())
        store.add_messages(key, ours(store, key))
        store.truncate_history(key, 4, summary="<s> & \u2028")
        raw = (copied / f"{name_of(key)}.meta.json").read_text("utf-8")
        document = json.loads(raw)
        assert list(document) == [*before, "sessionkit"]
        assert raw.startswith('{\n  "key": ')
        assert (document["created_at"], document["summary"]) == (before["created_at"], "<s> & \u2028")
        assert document["updated_at"] > before["updated_at"]
        for line in (copied / f"{name_of(key)}.jsonl").read_bytes().splitlines():
            message = json.loads(line)
            message.pop("_sk", None)
            assert set(message) <= {*STRINGS, *LISTS}
            assert ZONED.fullmatch(message.get("created_at", "2026-01-01T00:00:00Z"))


@pytest.mark.parametrize("moment", ["2026-01-02T03:04:05", "2026-01-02", "yesterday"])
def test_a_time_that_would_make_a_session_unreadable_to_picoclaw_is_refused(reopen: Reopen, moment: str) -> None:
    store = reopen()
    with pytest.raises(ValueError, match=moment):
        store.update_session("k", created=moment)
    with pytest.raises(ValueError, match=moment):
        store.update_session("k", updated=moment)


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
