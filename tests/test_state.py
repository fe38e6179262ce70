"""What each operation does to one session that is kept in memory."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import state as state_module
from sessionkit.errors import VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED
from sessionkit.state import SessionState

OLD = "2001-01-01T00:00:00Z"
FUTURE = "2999-12-31T23:59:59.999999999+02:00"


def messages(texts: str) -> list[Message]:
    return [Message.simple("user", text) for text in texts]


def texts(found: Any) -> str:
    return "".join(message.text for message in found)


@pytest.fixture
def state() -> SessionState:
    """A session that does not exist yet."""
    tokens = count(1)
    return SessionState(key="k", fresh=lambda: f"t{next(tokens)}")


@pytest.fixture
def kept(state: SessionState) -> SessionState:
    """A session with messages, summary, metadata and aliases."""
    state.update(messages=messages("abcde"), summary="s", metadata={"scope": {"ids": [1]}}, aliases=["x"])
    return state


def _clock(monkeypatch: pytest.MonkeyPatch, *times: str) -> None:
    following = iter(times)
    monkeypatch.setattr(state_module, "now", lambda: next(following))


# --- existence ---------------------------------------------------------------------------------------------------


def test_a_session_exists_from_its_first_write(state: SessionState) -> None:
    assert not state.snapshot(None).exists
    version = state.append(messages("a"))
    assert state.version == version == state.info().version != ABSENT
    assert state.generation


def test_an_update_of_nothing_creates_an_unknown_session(state: SessionState) -> None:
    assert state.update() != ABSENT
    assert state.info().created == state.info().updated != ""


def test_an_update_of_nothing_leaves_a_known_session_alone(kept: SessionState) -> None:
    before = kept.snapshot(None)
    assert kept.update() == before.version
    assert kept.snapshot(None) == before


def test_a_truncation_leaves_an_unknown_session_unknown(state: SessionState) -> None:
    assert state.truncate(keep_last=0) == state.truncate(drop_first=3) == ABSENT
    assert not state.info().exists
    assert state.info().created == ""


def test_a_truncation_with_a_summary_creates_an_unknown_session(state: SessionState) -> None:
    assert state.truncate(keep_last=0, summary="s") == state.version != ABSENT
    assert state.info().summary == "s"


# --- what changes, and what does not -----------------------------------------------------------------------------

_OTHER: dict[str, Any] = {
    "messages": messages("xy"),
    "summary": "other",
    "metadata": {"other": True},
    "aliases": ("other",),
    "created": OLD,
    "updated": FUTURE,
}


@pytest.mark.parametrize("field", _OTHER)
def test_an_update_of_one_field_changes_that_field_and_the_time(kept: SessionState, field: str) -> None:
    before = kept.snapshot(None)
    kept.update(**{field: _OTHER[field]})
    after = kept.snapshot(None)
    for name in ("messages", "summary", "metadata", "aliases", "created"):
        expected = _OTHER[field] if name == field else getattr(before, name)
        expected = tuple(expected) if name in ("messages", "aliases") else expected
        assert getattr(after, name) == expected
    assert after.count == len(after.messages)
    assert after.version != before.version


@pytest.mark.parametrize(
    ("change", "replaces"),
    [
        (lambda state: state.append(messages("x")), False),
        (lambda state: state.update(summary="x"), False),
        (lambda state: state.update(metadata={}), False),
        (lambda state: state.update(created=OLD), False),
        (lambda state: state.truncate(drop_first=0, summary="x"), False),
        (lambda state: state.truncate(keep_last=100, summary="x"), False),
        (lambda state: state.update(messages=messages("abcde")), True),
        (lambda state: state.update(messages=[]), True),
        (lambda state: state.truncate(drop_first=1), True),
        (lambda state: state.truncate(keep_last=-1), True),
    ],
)
def test_the_generation_changes_when_messages_go_and_only_then(
    kept: SessionState, change: Callable[[SessionState], object], replaces: bool
) -> None:
    before = kept.info()
    change(kept)
    assert (kept.generation != before.generation) is replaces
    assert kept.version != before.version


@pytest.mark.parametrize("arguments", [{"keep_last": 5}, {"keep_last": 100}, {"drop_first": 0}, {"drop_first": -1}])
def test_a_truncation_that_removes_nothing_changes_nothing(kept: SessionState, arguments: dict[str, Any]) -> None:
    before = kept.snapshot(None)
    assert kept.truncate(**arguments) == before.version
    assert kept.snapshot(None) == before


@pytest.mark.parametrize(
    "refused",
    [
        lambda state: state.update(summary="x", messages=[], if_version="other"),
        lambda state: state.update(if_version="other"),
        lambda state: state.update(summary="x", if_version=ABSENT),
        lambda state: state.truncate(keep_last=0, if_version="other"),
        lambda state: state.truncate(drop_first=1, summary="x", if_generation="other"),
        lambda state: state.truncate(drop_first=0, if_generation=""),
    ],
)
def test_a_refused_write_changes_nothing(kept: SessionState, refused: Callable[[SessionState], object]) -> None:
    before = kept.snapshot(None)
    with pytest.raises(VersionConflict):
        refused(kept)
    assert kept.snapshot(None) == before


def test_messages_that_arrived_meanwhile_stay_when_the_oldest_go(kept: SessionState) -> None:
    generation = kept.generation
    kept.append(messages("f"))
    kept.truncate(drop_first=3, summary="abc", if_generation=generation)
    assert (texts(kept.snapshot(None).messages), kept.summary) == ("def", "abc")


# --- reading -----------------------------------------------------------------------------------------------------


@given(st.text("abc", max_size=6), st.integers(-8, 8), st.none() | st.integers(-1, 8))
def test_a_stretch_says_where_it_stands(found: str, start: int, limit: int | None) -> None:
    state = SessionState(key="k", fresh=lambda: "t", messages=messages(found), version="v")
    history = state.history(start, limit)
    assert texts(history.messages) == found[start:][: None if limit is None else max(limit, 0)]
    assert texts(history.messages) == found[history.start : history.start + len(history.messages)]
    assert (history.total, history.version) == (len(found), "v")


@given(st.text("abc", max_size=6), st.none() | st.integers(-2, 8))
def test_a_snapshot_has_the_last_messages_and_counts_them_all(found: str, limit: int | None) -> None:
    session = SessionState(key="k", fresh=lambda: "t", messages=messages(found)).snapshot(limit)
    assert texts(session.messages) == (found if limit is None else found[-limit:] if limit > 0 else "")
    assert session.count == len(found)


def test_later_writes_do_not_change_what_was_read(kept: SessionState) -> None:
    history, session, info = kept.history(0, None), kept.snapshot(None), kept.info()
    kept.append(messages("f"))
    kept.update(metadata={}, aliases=[], summary="")
    kept.truncate(keep_last=1)
    assert texts(history.messages) == texts(session.messages) == "abcde"
    assert session.metadata == info.metadata == {"scope": {"ids": [1]}}
    assert (session.aliases, session.summary, session.count) == (("x",), "s", 5)


def test_changing_what_was_read_does_not_change_the_session(kept: SessionState) -> None:
    history = kept.history(0, None)
    assert isinstance(history.messages, list)
    history.messages.clear()
    kept.snapshot(None).metadata["scope"]["ids"].append(2)
    kept.info().metadata.clear()
    assert texts(kept.snapshot(None).messages) == "abcde"
    assert kept.info().metadata == {"scope": {"ids": [1]}}


def test_lists_that_were_written_are_not_shared(state: SessionState) -> None:
    batch, aliases = messages("ab"), ["x"]
    state.update(messages=batch, aliases=aliases)
    batch.clear()
    aliases.clear()
    assert (texts(state.snapshot(None).messages), state.info().aliases) == ("ab", ("x",))


# --- times -------------------------------------------------------------------------------------------------------


def test_created_is_set_once_and_updated_with_every_write(state: SessionState, monkeypatch: pytest.MonkeyPatch) -> None:
    times = [f"2026-01-0{day}T00:00:00.000000Z" for day in range(1, 5)]
    _clock(monkeypatch, *times)
    seen = []
    writes: list[Callable[[], object]] = [
        lambda: state.append(messages("a")),
        lambda: state.update(summary="s"),
        lambda: state.update(messages=[]),
        lambda: state.truncate(keep_last=0, summary="x"),
    ]
    for write in writes:
        write()
        seen.append((state.created, state.updated))
    assert seen == [(times[0], time) for time in times]


@pytest.mark.parametrize("set_back", ["2000-01-01T00:00:00Z", "2026-01-02T00:59:59.999999+01:00"])
def test_a_clock_that_was_set_back_does_not_make_a_session_older(
    state: SessionState, monkeypatch: pytest.MonkeyPatch, set_back: str
) -> None:
    _clock(monkeypatch, "2026-01-02T00:00:00Z", set_back, set_back, set_back)
    state.append(messages("ab"))
    state.append(messages("c"))
    state.update(summary="s")
    state.truncate(keep_last=1)
    assert state.updated == state.created == "2026-01-02T00:00:00Z"


def test_times_that_were_said_are_kept_digit_for_digit(state: SessionState) -> None:
    state.update(created=OLD, updated="2001-02-03T04:05:06.123456789+07:00")
    assert (state.created, state.updated) == (OLD, "2001-02-03T04:05:06.123456789+07:00")


def test_a_later_write_keeps_a_time_in_the_future(state: SessionState) -> None:
    state.update(updated=FUTURE)
    state.append(messages("a"))
    assert state.updated == FUTURE


def test_unchanged_times_are_left_as_they_are(kept: SessionState) -> None:
    created = kept.created
    kept.update(summary="x", created=UNCHANGED, updated=UNCHANGED)
    assert kept.created == created
