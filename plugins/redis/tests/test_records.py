"""Times as the server keeps them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sessionkit_redis.records import encode, fields, microseconds

from sessionkit import SessionStore, open_store

GIVEN = ["2026-01-31T13:00:00+01:00", "2026-01-31T12:00:00.123456789Z", "1960-01-01T00:00:00Z", "9999-12-31T23:59:59Z"]


@pytest.fixture
def store(server: Any) -> Iterator[SessionStore]:
    with open_store(server.url(), on_write_error="raise") as store:
        yield store


def _read(time: bytes, given_as: bytes | None = None) -> str:
    updated: str = fields("k", [None, None, time, given_as, None, None])["updated"]
    return updated


@given(st.integers(0, 250_000_000_000_000_000))
def test_a_moment_that_a_script_noted_is_read_as_it_was(moment: int) -> None:
    assert microseconds(_read(b"%d" % moment)) == moment


@given(st.sampled_from(GIVEN))
def test_a_time_that_was_given_is_read_letter_by_letter_until_a_later_change(time: str) -> None:
    stored = dict(zip(*[iter(map(str, encode("updated", time)))] * 2, strict=True))
    assert _read(stored["u"].encode(), stored["U"].encode()) == time
    assert _read(b"%d" % (int(stored["u"]) + 1), stored["U"].encode()) != time


@pytest.mark.parametrize("time", GIVEN)
def test_a_session_keeps_the_times_that_it_is_given(store: SessionStore, time: str) -> None:
    store.update_session("k", created=time, updated=time)
    session = store.get_session("k")
    assert (session.created, session.updated) == (time, time)
    assert next(store.list_sessions()).updated == time


def test_a_change_moves_a_time_on_and_never_back(store: SessionStore) -> None:
    store.update_session("k", updated="2020-01-01T00:00:00+01:00")
    store.add_message("k", "user", "x")
    assert store.get_session("k").updated > "2021"
    store.update_session("k", updated="2999-01-01T00:00:00+01:00")
    store.add_message("k", "user", "x")
    assert store.get_session("k").updated == "2999-01-01T00:00:00+01:00"
