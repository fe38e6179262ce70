"""Sessions are values: nothing that is handed in or out changes them."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Callable
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit.errors import InvalidMessageError
from sessionkit.messages import Message
from sessionkit.sessions import (
    ABSENT,
    UNCHANGED,
    History,
    Session,
    SessionInfo,
    SessionPage,
    check_time,
    now,
    read_time,
)

from .json_values import exact, texts, values

SESSION = Session(
    key="k",
    count=3,
    summary="before",
    created="2026-01-01T00:00:00Z",
    updated="2026-01-02T00:00:00Z",
    metadata={"scope": {"ids": [1]}},
    aliases=["a", "b"],
    version="v1",
    generation="g1",
    messages=[Message.simple("user", "x")],
)


@given(st.dictionaries(texts, values, max_size=3))
def test_metadata_comes_out_as_it_went_in_and_is_not_shared(metadata: dict[str, Any]) -> None:
    before = exact(metadata)
    info = SessionInfo(key="k", metadata=metadata)
    metadata["spoilt"] = True
    info.metadata["spoilt"] = True
    assert exact(info.metadata) == before


def test_the_inside_of_metadata_is_not_shared() -> None:
    inner = {"ids": [1]}
    info = SessionInfo(key="k", metadata={"scope": inner})
    inner["ids"].append(2)
    info.metadata["scope"]["ids"].append(3)
    assert info.metadata == {"scope": {"ids": [1]}}


def test_metadata_is_any_mapping_of_json() -> None:
    assert SessionInfo(key="k", metadata=MappingProxyType({"a": (1,)})).metadata == {"a": [1]}
    with pytest.raises(InvalidMessageError, match=r"^metadata\.a is nan"):
        SessionInfo(key="k", metadata={"a": float("nan")})
    with pytest.raises(InvalidMessageError, match="metadata is a JSON object, not NoneType"):
        SessionInfo(key="k", metadata=None)  # type: ignore[arg-type]


def test_lists_that_were_passed_in_are_not_shared() -> None:
    messages, aliases = [Message.simple("user", "x")], ["a"]
    session = Session(key="k", messages=messages, aliases=aliases)
    messages.clear()
    aliases.clear()
    assert (len(session.messages), session.aliases) == (1, ("a",))


def test_a_session_that_does_not_exist_is_empty() -> None:
    session = Session(key="k")
    assert (session.exists, session.version, session.generation, session.count) == (False, ABSENT, "", 0)
    assert (session.messages, session.metadata, session.aliases, session.summary) == ((), {}, (), "")


@pytest.mark.parametrize("name", ["key", "messages", "metadata", "_metadata", "version", "exists", "new"])
def test_nothing_of_a_session_can_be_assigned(name: str) -> None:
    with pytest.raises(AttributeError):
        setattr(SESSION, name, "x")


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, lambda v: pickle.loads(pickle.dumps(v)), attrs.evolve])
def test_copies_and_pickles_are_equal_and_hash_alike(duplicate: Callable[[Any], Any]) -> None:
    for value in (
        SESSION,
        SessionInfo(key="k", metadata={"a": []}),
        History(messages=[Message.simple("user", "x")], start=0, total=1, version="v"),
        SessionPage(sessions=[SESSION], next="k"),
    ):
        same = duplicate(value)
        assert same == value
        assert hash(same) == hash(value)


@pytest.mark.parametrize("change", [{"metadata": {}}, {"messages": ()}, {"version": "v2"}, {"aliases": ()}])
def test_sessions_that_differ_are_not_equal(change: dict[str, Any]) -> None:
    assert attrs.evolve(SESSION, **change) != SESSION


def test_unchanged_says_so_and_stays_itself() -> None:
    assert repr(UNCHANGED) == "UNCHANGED"
    assert pickle.loads(pickle.dumps(UNCHANGED)) is copy.deepcopy(UNCHANGED) is UNCHANGED


# --- times -------------------------------------------------------------------------------------------------------


def test_the_present_time_is_one() -> None:
    text = now()
    assert check_time(text, "created") == text
    assert len(text) == len("2026-01-31T12:00:00.000000Z")
    assert abs(datetime.now().astimezone() - datetime.fromisoformat(text)) < timedelta(minutes=1)


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00.1Z",
        "2026-01-31T12:00:00.123456789Z",
        "2026-01-31T12:00:00.123456789+05:30",
        "2026-01-31T12:00:00-00:00",
        "0001-01-01T00:00:00Z",
        "9999-12-31T23:59:59.999999999-23:59",
        "2024-02-29T00:00:00Z",
    ],
)
def test_rfc_3339_times_are_kept_digit_for_digit(text: str) -> None:
    assert check_time(text, "created") == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00,5Z",
        "2026-01-31T12:00:00.Z",
        "2026-01-31T12:00:00+0100",
        "2026-01-31T12:00:00+01",
        "2026-01-31T12:00:00+01:00:30",
        "2026-01-31T12:00:00+24:00",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00:60Z",
        "2026-02-29T12:00:00Z",
        "0000-01-01T00:00:00Z",
        "20260131T120000Z",
        "2026-W05-6T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
        "٢٠٢٦-01-31T12:00:00Z",
        None,
        5,
        datetime(2026, 1, 31),
    ],
)
def test_what_is_not_rfc_3339_with_a_zone_is_refused(text: Any) -> None:
    assert read_time(text) is None
    with pytest.raises(InvalidMessageError, match=r"^updated is .* with its zone$"):
        check_time(text, "updated")


def test_a_time_of_a_subclass_becomes_plain() -> None:
    class Text(str):
        __slots__ = ()

    assert type(check_time(Text("2026-01-31T12:00:00Z"), "created")) is str


def test_a_snapshot_and_a_stretch_are_made_of_what_a_listing_tells_and_messages() -> None:
    fields = attrs.asdict(SESSION, filter=lambda field, _: field.name not in {"messages", "_metadata"})
    info = SessionInfo(**fields, metadata=SESSION.metadata)
    assert Session.of(info, SESSION.messages) == SESSION
    assert History.of(info, 2, SESSION.messages) == History(
        messages=SESSION.messages, start=2, total=3, version="v1", generation="g1"
    )
