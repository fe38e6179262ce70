"""Damaged directories of documents: each damage is found and named, and a repair keeps all that can be read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionkit_json import SessionManager

from sessionkit import SessionStore, open_store
from sessionkit.damage import Damage
from sessionkit.filenames import hashed_name
from sessionkit.testing.crash import CrashChecker

EXAMPLES = int(os.environ.get("SESSIONKIT_REPAIRED_DOCUMENTS", "20"))
"""How many random documents are repaired."""


def user(text: str) -> dict[str, str]:
    return {"role": "user", "content": text}


def document(*texts: str, key: str = "k", **fields: Any) -> bytes:
    times = {"created": "2026-01-31T12:00:00Z", "updated": "0001-01-01T00:00:00Z"}
    return json.dumps({"key": key, "messages": [user(text) for text in texts], **times, **fields}, indent=2).encode()


GOOD: Final = document("one", "two", summary="s")


@attrs.frozen(kw_only=True)
class Case:
    """A damaged directory: see the fields of the same names in the corpus of the jsonl backend."""

    kinds: tuple[str, ...]
    files: dict[str, bytes]
    texts: dict[str, list[str]]
    summary: str = ""
    aside: tuple[bytes, ...] = ()

    def make(self, directory: Path) -> Path:
        directory.mkdir(parents=True, exist_ok=True)
        for name, data in self.files.items():
            (directory / name).write_bytes(data)
        return directory


def bad(data: bytes, *texts: str, key: str = "k", summary: str = "", kind: str = "bad-document") -> Case:
    return Case(kinds=(kind,), files={"k.json": data}, texts={key: list(texts)}, summary=summary, aside=(data,))


CASES: Final[dict[str, Case]] = {
    "empty": attrs.evolve(bad(b""), texts={}),
    "NULs": attrs.evolve(bad(b"\0" * 4096), texts={}),
    "torn in the key": attrs.evolve(bad(GOOD[:8]), texts={}),
    "torn before the messages": bad(GOOD[: GOOD.index(b'"messages"')]),
    "torn in the first message": bad(GOOD[: GOOD.index(b"one")]),
    "torn between messages": bad(GOOD[: GOOD.index(b"one") + 12], "one"),
    "torn in the second message": bad(GOOD[: GOOD.index(b"two")], "one"),
    "torn behind the messages": bad(GOOD[: GOOD.index(b'"created"') + 3], "one", "two"),
    "torn at the last brace": bad(GOOD.rstrip(b"}\n "), "one", "two"),
    "the end is NULs": bad(GOOD + b"\0" * 512, "one", "two", summary="s"),
    "two documents": bad(GOOD + GOOD, "one", "two", summary="s"),
    "bad UTF-8": bad(GOOD.replace(b"two", b"\xfftwo"), "one", "\ufffdtwo", summary="s"),
    "a message that is none": bad(GOOD.replace(b'"messages": [', b'"messages": [null,'), "one", "two", summary="s"),
    "messages that are none": bad(b'{"key": "k", "messages": 5, "summary": "s"}', summary="s"),
    "a summary that is none": bad(GOOD.replace(b'"s"', b"[1]"), "one", "two"),
    "a key of its own": bad(GOOD[:-20].replace(b'"k"', b'"x:y"'), "one", "two", key="x:y"),
    "no key": bad(GOOD[GOOD.index(b'"messages"') : GOOD.index(b'"created"')], "one", "two"),
    "a time without zone": bad(document("one", created="2026-01-31T12:00:00"), "one", kind="bad-fields"),
    "fields of another kind": bad(document("one", updated=5, sessionkit=[]), "one", kind="bad-fields"),
    "a copied document": Case(
        kinds=("stray-files",),
        files={"k.json": document("one"), "k (copy).json": document("two")},
        texts={"k": ["one"], "k~recovered": ["two"]},
    ),
    "a renamed document": Case(
        kinds=("stray-files",), files={"old.json": GOOD}, texts={"k": ["one", "two"]}, summary="s"
    ),
    "two documents of one key": Case(
        kinds=("stray-files",),
        files={"k.json": document("one"), f"{hashed_name('k')}.json": document("two")},
        texts={"k": ["two"], "k~recovered": ["one"]},
    ),
    "a damaged document in the way of a good one": Case(
        kinds=("bad-document", "stray-files", "unreadable"),
        files={"k.json": document("one"), f"{hashed_name('k')}.json": b"{"},
        texts={"k": ["one"]},
        aside=(b"{",),
    ),
    "what was set aside before": Case(
        kinds=("bad-document",),
        files={"k.json": b"{", "k.json.damaged": b"before"},
        texts={},
        aside=(b"{", b"before"),
    ),
}

SOUND: Final[dict[str, dict[str, bytes]]] = {
    "a document of picoclaw": {"k.json": GOOD},
    "a document with unknown fields": {"k.json": document("one", extra=[1])},
    "metadata of the jsonl backend": {"k.meta.json": b'{"key": "k", "skip": 0}', "x.meta.json": b""},
    "another program's file": {"package.json": b'{"name": "x"}'},
    "nothing": {},
}


def opened(directory: Path) -> SessionStore:
    return open_store(f"json:{directory}", on_write_error="raise")


def snapshot(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir() if path.is_file()}


def texts(directory: Path) -> dict[str, list[str]]:
    with opened(directory) as store:
        return {info.key: [message.text for message in store.get_history(info.key)] for info in store.list_sessions()}


def verified(directory: Path) -> list[Damage]:
    with opened(directory) as store:
        return list(store.verify())


def repaired(directory: Path) -> list[Damage]:
    with opened(directory) as store:
        return list(store.repair())


@pytest.mark.parametrize("name", CASES)
def test_each_damage_is_found_and_named_and_looking_changes_nothing(name: str, directory: Path) -> None:
    case = CASES[name]
    case.make(directory)
    before = snapshot(directory)
    found = verified(directory)
    assert tuple(sorted(damage.kind for damage in found)) == case.kinds
    assert all(damage.stays and str(directory) in str(damage) for damage in found)
    assert not any('"role"' in str(damage) or "two" in str(damage) for damage in found)  # nothing is quoted
    assert snapshot(directory) == before


@pytest.mark.parametrize("name", CASES)
def test_after_a_repair_all_is_there_in_order_and_the_store_is_sound(name: str, directory: Path) -> None:
    case = CASES[name]
    case.make(directory)
    found = repaired(directory)
    assert all(damage.mended for damage in found)
    assert texts(directory) == case.texts
    with opened(directory) as store:
        assert [info.summary for info in store.list_sessions() if info.summary] == (
            [case.summary] if case.summary else []
        )
    assert verified(directory) == []
    kept = [data for name, data in snapshot(directory).items() if ".damaged" in name]
    assert all(data in kept for data in case.aside)
    before = snapshot(directory)
    assert repaired(directory) == []
    assert snapshot(directory) == before


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_not_taken_for_damaged(name: str, directory: Path) -> None:
    Case(kinds=(), files=SOUND[name], texts={}).make(directory)
    before = snapshot(directory)
    assert verified(directory) == repaired(directory) == []
    assert snapshot(directory) == before


def test_fields_that_nobody_knows_survive_a_repair(directory: Path) -> None:
    Case(kinds=(), files={"k.json": document("one", created="never", x={"y": 1})}, texts={}).make(directory)
    assert [damage.mended for damage in repaired(directory)] == [True]
    assert json.loads((directory / "k.json").read_bytes())["x"] == {"y": 1}


def test_what_is_unsaved_is_saved_before_a_repair(directory: Path) -> None:
    with opened(directory) as store:
        store.add_message("k", "user", "one")
        assert list(store.repair()) == []
        assert texts(directory) == {"k": ["one"]}


@pytest.fixture
def another_user() -> Iterator[None]:
    """Be a user who may not do everything, as root may."""
    if os.geteuid():
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_a_document_without_the_right_to_read_it_is_told(another_user: None) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        Case(kinds=(), files={"k.json": GOOD, "x.json": document("one", key="x")}, texts={}).make(directory)
        (directory / "k.json").chmod(0)
        [found] = verified(directory)
        assert (found.kind, found.problem) == ("unreadable", "it cannot be read: Permission denied")
        assert [damage.stays for damage in repaired(directory)] == [True]
    finally:
        shutil.rmtree(directory)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a key of its own", "a time without zone", "a copied document", "NULs"])
def test_a_power_cut_in_a_repair_leaves_what_can_be_repaired_again(name: str, tmp_path: Path) -> None:
    report = CrashChecker(open=partial(SessionManager, autosave=True), second_states=10).check(
        [lambda store: list(store.repair())], given=CASES[name].make(tmp_path / "given")
    )
    print(report)
    assert report.violations == (), report


@settings(max_examples=EXAMPLES, deadline=None)
@given(st.integers(0, 400), st.sampled_from(["cut", "nuls", "flip"]))
def test_wherever_a_document_is_damaged_the_messages_before_are_there_and_the_store_is_sound(
    position: int, how: str
) -> None:
    data = document(*(f"<{number}>" for number in range(6)))
    place = min(position, len(data))
    damaged = {
        "cut": data[:place],
        "nuls": data[:place] + b"\0" * (len(data) - place),
        "flip": data[:place] + b"\xff" + data[place + 1 :],
    }[how]
    path = Path(tempfile.mkdtemp())
    try:
        (path / "k.json").write_bytes(damaged)
        readable = [f"<{number}>" for number in range(6) if 0 <= data.find(f"<{number}>".encode()) + 20 < place]
        repaired(path)
        [found] = list(texts(path).values()) or [[]]
        assert found[: len(readable)] == readable
        assert verified(path) == []
        before = snapshot(path)
        assert repaired(path) == []
        assert snapshot(path) == before
    finally:
        shutil.rmtree(path)


def test_sessions_without_a_directory_have_no_damage() -> None:
    assert SessionManager().sessionkit_verify(None) == SessionManager().sessionkit_repair("k") == []
