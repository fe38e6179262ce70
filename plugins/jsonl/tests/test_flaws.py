"""What is known to go wrong with these files, each with what becomes of it here."""

from __future__ import annotations

import json
import logging
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend

from sessionkit import Message, MessageTooLargeError, SessionStore
from sessionkit.filenames import hashed_name
from sessionkit.sessions import UNCHANGED

Reopen: TypeAlias = Callable[..., SessionStore]

A = b'{"role":"user","content":"a"}\n'
B = b'{"role":"user","content":"b"}\n'
C = b'{"role":"user","content":"c"}\n'


def texts(store: SessionStore, key: str = "k") -> list[str]:
    return [message.text for message in store.get_history(key)]


def put(directory: Path, data: bytes, meta: dict[str, Any] | bytes | None = None, name: str = "k") -> Path:
    directory.mkdir(exist_ok=True)
    path = directory / f"{name}.jsonl"
    path.write_bytes(data)
    if meta is not None:
        document = meta if isinstance(meta, bytes) else json.dumps({"key": name, **meta}).encode()
        (directory / f"{name}.meta.json").write_bytes(document)
    return path


@pytest.mark.parametrize("torn", [B[:-4], B[:1], b"\0\0\0", b'{"role":"user","content":'])
def test_a_torn_last_line_is_sealed_before_the_next_append(directory: Path, reopen: Reopen, torn: bytes) -> None:
    path = put(directory, A + torn, {"skip": 0})
    store = reopen()
    assert texts(store) == ["a"]
    store.add_message("k", "user", "new")
    assert texts(store) == texts(reopen()) == ["a", "new"]
    assert path.read_bytes().startswith(A + torn + b"#\n")


def test_a_message_whose_newline_was_lost_stays_and_gets_it_back(directory: Path, reopen: Reopen) -> None:
    path = put(directory, A + B[:-1], {"skip": 0})
    store = reopen()
    version = store.get_session("k").version
    assert texts(store) == ["a", "b"]
    store.set_summary("k", "s")
    assert path.read_bytes() == A + B
    assert store.get_session("k").version.split(".")[:3] == version.split(".")[:3]
    store.add_message("k", "user", "c")
    assert texts(store) == texts(reopen()) == ["a", "b", "c"]


@pytest.mark.parametrize("data", [B[:-1], A + B[:-1]])
def test_a_session_whose_only_message_lost_its_newline_can_be_saved(
    directory: Path, reopen: Reopen, data: bytes
) -> None:
    put(directory, data, {"skip": data.count(b"\n")})
    store = reopen(compact_threshold=0)
    store.save("k")
    assert texts(store) == texts(reopen()) == ["b"]


def test_nuls_of_a_lost_block_hide_no_message(directory: Path, reopen: Reopen) -> None:
    put(directory, A + b"\0" * 100 + B + b"\0" * 50 + b"\n" + C, {"skip": 0})
    assert texts(reopen()) == ["a", "b", "c"]


def test_keys_that_picoclaw_takes_for_one_do_not_mix(reopen: Reopen) -> None:
    store = reopen()
    for key in ("a:b", "a/b", "a_b"):
        store.add_message(key, "user", key)
    store = reopen()
    assert {key: texts(store, key) for key in ("a:b", "a/b", "a_b")} == {key: [key] for key in ("a:b", "a/b", "a_b")}
    store.delete_session("a:b")
    assert texts(reopen(), "a/b") == ["a/b"]


def test_the_document_tells_whose_a_plain_name_is(directory: Path, reopen: Reopen) -> None:
    put(directory, A, {"key": "a/b"}, name="a_b")
    store = reopen()
    assert texts(store, "a/b") == ["a"]
    assert texts(store, "a:b") == []
    store.add_message("a:b", "user", "mine")
    assert texts(reopen(), "a/b") == ["a"]
    assert (directory / f"{hashed_name('a:b')}.jsonl").exists()


