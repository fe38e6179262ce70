"""What it costs to read and to append to a long history."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.files import OpenFile

from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

OpenBackend: TypeAlias = Callable[..., JSONLBackend]

MANY = 5000


@pytest.fixture
def long(open_backend: OpenBackend) -> JSONLBackend:
    """A history of five megabytes in batches and single messages, of which ten messages are truncated."""
    backend = open_backend(durability="os")
    messages = [Message.simple("user", f"{number:06}" + "x" * 970) for number in range(MANY)]
    backend.sessionkit_update_session(
        "k", messages[:4000], UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, ""
    )
    for start in range(4000, MANY, 50):
        backend.sessionkit_add_messages("k", messages[start : start + 50], "")
    backend.sessionkit_truncate_history("k", None, 10, UNCHANGED, None, None, "")
    return backend


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes each read took."""
    sizes: list[int] = []
    original = OpenFile.read

    def counted(file: OpenFile, offset: int, size: int) -> bytes:
        data = original(file, offset, size)
        sizes.append(len(data))
        return data

    monkeypatch.setattr(OpenFile, "read", counted)
    return sizes


def numbers(backend: JSONLBackend, start: int, limit: int | None = None) -> list[int]:
    return [int(message.text[:6]) for message in backend.sessionkit_get_history("k", start, limit).messages]


def test_any_stretch_is_found(long: JSONLBackend) -> None:
    assert numbers(long, -20) == [*range(MANY - 20, MANY)]
    for start in (0, 1, 37, 2048, 3989, 3990, 4015, 4989):
        assert numbers(long, start, 3) == [*range(start + 10, min(start + 13, MANY))]
    assert numbers(long, 0) == [*range(10, MANY)]


def test_the_last_messages_cost_what_they_cost_once_the_file_was_seen(long: JSONLBackend, read: list[int]) -> None:
    numbers(long, -20)
    read.clear()
    assert len(numbers(long, -20)) == 20
    assert sum(read) < 100_000


def test_whether_a_save_is_to_compact_is_known_without_reading(open_backend: OpenBackend, read: list[int]) -> None:
    backend = open_backend()
    backend.sessionkit_add_messages("k", [Message.simple("user", "x" * 1000)] * 500, "")
    backend.sessionkit_truncate_history("k", None, 10, UNCHANGED, None, None, "")
    backend.sessionkit_add_messages("k", [Message.simple("user", "next")], "")
    backend.sessionkit_get_history("k", -1, None)
    read.clear()
    backend.sessionkit_save("k")
    assert read == []


@pytest.mark.parametrize("own", [True, False])
def test_a_save_after_one_that_had_nothing_to_do_compacts_what_was_truncated_since(
    open_backend: OpenBackend, directory: Path, *, own: bool
) -> None:
    backend = open_backend(compact_threshold=1)
    for _ in range(3):
        backend.sessionkit_add_messages("k", [Message.simple("user", "x" * 1000)], "")
        backend.sessionkit_save("k")
    truncating = backend if own else open_backend()
    truncating.sessionkit_truncate_history("k", 1, None, UNCHANGED, None, None, "")
    backend.sessionkit_save("k")
    assert (directory / "k.jsonl").stat().st_size < 2000
    assert len(backend.sessionkit_get_history("k", 0, None).messages) == 1


@pytest.mark.parametrize("drop", [1, 30, 32, 33, 40])
def test_a_save_compacts_from_the_very_byte_of_its_threshold(
    open_backend: OpenBackend, directory: Path, drop: int
) -> None:
    record = Message.simple("user", "x" * 1000)
    line = len(record.to_json()) + 1
    open_backend().sessionkit_add_messages("k", [Message.simple("user", "the first one has the header")], "")
    backend = open_backend(compact_threshold=(directory / "k.jsonl").stat().st_size + 32 * line)
    for _ in range(100):
        backend.sessionkit_add_messages("k", [record], "")
    backend.sessionkit_truncate_history("k", None, 1 + drop, UNCHANGED, None, None, "")
    size = (directory / "k.jsonl").stat().st_size
    backend.sessionkit_save("k")
    assert ((directory / "k.jsonl").stat().st_size < size) == (drop >= 32)


def test_the_first_look_reads_the_file_once(open_backend: OpenBackend, directory: Path, read: list[int]) -> None:
    backend = open_backend(durability="os")
    messages = [Message.simple("user", "x" * 1000)] * 2000
    backend.sessionkit_update_session("k", messages, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, "")
    fresh = open_backend()
    read.clear()
    assert len(fresh.sessionkit_get_history("k", 0, None).messages) == 2000
    assert sum(read) < 1.05 * (directory / "k.jsonl").stat().st_size


def test_the_last_messages_of_a_long_batch_cost_no_more(open_backend: OpenBackend, read: list[int]) -> None:
    backend = open_backend(durability="os")
    batch = [Message.simple("user", f"{number:06}" + "x" * 970) for number in range(3000)]
    backend.sessionkit_add_messages("k", [Message.simple("user", "000000")], "")
    backend.sessionkit_add_messages("k", batch, "")
    numbers(backend, -1)
    for store in (backend, open_backend()):
        numbers(store, -1)
        read.clear()
        assert numbers(store, -20) == [*range(2980, 3000)]
        assert sum(read) < 100_000
        assert numbers(store, 1500, 3) == [1499, 1500, 1501]
    backend.sessionkit_truncate_history("k", 1234, None, UNCHANGED, None, None, "")
    for store in (backend, open_backend()):
        assert numbers(store, 0) == [*range(3000 - 1234, 3000)]


def test_an_append_reads_next_to_nothing_however_long_the_history_is(long: JSONLBackend, read: list[int]) -> None:
    numbers(long, -1)
    read.clear()
    for number in range(10):
        long.sessionkit_add_messages("k", [Message.simple("user", f"{number:06}")], "")
    assert sum(read) < 5000


def test_what_another_process_appended_is_read_and_nothing_else(
    long: JSONLBackend, open_backend: OpenBackend, read: list[int]
) -> None:
    other = open_backend(durability="os")
    numbers(other, -1)
    long.sessionkit_add_messages("k", [Message.simple("user", f"{MANY:06}")], "")
    read.clear()
    assert other.sessionkit_get_session("k", 0).count == MANY - 9
    assert sum(read) < 5000


def test_the_index_outlives_the_open_files(long: JSONLBackend, read: list[int]) -> None:
    numbers(long, -1)
    for number in range(150):
        long.sessionkit_add_messages(str(number), [Message.simple("user", "x")], "")
    read.clear()
    assert numbers(long, -1) == [MANY - 1]
    assert sum(read) < 150_000


def test_truncated_lines_are_passed_over_without_reading_them_as_messages(
    long: JSONLBackend, open_backend: OpenBackend
) -> None:
    long.sessionkit_truncate_history("k", 7, None, UNCHANGED, None, None, "")
    fresh = open_backend()
    assert numbers(fresh, 0) == numbers(long, 0) == [*range(MANY - 7, MANY)]
    entry = fresh._entries.get("k")
    assert entry._index.seen == 7
    long.sessionkit_truncate_history("k", 3, None, UNCHANGED, None, None, "")
    assert numbers(fresh, 0) == numbers(long, 0) == [*range(MANY - 3, MANY)]
