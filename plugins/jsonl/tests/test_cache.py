"""What is kept in memory is not read again, and is never wrong."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.cache import Cache
from sessionkit_jsonl.collector import resting
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.index import Index

from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


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


def add(backend: JSONLBackend, *texts: str, key: str = "k") -> None:
    backend.sessionkit_add_messages(key, [Message.simple("user", text) for text in texts], "")


def texts(backend: JSONLBackend, start: int = 0, limit: int | None = None, key: str = "k") -> list[str]:
    return [message.text for message in backend.sessionkit_get_history(key, start, limit).messages]


def replace(backend: JSONLBackend, *texts: str) -> None:
    messages = [Message.simple("user", text) for text in texts]
    backend.sessionkit_update_session("k", messages, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, "")


def test_a_history_that_was_read_is_not_read_again(open_backend: OpenBackend, read: list[int]) -> None:
    add(open_backend(durability="os"), *"abcdef")
    backend = open_backend()
    assert texts(backend) == [*"abcdef"]
    read.clear()
    assert texts(backend) == [*"abcdef"]
    assert texts(backend, -2) == ["e", "f"]
    assert texts(backend, 1, 2) == ["b", "c"]
    assert [message.text for message in backend.sessionkit_get_session("k", 1).messages] == ["f"]
    assert read == []


def test_a_read_from_memory_looks_at_each_file_once(open_backend: OpenBackend, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = open_backend()
    add(backend, "a")
    texts(backend)
    looked_at: list[str] = []
    original = os.stat

    def counted(path: Any, **options: Any) -> os.stat_result:
        looked_at.append(os.path.basename(path))
        return original(path, **options)

    def fail(file: OpenFile) -> os.stat_result:
        raise AssertionError("one look is enough")

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", counted)
        patch.setattr(OpenFile, "status", fail)
        history = backend.sessionkit_get_history("k", 0, None)
    assert len(history.messages) == 1
    assert looked_at == ["k.meta.json", "k.jsonl"]


def test_nothing_is_kept_when_that_is_asked_for(open_backend: OpenBackend, read: list[int]) -> None:
    backend = open_backend(cache=0)
    add(backend, "a")
    texts(backend)
    read.clear()
    assert texts(backend) == ["a"]
    assert read != []


def test_only_what_another_process_appended_is_read(
    open_backend: OpenBackend, directory: Path, read: list[int]
) -> None:
    writer, reader = open_backend(durability="os"), open_backend()
    add(writer, *(str(number) * 100 for number in range(50)))
    texts(reader)
    before = (directory / "k.jsonl").stat().st_size
    add(writer, "x")
    add(writer, "y", "z")
    read.clear()
    assert texts(reader)[-4:] == ["49" * 100, "x", "y", "z"]
    assert sum(read) == (directory / "k.jsonl").stat().st_size - before


def test_what_this_process_appends_to_what_it_keeps_is_kept_and_not_read(
    open_backend: OpenBackend, read: list[int]
) -> None:
    backend = open_backend(durability="os")
    add(backend, "a")
    texts(backend)
    add(backend, "b")
    add(backend, "c", "d")
    read.clear()
    assert texts(backend) == [*"abcd"]
    assert texts(backend, -3, 2) == ["b", "c"]
    assert read == []
    assert texts(open_backend(cache=0)) == [*"abcd"]


def test_what_two_processes_append_in_turn_is_read_in_its_order(open_backend: OpenBackend) -> None:
    backend, other = open_backend(durability="os"), open_backend(durability="os")
    add(backend, "a")
    texts(backend)
    for first, second in ("bc", "de", "fg"):
        add(backend, first)
        add(other, second)
    add(backend, "h")
    assert texts(backend) == [*"abcdefgh"]
    assert texts(other) == [*"abcdefgh"]


def test_a_message_that_is_longer_than_a_checkpoint_is_read_back(open_backend: OpenBackend) -> None:
    backend = open_backend(durability="os")
    add(backend, "a")
    texts(backend)
    for text in ("b", "x" * 100_000, "c"):
        add(backend, text)
    assert texts(backend) == ["a", "b", "x" * 100_000, "c"]


@pytest.mark.parametrize("own", [True, False])
def test_truncations_and_replacements_are_seen(open_backend: OpenBackend, *, own: bool) -> None:
    backend = open_backend(durability="os")
    writer = backend if own else open_backend(durability="os")
    add(writer, *"abcdef")
    assert texts(backend) == [*"abcdef"]
    writer.sessionkit_truncate_history("k", 4, None, UNCHANGED, None, None, "")
    assert texts(backend) == [*"cdef"]
    add(writer, "g")
    assert texts(backend) == [*"cdefg"]
    writer.sessionkit_save("k")
    assert texts(backend) == [*"cdefg"]
    replace(writer, "x", "y")
    assert texts(backend) == ["x", "y"]
    writer.sessionkit_delete_session("k", None)
    assert texts(backend) == []
    add(writer, "z")
    assert texts(backend) == ["z"]


def test_a_log_that_was_cut_or_replaced_is_read_anew(open_backend: OpenBackend, directory: Path) -> None:
    backend = open_backend(durability="os")
    add(backend, *"abc")
    assert texts(backend) == [*"abc"]
    log = directory / "k.jsonl"
    whole = log.read_bytes()
    log.write_bytes(b'{"role":"user","content":"x"}\n')
    assert texts(backend) == ["x"]
    (directory / "new").write_bytes(whole)
    (directory / "new").rename(log)
    assert texts(backend) == [*"abc"]


def test_readers_cannot_change_what_others_read(open_backend: OpenBackend) -> None:
    backend = open_backend()
    backend.sessionkit_add_messages("k", [Message.from_dict({"role": "user", "content": [{"text": "a"}]})], "")
    for _ in range(2):
        messages = backend.sessionkit_get_history("k", 0, None).messages
        assert isinstance(messages, list)
        assert messages[0].to_dict() == {"role": "user", "content": [{"text": "a"}]}
        messages[0].to_dict()["content"].clear()
        content = messages[0].content
        assert isinstance(content, list)
        content.clear()
        messages.clear()


def test_the_sessions_that_were_read_last_are_kept(open_backend: OpenBackend, read: list[int]) -> None:
    backend = open_backend(durability="os", cache=3 * 1600)
    for key in "abcd":
        add(backend, "x" * 1000, key=key)
    for key in "abcad":
        texts(backend, key=key)
    for key, kept in (("a", True), ("b", False), ("d", True), ("c", False)):
        read.clear()
        assert len(texts(backend, key=key)) == 1
        assert (read == []) == kept, key


def test_a_history_that_is_too_long_displaces_no_other(open_backend: OpenBackend, read: list[int]) -> None:
    backend = open_backend(durability="os", cache=4000)
    add(backend, "small")
    texts(backend)
    for number in range(20):
        add(backend, f"{number:02}" + "x" * 1000, key="large")
    assert len(texts(backend, key="large")) == 20
    assert texts(backend, -2, key="large")[0].startswith("18")
    read.clear()
    assert texts(backend) == ["small"]
    assert read == []


def test_what_grows_beyond_the_limit_is_given_up() -> None:
    cache, index, message = Cache(2000), Index(0, end=100), Message.simple("user", "x")
    cache.put("a", index, 0, [message], 0)
    cache.put("b", index, 0, [message] * 2, 0)
    kept = cache.get("b", index)
    assert kept is not None
    cache.extend("b", kept, [message] * 2, 200)
    assert cache.get("a", index) is None
    assert cache.get("b", index) is kept
    cache.extend("b", kept, [message] * 4, 300)
    assert cache.get("b", index) is None
    assert kept.end == 8


def test_messages_of_another_index_are_not_those_of_this_one() -> None:
    cache = Cache(3000)
    cache.put("k", Index(0), 0, [Message.simple("user", "x")], 0)
    assert cache.get("k", Index(0)) is None


def test_the_collector_rests_until_the_last_large_read_has_ended() -> None:
    with resting(when=True):
        with resting(when=True):
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()
    with resting(when=False):
        assert gc.isenabled()


def test_a_collector_that_was_off_stays_off() -> None:
    gc.disable()
    try:
        with resting(when=True):
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a child is forked")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_the_collector_runs_in_a_child_that_was_forked_during_a_read() -> None:
    with resting(when=True):
        child = os.fork()
        if not child:
            os._exit(0 if gc.isenabled() else 1)
    assert os.waitpid(child, 0)[1] == 0
