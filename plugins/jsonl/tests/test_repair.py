"""Damaged directories: each damage is found and named, and a repair keeps all that can be read."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionkit_jsonl import marks

from sessionkit import SessionStore, open_store
from sessionkit.damage import Damage
from sessionkit.testing.crash import CrashChecker

from .conftest import OpenStore, Threads
from .crash_scenarios import opened
from .damaged_directories import BATCH, CASES, GOOD, LONG, ONE, SOUND, TWO, Case, lines
from .test_damage import DOCUMENTS, TAILS, Part, name_of, parts
from .test_damage import Case as DamagedLog

EXAMPLES = int(os.environ.get("SESSIONKIT_REPAIRED_LOGS", "10"))
"""How many random logs are repaired; 2500 take some minutes."""

SECOND_STATES = int(os.environ.get("SESSIONKIT_REPAIR_CRASHES", "10"))
"""How many second power cuts there are in each repair; with more than 10, more kinds of damage are repaired."""


def snapshot(directory: Path) -> dict[str, bytes]:
    """What stands in the files, without the lock file."""
    files = (path for path in directory.iterdir() if path.is_file() and path.name != ".sessionkit.lock")
    return {path.name: path.read_bytes() for path in files}


def texts(store: SessionStore) -> dict[str, list[str]]:
    return {info.key: [message.text[:5] for message in store.get_history(info.key)] for info in store.list_sessions()}


def kinds(found: list[Damage]) -> tuple[str, ...]:
    return tuple(sorted(damage.kind for damage in found))


@pytest.mark.parametrize("name", CASES)
def test_each_damage_is_found_and_named_and_looking_changes_nothing(
    name: str, directory: Path, reopen: OpenStore
) -> None:
    case = CASES[name]
    case.make(directory)
    before = snapshot(directory)
    found = list(reopen().verify())
    assert kinds(found) == case.kinds
    assert [damage.stays for damage in found] == [not case.harmless] * len(found)
    assert all(str(directory) in damage.place for damage in found)
    assert not any(word in str(damage) for damage in found for word in ("two", "three", "role"))  # nothing is quoted
    assert snapshot(directory) == before


@pytest.mark.parametrize("name", CASES)
def test_after_a_repair_all_is_there_in_order_and_the_store_is_sound(
    name: str, directory: Path, reopen: OpenStore
) -> None:
    case = CASES[name]
    case.make(directory)
    shown = texts(reopen())
    found = list(reopen().repair())
    assert kinds(found) == case.kinds
    assert all(damage.mended for damage in found if damage.mendable)
    store = reopen()
    assert texts(store) == {key: [text[:5] for text in found] for key, found in case.texts.items()}
    assert all(texts(store)[key] == messages for key, messages in shown.items() if messages)
    assert not any(damage.stays for damage in store.verify())
    aside = b"".join(data for name, data in snapshot(directory).items() if not name.endswith((".jsonl", ".meta.json")))
    assert all(data in aside for data in case.aside)
    _again(directory, reopen)
    store.add_message("k", "user", "new")
    assert [message.text for message in reopen().get_history("k", 1)] == ["new"]


def _again(directory: Path, reopen: OpenStore) -> None:
    before = snapshot(directory)
    assert not any(damage.mended for damage in reopen().repair())
    assert snapshot(directory) == before


def test_a_line_that_picoclaw_could_not_read_is_a_note_and_stays(directory: Path, store: SessionStore) -> None:
    (directory / "k.jsonl").write_bytes(lines(ONE, LONG, TWO))
    (directory / "k.meta.json").write_text(json.dumps(GOOD))
    [found] = store.repair()
    assert (found.kind, found.harmless, found.mended) == ("long-lines", True, False)
    assert [message.text[:5] for message in store.get_history("k")] == ["one", "long ", "two"]


@pytest.mark.parametrize("name", SOUND)
def test_what_is_sound_is_not_taken_for_damaged(name: str, directory: Path, reopen: OpenStore) -> None:
    Case(kinds=(), files=SOUND[name], texts={}).make(directory)
    before = snapshot(directory)
    assert list(reopen().verify()) == list(reopen().repair()) == []
    assert snapshot(directory) == before
    assert not (directory / ".sessionkit.lock").exists()  # nothing was even locked


def test_a_store_of_this_backend_is_sound(store: SessionStore, reopen: OpenStore) -> None:
    for number in range(30):
        store.add_messages("a:b", [{"role": "user", "content": f"{number}.{part}"} for part in range(3)])
        store.add_message("a/b", "user", str(number))
    store.truncate_history("a:b", 50, summary="s")
    store.save("a:b")
    store.set_history("a/b", [{"role": "user", "content": "new"}, {"role": "user", "_sk": "mine"}])
    store.truncate_history("a/b", 1)
    store.fork_session("a:b", "copy")
    store.get_or_create("empty")
    assert list(store.verify()) == list(reopen().verify()) == list(store.repair()) == []


def test_truncated_messages_stay_truncated(directory: Path, reopen: OpenStore) -> None:
    (directory).mkdir()
    (directory / "k.jsonl").write_bytes(lines(ONE, ONE + ONE, b"junk", TWO, b"junk", TWO))
    (directory / "k.meta.json").write_text('{"key": "k", "skip": 3}')
    list(reopen().repair())
    assert texts(reopen()) == {"k": ["two", "two"]}
    assert json.loads((directory / "k.meta.json").read_text())["skip"] == 3
    assert (directory / "k.jsonl").read_bytes().splitlines()[0].endswith(ONE[1:])


def test_with_an_archive_truncated_messages_go_there(directory: Path, reopen: OpenStore) -> None:
    CASES["damage behind what is truncated"].make(directory)
    list(reopen(archive=True).repair())
    assert texts(reopen(archive=True)) == {"k": ["two", "three"]}
    assert ONE in (directory / "k.archive").read_bytes()
    assert not any(damage.stays for damage in reopen().verify())


def test_what_was_read_before_a_repair_is_read_anew(directory: Path, reopen: OpenStore) -> None:
    CASES["splice"].make(directory)
    store = reopen()
    before = store.get_session("k")
    assert kinds(list(reopen().repair())) == ("glued-lines",)
    store.add_message("k", "user", "new")
    assert [message.text for message in store.get_history("k")] == ["one", "three", "new"]
    assert store.get_session("k").generation == before.generation


def test_a_log_that_cannot_be_read_is_told_and_left(directory: Path, reopen: OpenStore) -> None:
    directory.mkdir()
    (directory / "k.jsonl").mkdir()
    (directory / "k.meta.json").write_text('{"key": "k"}')
    for found in (list(reopen().verify()), list(reopen().repair())):
        assert [(damage.kind, damage.mendable, damage.stays) for damage in found] == [("unreadable", False, True)]
    assert "Is a directory" in found[0].problem


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


def test_files_without_the_right_to_read_them_are_told(tmp_path: Path, another_user: None) -> None:
    directory = Path(tempfile.mkdtemp())
    try:
        for name in ("good", "log", "document"):
            (directory / f"{name}.jsonl").write_bytes(lines(ONE))
            (directory / f"{name}.meta.json").write_text(json.dumps({"key": name}))
        (directory / "log.jsonl").chmod(0)
        (directory / "document.meta.json").chmod(0)
        with open_store(f"jsonl:{directory}") as store:
            found = list(store.verify())
        assert [damage.kind for damage in found] == ["unreadable", "unreadable"]
        assert all("Permission denied; give this user access to it" in damage.problem for damage in found)
    finally:
        shutil.rmtree(directory)


def test_a_temporary_file_that_is_just_being_made_is_no_damage(directory: Path, reopen: OpenStore) -> None:
    store = reopen()
    (directory / ".sessionkit-1-ab.tmp").touch()  # between its making and its lock
    assert list(store.verify()) == []


def test_others_may_write_while_a_store_is_verified_and_repaired(
    directory: Path, reopen: OpenStore, threads: Threads
) -> None:
    (directory).mkdir()
    (directory / "k.jsonl").write_bytes(lines(ONE, b"#", TWO))
    writer, reader = reopen(durability="os"), reopen(durability="os")

    def write() -> None:
        for number in range(300):
            writer.add_messages("k", [{"role": "user", "content": f"{number}.{part}"} for part in range(3)])

    threads.start("writer", write)
    found: list[Damage] = []
    while "writer" not in threads.outcomes:
        found += reader.verify()
        found += reader.repair()
    threads.join()
    assert threads.outcomes == {"writer": None}
    assert set(kinds(found)) <= {"missing-document", "unreadable-lines"}
    assert [message.text for message in reopen().get_history("k")] == [
        "one",
        "two",
        *(f"{number}.{part}" for number in range(300) for part in range(3)),
    ]
    assert list(reopen().verify()) == []


@pytest.mark.parametrize("threshold", [0, 65_536])
def test_compacting_tells_what_it_won_and_leaves_the_session_as_it_is(
    reopen: OpenStore, directory: Path, threshold: int
) -> None:
    store = reopen(compact_threshold=threshold)
    for number in range(20):
        store.add_message("k", "user", str(number) * 100)
    assert store.compact("k") == 0
    store.truncate_history("k", 5)
    before, size = store.get_session("k"), (directory / "k.jsonl").stat().st_size
    won = store.compact("k")
    assert won == size - (directory / "k.jsonl").stat().st_size > 1500
    assert store.get_session("k") == before
    assert store.compact("k") == 0


CUT: Final = ("damage behind what is truncated", "broken document", "skip past the end", "copied files")
CUT_AT_LENGTH: Final = ("torn tail", "splice", "bad UTF-8", "half a batch", "fields of other kinds", "renamed files")


@pytest.mark.slow
@pytest.mark.parametrize("name", CUT if SECOND_STATES <= 10 else CUT + CUT_AT_LENGTH)
def test_a_power_cut_in_a_repair_leaves_what_was_there_or_what_should_become(name: str, tmp_path: Path) -> None:
    report = CrashChecker(open=opened, acknowledged="write", in_order=True, second_states=SECOND_STATES).check(
        [lambda store: list(store.repair())], given=CASES[name].make(tmp_path / "given")
    )
    print(report)
    assert report.violations == (), report
    assert report.states >= 5


@settings(max_examples=EXAMPLES, deadline=None)
@given(parts(), TAILS, DOCUMENTS, st.integers(0, 9), st.data())
def test_whatever_is_damaged_a_repair_keeps_what_is_read_and_leaves_a_sound_store(
    log: list[Part], tail: str, document: str | bytes, hidden: int, data: Any
) -> None:
    ends = {
        "torn": b'{"role":"us',
        "NULs": b"\0" * 600,
        "half a batch": BATCH[:-7],
        "without newline": b'{"role":"user","content":"<x>"}',
    }
    end = Part(ends.get(tail, b""), ("<x>",) if tail == "without newline" else ())
    path = Path(tempfile.mkdtemp())
    try:
        case = DamagedLog(path, [*log, end], document, min(hidden, len(log)) if document == "good" else 0)
        beyond = document == "beyond" and any(part.data.strip(b"\r\n") for part in [*log, end])
        expected = case.readable if beyond else case.expected
        with open_store(f"jsonl:{path}?durability=os") as store:
            list(store.repair())
            assert [name_of(message) for message in store.get_history("k")] == expected
        with open_store(f"jsonl:{path}?durability=os") as store:
            assert [name_of(message) for message in store.get_history("k")] == expected
            assert not any(damage.stays for damage in store.verify())
            before = snapshot(path)
            list(store.repair())
            assert snapshot(path) == before
    finally:
        shutil.rmtree(path)


def test_the_marks_of_a_batch_that_is_whole_are_kept(directory: Path, reopen: OpenStore) -> None:
    directory.mkdir()
    (directory / "k.jsonl").write_bytes(marks.as_batch([ONE, TWO]))
    (directory / "k.meta.json").write_text(json.dumps(GOOD))
    before = snapshot(directory)
    assert list(reopen().repair()) == []
    assert snapshot(directory) == before
