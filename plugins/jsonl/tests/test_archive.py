"""The archive: nothing that leaves a log is lost, and nothing is there twice."""

from __future__ import annotations

import errno
import itertools
import json
import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionkit_jsonl import JSONLBackend, JSONLOptions, archive, read_archive, read_chunks
from sessionkit_jsonl.files import Files, OpenFile

from sessionkit import BackendUnavailableError, OutcomeUnknownError, SessionStore
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED as U

Reopen: TypeAlias = Callable[..., SessionStore]
OpenBackend: TypeAlias = Callable[..., JSONLBackend]

ON: dict[str, Any] = {"archive": True, "compact_threshold": 0}


def user(*texts: object) -> list[dict[str, Any]]:
    return [{"role": "user", "content": str(text)} for text in texts]


def texts(messages: Iterable[Message]) -> list[str]:
    return [message.text for message in messages]


def archived(directory: Path, name: str = "k") -> list[str]:
    path = directory / f"{name}.archive"
    return texts(read_archive(path)) if path.exists() else []


def test_what_compaction_removes_is_in_the_archive(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user(*range(5)))
    store.truncate_history("k", 3)
    assert archived(directory) == []
    store.save("k")
    assert archived(directory) == ["0", "1"]
    store.add_messages("k", user(5, 6))
    store.truncate_history("k", 1)
    store.save("k")
    store.truncate_history("k", 0)
    store.save("k")
    store.add_message("k", "user", "0")
    store.truncate_history("k", 0)
    store = reopen(**ON)
    store.save("k")
    assert archived(directory) == [*map(str, range(7)), "0"]
    assert (directory / "k.archive").stat().st_mode & 0o777 == 0o600


