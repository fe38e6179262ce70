"""Long histories, which are read in pieces."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any

import pytest
from sessionkit_redis import reading
from sessionkit_redis.pieces import FIRST_MESSAGES, PIECE_MESSAGES

from sessionkit import SessionStore, open_store
from sessionkit.operations import window

KEY = "k"
COUNT = FIRST_MESSAGES + 2 * PIECE_MESSAGES + 1


@pytest.fixture
def store(server: Any) -> Iterator[SessionStore]:
    with open_store(server.url(), on_write_error="raise") as store:
        _replace(store, "old")
        yield store


def _replace(store: SessionStore, text: str) -> None:
    store.set_history(KEY, [{"role": "user", "content": f"{text} {number}"} for number in range(COUNT)])


def _expected(text: str, first: int = 0) -> list[str]:
    return [f"{text} {number}" for number in range(first, COUNT)]


def _texts(store: SessionStore, limit: int | None = None) -> list[str]:
    return [message.text for message in store.get_history(KEY, limit)]


@pytest.mark.parametrize("limit", [None, COUNT, FIRST_MESSAGES, FIRST_MESSAGES + 1, PIECE_MESSAGES + 1, 1])
def test_a_long_history_is_whole(store: SessionStore, limit: int | None) -> None:
    assert _texts(store, limit) == _expected("old", 0 if limit is None else COUNT - limit)


def test_any_stretch_can_be_read(store: SessionStore) -> None:
    starts = [0, 1, COUNT - 1, COUNT, COUNT + 1, -1, -FIRST_MESSAGES, -FIRST_MESSAGES - 1, -COUNT - 1]
    limits = [0, 1, FIRST_MESSAGES, FIRST_MESSAGES + 1, COUNT + 1]
    for start, limit in product(starts, limits):
        page = store.get_history_page(KEY, start, limit)
        first, last = window(COUNT, start, limit)
        assert [message.text for message in page.messages] == _expected("old")[first:last], (start, limit)
        assert (page.start, page.total) == (first, COUNT)


def test_a_stretch_from_the_end_of_a_short_history_begins_with_its_first_message(store: SessionStore) -> None:
    store.set_history(KEY, [{"role": "user", "content": str(number)} for number in range(5)])
    page = store.get_history_page(KEY, -20, 3)
    assert [message.text for message in page.messages] == ["0", "1", "2"]


def test_a_history_that_is_replaced_between_two_pieces_is_read_anew(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = iter(range(100))
    read = reading.Reader._call

    def call(reader: reading.Reader, *arguments: Any, **keywords: Any) -> reading.Snapshot:
        if next(calls) == 2:
            _replace(store, "new")
        return read(reader, *arguments, **keywords)

    monkeypatch.setattr(reading.Reader, "_call", call)
    assert _texts(store) == _expected("new")


def test_a_history_that_never_stands_still_is_read_in_one_piece(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading.Reader._call
    versions = iter(range(100))

    def call(reader: reading.Reader, *arguments: Any, **keywords: Any) -> reading.Snapshot:
        _replace(store, f"version {next(versions)}")
        return read(reader, *arguments, **keywords)

    monkeypatch.setattr(reading.Reader, "_call", call)
    texts = _texts(store)
    number = texts[0].split()[1]
    assert texts == _expected(f"version {number}")


def test_messages_that_are_appended_between_two_pieces_are_not_in_what_was_begun(
    store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = reading.Reader._call

    def call(reader: reading.Reader, *arguments: Any, **keywords: Any) -> reading.Snapshot:
        snapshot = read(reader, *arguments, **keywords)
        store.add_message(KEY, "user", "later")
        return snapshot

    monkeypatch.setattr(reading.Reader, "_call", call)
    assert _texts(store) == _expected("old")