def test_a_message_of_any_length_is_read(directory: Path, reopen: Reopen) -> None:
    long = json.dumps({"role": "user", "content": "x" * (11 * 1024 * 1024)}).encode() + b"\n"
    put(directory, A + long + B, {"skip": 0})
    assert [len(text) for text in texts(reopen())] == [1, 11 * 1024 * 1024, 1]


def test_a_line_that_picoclaw_could_not_read_is_refused(reopen: Reopen) -> None:
    store = reopen()
    with pytest.raises(MessageTooLargeError, match="max_message_bytes is 10,485,759"):
        store.add_message("k", "user", "x" * (10 * 1024 * 1024))
    assert not store.get_session("k").exists
    store.add_message("k", "user", "x" * (10 * 1024 * 1024 - 200))
    reopen(max_message_bytes=11_000_000).add_message("k", "user", "x" * (10 * 1024 * 1024))


def test_damaged_lines_do_not_count_when_the_last_messages_are_kept(directory: Path, reopen: Reopen) -> None:
    put(directory, A + B + b"garbage\n" + C + b"more\n", {"skip": 0})
    store = reopen()
    store.truncate_history("k", 2)
    assert texts(store) == texts(reopen()) == ["b", "c"]
    assert json.loads((directory / "k.meta.json").read_bytes())["skip"] == 1


def test_truncating_all_also_passes_the_damaged_lines(directory: Path, reopen: Reopen) -> None:
    put(directory, A + B + b"garbage\n", {"skip": 0})
    store = reopen()
    store.truncate_history("k", 0)
    assert json.loads((directory / "k.meta.json").read_bytes())["skip"] == 3
    store.add_message("k", "user", "new")
    assert texts(store) == texts(reopen()) == ["new"]


def test_two_messages_in_one_line_can_be_parted(directory: Path, reopen: Reopen) -> None:
    put(directory, A + B[:-1] + C, {"skip": 0})
    store = reopen()
    store.truncate_history("k", 1, summary="s")
    assert texts(store) == texts(reopen()) == ["c"]
    assert reopen().get_summary("k") == "s"


def test_compaction_copies_bytes_and_puts_aside_what_nobody_can_read(directory: Path, reopen: Reopen) -> None:
    odd = b'{ "role":"user",  "content":"b", "x-unknown":{"n":1.50,"n2":1e2}, "content2":null }\n'
    path = put(directory, A + b"garbage\n" + odd, {"skip": 1, "x-other": [1]})
    store = reopen(compact_threshold=0)
    before = store.get_session("k")
    store.save("k")
    assert odd[2:].strip() in path.read_bytes()
    assert A not in path.read_bytes()
    assert (directory / "k.damaged").read_bytes() == b"garbage\n"
    meta = json.loads((directory / "k.meta.json").read_bytes())
    assert (meta["skip"], meta["x-other"]) == (0, [1])
    assert store.get_session("k") == reopen().get_session("k") == before


def test_messages_are_visible_after_the_data_file_was_lost(directory: Path, reopen: Reopen) -> None:
    put(directory, A, {"skip": 40, "count": 50}).unlink()
    store = reopen()
    store.add_message("k", "user", "new")
    assert texts(store) == texts(reopen()) == ["new"]


def test_messages_are_visible_when_the_document_truncates_more_than_there_is(directory: Path, reopen: Reopen) -> None:
    put(directory, A + B, {"skip": 40, "count": 50})
    store = reopen()
    assert texts(store) == []
    store.add_message("k", "user", "new")
    assert texts(store) == texts(reopen()) == ["new"]