def test_a_message_is_archived_as_often_as_it_was_said(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    for number in range(1, 5):
        store.add_message("k", "user", "the same")
        store.truncate_history("k", 0)
        store.save("k")
        assert archived(directory) == ["the same"] * number


def test_there_is_no_archive_unless_it_is_asked_for(directory: Path, reopen: Reopen) -> None:
    store = reopen(compact_threshold=0)
    store.add_messages("k", user(*range(5)))
    store.truncate_history("k", 0)
    store.save("k")
    assert not (directory / "k.archive").exists()


def test_the_archive_leaves_versions_and_the_history_alone(reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user(*range(5)))
    store.truncate_history("k", 2, summary="s")
    before = store.get_session("k")
    store.save("k")
    assert store.get_session("k") == reopen().get_session("k") == before


def test_a_chunk_says_what_it_has(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("a:b", user("x", "y", "z"))
    store.truncate_history("a:b", 1)
    store.save("a:b")
    [chunk] = read_chunks(directory / "a_b.archive")
    head, *lines = (directory / "a_b.archive").read_bytes().splitlines()
    fields = json.loads(head)
    assert (chunk.key, texts(chunk.messages)) == ("a:b", ["x", "y"])
    assert (fields["lines"], fields["bytes"], fields["at"]) == (2, sum(map(len, lines)) + 2, chunk.at)
    assert lines == list(chunk.records)
    assert f"h={chunk.nonce},".encode() in (directory / "a_b.jsonl").read_bytes()
    assert chunk.start == 0 < chunk.end


def test_no_message_stands_in_what_is_shown_of_a_chunk(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user("a secret", "b"))
    store.truncate_history("k", 1)
    store.save("k")
    [chunk] = read_chunks(directory / "k.archive")
    assert b"a secret" in chunk.records[0]
    assert "a secret" not in repr(chunk)


def test_messages_are_archived_byte_for_byte_and_damaged_lines_put_aside(directory: Path, reopen: Reopen) -> None:
    odd = [
        b'{ "role":"user",  "content":"b", "x-unknown":{"n":1.50,"n2":1e2}, "n3":null }',
        b'{"role":"user","content":"\xff\\ud83d<&\\u003c"}',
        b'{"_sk":"","_sk":"archive","role":"user"}',
    ]
    directory.mkdir()
    (directory / "k.jsonl").write_bytes(b"".join(line + b"\n" for line in [odd[0], b"x1", *odd[1:], b"x2", odd[0]]))
    (directory / "k.meta.json").write_text('{"key": "k", "skip": 4}')
    store = reopen(**ON)
    store.truncate_history("k", 1)
    store.save("k")
    [chunk] = read_chunks(directory / "k.archive")
    assert chunk.records == (*odd[:2], b'{"_sk":"archive","role":"user"}')
    assert b"\n".join(odd) + b"\n" in (directory / "k.archive").read_bytes()
    assert (directory / "k.damaged").read_bytes() == b"x1\nx2\n"
    assert len(store.get_history("k")) == 1


def test_a_batch_may_be_archived_in_parts(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_message("k", "user", "first")
    store.add_messages("k", user(*range(4)))
    for keep in (3, 2, 1):
        store.truncate_history("k", keep)
        store.save("k")
    assert archived(directory) == ["first", "0", "1", "2"]
    assert texts(store.get_history("k")) == ["3"]


def test_a_long_run_of_messages_is_archived_in_chunks(
    directory: Path, reopen: Reopen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "_CHUNK", 200)
    monkeypatch.setattr(archive, "_BLOCK", 16)
    store = reopen(**ON)
    store.add_messages("k", user(*range(50), "x" * 5000, *range(51, 60)))
    store.truncate_history("k", 5)
    store.save("k")
    chunks = list(read_chunks(directory / "k.archive"))
    assert len(chunks) > 10
    assert [len(text) for text in archived(directory)][50] == 5000
    assert len(archived(directory)) == 55


# -- replacing


def test_what_a_new_history_does_not_have_is_archived_and_what_it_has_is_not(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user("truncated", "a", "b", "a", "c"))
    store.truncate_history("k", 4)
    store.set_history("k", user("summary", "a", "c"))
    assert texts(store.get_history("k")) == texts(reopen().get_history("k")) == ["summary", "a", "c"]
    assert archived(directory) == ["truncated", "a", "b"]
    store.update_session("k", messages=[], summary="s")
    assert archived(directory) == ["truncated", "a", "b", "summary", "a", "c"]
    session = reopen().get_session("k")
    assert (session.count, session.summary) == (0, "s")


def test_a_replaced_history_stays_in_the_log_until_it_is_worth_a_compaction(directory: Path, reopen: Reopen) -> None:
    store = reopen(archive=True)
    store.add_messages("k", user("a", "b"))
    store.set_history("k", user("c"))
    store.set_history("k", user("d"))
    assert archived(directory) == []
    assert texts(reopen().get_history("k")) == ["d"]
    meta = json.loads((directory / "k.meta.json").read_bytes())
    assert (meta["skip"], meta["count"]) == (3, 4)
    store.add_message("k", "user", "e")
    store = reopen(**ON)
    store.save("k")
    assert archived(directory) == ["a", "b", "c"]
    store.set_history("k", user(*"de", "x" * 70_000))
    reopen(archive=True).set_history("k", user("f"))
    assert archived(directory) == [*"abcde", "x" * 70_000]


def test_a_message_whose_newline_was_lost_is_archived_when_it_is_replaced(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    (directory / "k.jsonl").write_text('{"role":"user","content":"a"}\n{"role":"user","content":"b"}')
    reopen(**ON).set_history("k", user("c"))
    assert archived(directory) == ["a", "b"]


def test_two_messages_in_one_line_are_parted_and_archived(directory: Path, reopen: Reopen) -> None:
    directory.mkdir()
    (directory / "k.jsonl").write_text('{"role":"user","content":"a"}{"role":"user","content":"b"}\n')
    store = reopen(**ON)
    store.truncate_history("k", 1)
    assert texts(reopen().get_history("k")) == ["b"]
    assert archived(directory) == ["a"]


# -- deleting and forking


def test_deleting_a_session_deletes_its_archive(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user(1, 2))
    store.truncate_history("k", 1)
    store.save("k")
    (directory / "k.damaged").write_text("x")
    assert store.delete_session("k")
    assert [path.name for path in directory.iterdir()] == [".sessionkit.lock"]


@pytest.mark.parametrize("lost", [["k.jsonl"], ["k.meta.json"], ["k.meta.json", "k.jsonl"]])
def test_the_archive_goes_with_a_session_that_lost_a_file(directory: Path, reopen: Reopen, lost: list[str]) -> None:
    store = reopen(**ON)
    store.add_messages("k", user(1, 2))
    store.truncate_history("k", 1)
    store.update_session("k", metadata={"n": 1})
    store.save("k")
    meta = json.loads((directory / "k.meta.json").read_bytes())
    del meta["sessionkit"]["data"]
    (directory / "k.meta.json").write_text(json.dumps(meta))
    for name in lost:
        (directory / name).unlink()
    store = reopen(**ON)
    existed = store.delete_session("k")
    assert existed == (len(lost) == 1)
    assert (directory / "k.archive").exists() != existed  # without either file nobody says whose it is


class KilledError(BaseException):
    """Stands for the end of the process."""


class Dying(Files):
    """Files of a process that is killed before a certain change of names."""

    left: list[int]

    def __init__(self, survived: int) -> None:
        object.__setattr__(self, "left", [survived])

    def _count(self) -> None:
        if self.left[0] == 0:
            raise KilledError
        self.left[0] -= 1

    def remove(self, path: str) -> bool:
        self._count()
        return super().remove(path)

    def rename(self, source: str, target: str) -> None:
        self._count()
        super().rename(source, target)

    def write(self, file: OpenFile, data: bytes) -> None:
        self._count()
        super().write(file, data)

    def sync_directory(self, path: str) -> None:
        self._count()
        super().sync_directory(path)


def _archived_session(path: Path) -> JSONLBackend:
    backend = JSONLBackend(JSONLOptions(path=path, **ON))
    backend.sessionkit_add_messages("k", [Message.simple("user", text) for text in "abc"], "")
    backend.sessionkit_truncate_history("k", 1, None, U, None, None, "")
    backend.sessionkit_save("k")
    return backend


@pytest.mark.parametrize("again", ["open", "create", "delete"])
def test_a_deletion_that_was_cut_short_leaves_no_archive_behind(tmp_path: Path, again: str) -> None:
    for survived in itertools.count():
        directory = tmp_path / str(survived)
        _archived_session(directory)
        other = JSONLBackend(JSONLOptions(path=directory, **ON))  # open before the deletion
        try:
            JSONLBackend(JSONLOptions(path=directory), Dying(survived)).sessionkit_delete_session("k", None)
        except KilledError:
            pass
        else:
            assert not (directory / "k.archive").exists()
            return
        if other.sessionkit_get_session("k", 0).exists:
            assert archived(directory) == ["a", "b"]
            continue
        if again == "open":
            JSONLBackend(JSONLOptions(path=directory))
        elif again == "delete":
            assert not other.sessionkit_delete_session("k", None)
        else:
            other.sessionkit_add_messages("k", [Message.simple("user", "new")], "")
        assert not (directory / "k.archive").exists()


class Stubborn(Files):
    """Files of which archives cannot be removed."""

    def remove(self, path: str) -> bool:
        if path.endswith(".archive"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return super().remove(path)


def test_an_archive_that_cannot_be_removed_is_told_and_removed_by_the_next_attempt(directory: Path) -> None:
    _archived_session(directory)
    with pytest.raises(OutcomeUnknownError, match=r"k\.archive"):
        JSONLBackend(JSONLOptions(path=directory), Stubborn()).sessionkit_delete_session("k", None)
    JSONLBackend(JSONLOptions(path=directory), Stubborn())  # opening does not fail for it
    assert (directory / "k.archive").exists()
    JSONLBackend(JSONLOptions(path=directory)).sessionkit_delete_session("k", None)
    assert not (directory / "k.archive").exists()


def test_a_fork_has_no_archive(directory: Path, reopen: Reopen) -> None:
    store = reopen(**ON)
    store.add_messages("k", user(1, 2))
    store.truncate_history("k", 1)
    store.save("k")
    store.fork_session("k", "fork")
    store.save("fork")
    assert not (directory / "fork.archive").exists()


# -- damage and faults


def _before_compaction(directory: Path) -> None:
    backend = _archived_session(directory)
    backend.sessionkit_add_messages("k", [Message.simple("user", text) for text in "defg"], "")
    backend.sessionkit_truncate_history("k", 2, None, U, None, None, "")


def test_a_torn_archive_is_sealed_and_written_again(tmp_path: Path) -> None:
    _before_compaction(tmp_path / "given")
    whole = tmp_path / "whole"
    shutil.copytree(tmp_path / "given", whole)
    JSONLBackend(JSONLOptions(path=whole, **ON)).sessionkit_save("k")
    data = (whole / "k.archive").read_bytes()
    size = (tmp_path / "given" / "k.archive").stat().st_size
    for cut in range(size, len(data) + 1, 31):
        for end in (b"", b"\0" * (len(data) - cut)):
            (tmp_path / "given" / "k.archive").write_bytes(data[:cut] + end)
            again = tmp_path / "again"
            shutil.copytree(tmp_path / "given", again)
            assert archived(again)[:2] == ["a", "b"]
            JSONLBackend(JSONLOptions(path=again, **ON)).sessionkit_save("k")
            assert archived(again) == [*"abcde"]
            shutil.rmtree(again)


class Faulty(Files):
    """Files on which writes to an archive fail, or their syncs."""

    call: str

    def __init__(self, call: str) -> None:
        object.__setattr__(self, "call", call)

    def _fail(self, call: str, path: str) -> None:
        if call == self.call and path.endswith(".archive"):
            raise OSError(errno.EIO, os.strerror(errno.EIO), path)

    def write(self, file: OpenFile, data: bytes) -> None:
        super().write(file, data[: len(data) // 2])
        self._fail("write", file.path)
        super().write(file, data[len(data) // 2 :])

    def sync(self, file: OpenFile) -> None:
        if file.status().st_size > self.size:
            self._fail("sync", file.path)
        super().sync(file)

    size = 300


@pytest.mark.parametrize("call", ["write", "sync"])
def test_when_the_archive_cannot_be_written_nothing_leaves_the_log(directory: Path, call: str) -> None:
    _before_compaction(directory)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    backend = JSONLBackend(JSONLOptions(path=directory, **ON), Faulty(call))
    with pytest.raises(BackendUnavailableError, match=r"k\.archive: Input/output error"):
        backend.sessionkit_save("k")
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before
    JSONLBackend(JSONLOptions(path=directory, **ON)).sessionkit_save("k")
    assert archived(directory) == [*"abcde"]


def test_a_process_that_is_killed_between_archive_and_log_doubles_nothing(tmp_path: Path) -> None:
    _before_compaction(tmp_path / "given")
    for survived in itertools.count():
        directory = tmp_path / str(survived)
        shutil.copytree(tmp_path / "given", directory)
        backend = JSONLBackend(JSONLOptions(path=directory, **ON), Dying(survived))
        try:
            backend.sessionkit_save("k")
        except KilledError:
            pass
        else:
            assert survived > 5
            return
        backend = JSONLBackend(JSONLOptions(path=directory, **ON))
        backend.sessionkit_add_messages("k", [Message.simple("user", "h")], "")
        backend.sessionkit_truncate_history("k", 1, None, U, None, None, "")
        JSONLBackend(JSONLOptions(path=directory, **ON)).sessionkit_save("k")
        assert archived(directory) == [*"abcdefg"]


def test_an_archive_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        list(read_archive(tmp_path / "k.archive"))


OPERATIONS = st.lists(
    st.tuples(st.sampled_from(["append", "truncate", "replace", "save", "reopen"]), st.integers(0, 5)), max_size=14
)


@settings(max_examples=10, deadline=None)
@given(OPERATIONS, st.booleans())
def test_everything_that_was_said_is_there_once(
    tmp_path_factory: pytest.TempPathFactory, steps: Any, small: bool
) -> None:
    directory = tmp_path_factory.mktemp("sessions")
    options = JSONLOptions(path=directory, archive=True, compact_threshold=0 if small else 150, durability="os")
    backend = JSONLBackend(options)
    numbers = map(str, itertools.count())
    history: list[str] = []
    said: list[str] = []

    def fresh(count: int) -> list[str]:
        found = list(itertools.islice(numbers, count))
        said.extend(found)
        return found

    for step, number in steps:
        if step == "append":
            new = fresh(number + 1)
            backend.sessionkit_add_messages("k", [Message.simple("user", text) for text in new], "")
            history += new
        elif step == "truncate":
            backend.sessionkit_truncate_history("k", number, None, U, None, None, "")
            history = history[len(history) - min(number, len(history)) :]
        elif step == "replace":
            history = [*fresh(number % 2), *history[-number:], *fresh(number % 3)]
            messages = [Message.simple("user", text) for text in history]
            backend.sessionkit_update_session("k", messages, U, U, U, U, U, None, "")
        elif step == "save":
            backend.sessionkit_save("k")
        else:
            backend = JSONLBackend(options)
        assert texts(backend.sessionkit_get_history("k", 0, None).messages) == history
        assert not set(archived(directory)) & set(history)
    backend = JSONLBackend(JSONLOptions(path=directory, **ON))
    backend.sessionkit_save("k")
    assert sorted(archived(directory) + history, key=int) == said
    shutil.rmtree(directory)
