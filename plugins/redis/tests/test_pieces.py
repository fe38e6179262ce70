"""How much a call reads of a history, as the server sees it, whatever it consists of and whoever writes meanwhile."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sessionkit_redis import pieces, reading
from sessionkit_redis.pieces import FIRST_MESSAGES, PIECE_BYTES, PIECE_MESSAGES

from sessionkit import Message, SessionStore, open_store
from sessionkit.operations import window

KEY = "k"
SMALL, MIDDLE, LARGE = 100, 20_000, 600_000
"""Lengths of texts: of which a piece has as many as it may, of which it has some, and of which one is more than it."""


@pytest.fixture
def store(server: Any) -> Iterator[SessionStore]:
    with open_store(server.url(), on_write_error="raise") as store:
        yield store


def _history(lengths: Sequence[int]) -> list[Message]:
    return [Message.simple("user", f"{number:06}".ljust(length, "x")) for number, length in enumerate(lengths)]


def _read(server: Any, store: SessionStore, limit: int | None = None) -> tuple[list[int], list[int]]:
    """Read a history: how many messages and how many bytes of them the server was asked for in each call."""
    sizes = [len(message.to_json()) for message in store.get_history(KEY)]
    replies = []
    with server.client() as client, server.client() as other, other.monitor() as monitor:
        store.get_history(KEY, limit)
        client.echo("end")
        while (command := monitor.next_command()["command"]) != "ECHO end":
            name, *arguments = command.split()
            if name == "LRANGE":
                first, last = (int(at) + len(sizes) * at.startswith("-") for at in arguments[1:])
                replies.append(sizes[max(first, 0) : last + 1])
    return [len(reply) for reply in replies], [sum(reply) for reply in replies]


@pytest.mark.parametrize("limit", [None, 20, 500])
@pytest.mark.parametrize("count", [1, 20, FIRST_MESSAGES])
def test_a_conversation_of_usual_length_is_read_in_one_call(
    server: Any, store: SessionStore, count: int, limit: int | None
) -> None:
    store.set_history(KEY, _history([MIDDLE] * count))
    assert _read(server, store, limit)[0] == [count if limit is None else min(count, limit)]


def test_short_messages_are_read_by_number(server: Any, store: SessionStore) -> None:
    store.set_history(KEY, _history([SMALL] * 700))
    assert _read(server, store)[0] == [FIRST_MESSAGES, PIECE_MESSAGES, PIECE_MESSAGES, 100]


@pytest.mark.parametrize("limit", [None, 150])
def test_no_reply_but_the_first_is_larger_than_a_piece(server: Any, store: SessionStore, limit: int | None) -> None:
    store.set_history(KEY, _history([MIDDLE] * 160))
    messages, sizes = _read(server, store, limit)
    assert sum(messages) == 160 if limit is None else limit
    assert messages[0] == FIRST_MESSAGES
    assert len(messages) > 2
    assert max(sizes[1:]) <= PIECE_BYTES


def test_messages_larger_than_a_piece_are_read_one_at_a_time(server: Any, store: SessionStore) -> None:
    store.set_history(KEY, _history([SMALL] * (FIRST_MESSAGES - 1) + [LARGE] * 4 + [SMALL] * 30))
    messages, sizes = _read(server, store)
    assert all(count == 1 or size <= PIECE_BYTES + LARGE for count, size in list(zip(messages, sizes, strict=True))[2:])
    assert sum(messages) == FIRST_MESSAGES + 33


def test_after_large_messages_pieces_grow_again(server: Any, store: SessionStore) -> None:
    store.set_history(KEY, _history([MIDDLE] * FIRST_MESSAGES + [SMALL] * 1000))
    messages, _ = _read(server, store)
    assert all(later <= 4 * earlier for earlier, later in pairwise(messages))
    assert PIECE_MESSAGES in messages


@pytest.fixture
def small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Histories of a few messages come in many pieces."""
    monkeypatch.setattr(reading, "FIRST_MESSAGES", 3)
    monkeypatch.setattr(pieces, "PIECE_MESSAGES", 5)
    monkeypatch.setattr(pieces, "PIECE_BYTES", 400)


LENGTHS = st.lists(st.sampled_from([6, 30, 200, 1000]), max_size=30)
WRITES = st.lists(
    st.sampled_from(["nothing", "append", "append many", "cut one", "cut most", "replace", "delete"]), max_size=12
)
STARTS = st.integers(-35, 35)
LIMITS = st.integers(0, 35) | st.just(1000)


@pytest.mark.usefixtures("small_pieces")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=LENGTHS, writes=WRITES, start=STARTS, limit=LIMITS)
def test_what_is_read_in_pieces_was_there_at_one_moment(
    store: SessionStore, lengths: list[int], writes: list[str], start: int, limit: int
) -> None:
    store.set_history(KEY, _history(lengths))
    states: dict[str, list[Message]] = {}
    pending = iter(writes)

    def note() -> None:
        session = store.get_session(KEY)
        states[session.version] = list(session.messages)

    def call(reader: reading.Reader, *arguments: Any, **keywords: Any) -> reading.Snapshot:
        snapshot = read(reader, *arguments, **keywords)
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(reading.Reader, "_call", read)
            _write(store, next(pending, "nothing"))
            note()
        return snapshot

    note()
    read = reading.Reader._call
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading.Reader, "_call", call)
        page = store.get_history_page(KEY, start, limit)
    state = states[page.version]
    first, last = window(len(state), start, limit)
    assert page.messages == state[first:last]
    assert (page.start, page.total) == (first, len(state))


def _write(store: SessionStore, what: str) -> None:
    match what:
        case "append":
            store.add_message(KEY, "assistant", "new")
        case "append many":
            store.add_messages(KEY, _history([30] * 7))
        case "cut one":
            store.truncate_history(KEY, max(len(store.get_history(KEY)) - 1, 0))
        case "cut most":
            store.truncate_history(KEY, 2)
        case "replace":
            store.set_history(KEY, _history([6, 200, 6, 30]))
        case "delete":
            store.delete_session(KEY)


@pytest.mark.usefixtures("small_pieces")
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(lengths=LENGTHS)
def test_messages_of_any_sizes_are_read_as_they_were_written(store: SessionStore, lengths: list[int]) -> None:
    history = _history(lengths)
    store.set_history(KEY, history)
    assert store.get_history(KEY) == history
    for limit in range(len(history)):
        assert store.get_history(KEY, limit) == history[len(history) - limit :]


def test_a_history_that_changes_at_every_call_is_read_as_it_was_once(
    store: SessionStore, small_pieces: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.set_history(KEY, _history([30] * 20))
    read = reading.Reader._call
    lengths = iter([20, 2] * 20)

    def call(reader: reading.Reader, *arguments: Any, **keywords: Any) -> reading.Snapshot:
        snapshot = read(reader, *arguments, **keywords)
        store.set_history(KEY, _history([30] * next(lengths)))
        return snapshot

    monkeypatch.setattr(reading.Reader, "_call", call)
    page = store.get_history_page(KEY, -10, 5)
    assert [message.text[:6] for message in page.messages] in (["000000", "000001"], [f"{10 + n:06}" for n in range(5)])