@pytest.mark.parametrize("document", [b"", b"{", b"[]", b'{"key": "k", "summary": "s', b"\0\0\0"])
def test_a_damaged_document_is_made_anew_and_kept_aside(
    directory: Path, reopen: Reopen, document: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    put(directory, A + B, document)
    store = reopen()
    with caplog.at_level(logging.WARNING, "sessionkit.jsonl"):
        assert texts(store) == ["a", "b"]
        assert texts(store) == ["a", "b"]
    assert len(caplog.records) == 1
    store.add_message("k", "user", "c")
    assert texts(store) == texts(reopen()) == ["a", "b", "c"]
    assert (directory / "k.badmeta").read_bytes() == document
    assert json.loads((directory / "k.meta.json").read_bytes())["key"] == "k"


def test_a_damaged_document_still_tells_its_owner(directory: Path, reopen: Reopen) -> None:
    put(directory, A, b'{"key": "a:b", "summary": "unfin', name="a_b")
    store = reopen()
    assert texts(store, "a:b") == ["a"]
    assert texts(store, "a/b") == []


def test_fields_of_the_wrong_type_read_as_if_they_were_absent(directory: Path, reopen: Reopen) -> None:
    put(directory, A, {"skip": "1", "summary": 5, "created_at": None, "aliases": "x", "metadata": [], "scope": 1})
    session = reopen().get_session("k")
    assert (session.count, session.summary, session.created, session.aliases, session.metadata) == (1, "", "", (), {})


def test_a_key_too_long_for_a_file_name_has_a_whole_session(reopen: Reopen) -> None:
    key = "я" * 500
    store = reopen()
    store.add_message(key, "user", "a")
    store.set_summary(key, "s")
    assert texts(reopen(), key) == ["a"]
    assert [info.key for info in reopen().list_sessions()] == [key]


def test_lines_that_are_no_objects_are_no_messages(directory: Path, reopen: Reopen) -> None:
    put(
        directory,
        b"null\n5\n[]\n" + A + b'{"role":"user","content":["list"]}\n{"role":1,"content":null}\n',
        {"skip": 0},
    )
    history = [message.to_dict() for message in reopen().get_history("k")]
    assert history == [
        {"role": "user", "content": "a"},
        {"role": "user", "content": ["list"]},
        {"role": 1, "content": None},
    ]


def test_damaged_lines_are_logged_once_and_not_quoted(
    directory: Path, reopen: Reopen, caplog: pytest.LogCaptureFixture
) -> None:
    put(directory, A + b"my secret\n" + B, {"skip": 0})
    store = reopen()
    with caplog.at_level(logging.WARNING, "sessionkit.jsonl"):
        for _ in range(3):
            assert texts(store) == ["a", "b"]
    assert len(caplog.records) == 1
    assert "1 damaged line" in caplog.text
    assert "secret" not in caplog.text


def test_the_files_are_private(directory: Path, reopen: Reopen) -> None:
    previous = os.umask(0)
    try:
        store = reopen()
        store.add_message("k", "user", "a")
        store.set_summary("k", "s")
        store.set_history("k", [{"role": "user", "content": "b"}])
    finally:
        os.umask(previous)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}
    assert set(modes.values()) == {0o600}
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700


def test_a_directory_that_is_there_keeps_its_mode(directory: Path, reopen: Reopen) -> None:
    directory.mkdir(mode=0o755)
    reopen().add_message("k", "user", "a")
    assert stat.S_IMODE(directory.stat().st_mode) == 0o755


def test_a_clock_that_goes_back_makes_no_session_older(directory: Path, backend: JSONLBackend) -> None:
    future = "2999-01-01T00:00:00.123456789Z"
    backend.sessionkit_update_session("k", [], UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, future, None, "")
    backend.sessionkit_add_messages("k", [Message.simple("user", "a")], "")
    backend.sessionkit_truncate_history("k", 0, None, "s", None, None, "")
    assert backend.sessionkit_get_session("k", 0).updated == future


def test_a_directory_that_vanished_is_not_an_empty_one(directory: Path, reopen: Reopen) -> None:
    from sessionkit import BackendUnavailableError

    store = reopen()
    for path in directory.iterdir():
        path.unlink()
    directory.rmdir()
    with pytest.raises(BackendUnavailableError, match="is its volume mounted"):
        store.get_history("k")
