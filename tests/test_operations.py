"""The arithmetic of histories is that of lists, and times are compared to the last digit."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import operations
from sessionkit.errors import VersionConflict
from sessionkit.sessions import ABSENT, UNCHANGED, Session, SessionInfo

totals = st.integers(0, 12)
positions = st.integers(-15, 15) | st.sampled_from([-(2**70), 2**70])
limits = st.none() | positions


# --- stretches ---------------------------------------------------------------------------------------------------


@given(totals, positions, limits)
def test_a_window_is_a_slice(total: int, start: int, limit: int | None) -> None:
    history = list(range(total))
    first, last = operations.window(total, start, limit)
    assert 0 <= first <= last <= total
    assert history[first:last] == history[start:][: None if limit is None else max(limit, 0)]


@given(totals, limits)
def test_a_tail_is_the_end_of_a_list(total: int, limit: int | None) -> None:
    history = list(range(total))
    first = operations.tail(total, limit)
    assert 0 <= first <= total
    assert history[first:] == (history if limit is None else history[-limit:] if limit > 0 else [])


@given(totals, positions)
def test_keeping_the_last_keeps_the_end_of_a_list(total: int, keep_last: int) -> None:
    history = list(range(total))
    kept = history[operations.dropped(total, keep_last, None) :]
    assert kept == (history[-keep_last:] if keep_last > 0 else [])


@given(totals, positions)
def test_dropping_the_first_drops_the_beginning_of_a_list(total: int, drop_first: int) -> None:
    history = list(range(total))
    dropped = operations.dropped(total, None, drop_first)
    assert 0 <= dropped <= total
    assert history[dropped:] == history[max(drop_first, 0) :]


@pytest.mark.parametrize("keep_last", [0, -1, -100])
def test_keeping_none_or_less_keeps_none(keep_last: int) -> None:
    assert operations.dropped(10, keep_last, None) == 10


# --- times -------------------------------------------------------------------------------------------------------

_zones = st.sampled_from(["Z", "+00:00", "-00:00", "+05:30", "-23:59", "+14:00"])
_days = st.sampled_from(["2026-01-01", "2025-12-31", "2024-02-29"]) | st.dates().map(str)
_clocks = st.sampled_from(["00:00:00", "23:59:59"]) | st.times().map(lambda time: time.isoformat()[:8])
_fractions = st.sampled_from(
    ["", ".0", ".000000001", ".000000002", ".5", ".50", ".123456789", ".123456"]
) | st.from_regex(r"\.[0-9]{1,12}", fullmatch=True)
times = st.tuples(_days, _clocks, _fractions, _zones).map(lambda parts: "{}T{}{}{}".format(*parts))


def _moment(text: str) -> Fraction:
    """Seconds since the year 0, reckoned by hand: an oracle that is no ``datetime``."""
    year, month, day = (int(part) for part in text[:10].split("-"))
    hour, minute, second = (int(part) for part in text[11:19].split(":"))
    rest = text[19:]
    zone = "+00:00" if rest.endswith("Z") else rest[-6:]
    fraction = rest.removesuffix("Z") if rest.endswith("Z") else rest[:-6]
    offset = (int(zone[1:3]) * 60 + int(zone[4:])) * (-1 if zone[0] == "-" else 1)
    years = year if month > 2 else year - 1
    days = 365 * years + years // 4 - years // 100 + years // 400 + (153 * ((month - 3) % 12) + 2) // 5 + day
    return days * 86_400 + hour * 3600 + minute * 60 + second - offset * 60 + Fraction("0" + (fraction or ".0"))


@given(times, times)
def test_the_later_of_two_times_is_kept_digit_for_digit(old: str, new: str) -> None:
    assert operations.later(old, new) == (old if _moment(old) > _moment(new) else new)


@given(times)
def test_of_two_ways_to_write_one_moment_the_new_one_is_taken(time: str) -> None:
    if time.endswith("Z"):
        assert operations.later(time, time[:-1] + "+00:00") == time[:-1] + "+00:00"
    assert operations.later(time, time) == time


@pytest.mark.parametrize(
    ("old", "new", "later"),
    [
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456788Z", "2026-01-01T00:00:00.123456789Z"),
        ("2026-01-01T00:00:00.123456789Z", "2026-01-01T00:00:00.123456Z", "2026-01-01T00:00:00.123456789Z"),
        ("2026-01-01T00:00:00.9Z", "2026-01-01T00:00:00.10Z", "2026-01-01T00:00:00.9Z"),
        ("2026-01-01T01:00:00+02:00", "2025-12-31T23:30:00Z", "2025-12-31T23:30:00Z"),
        ("2025-12-31T23:30:00-01:00", "2026-01-01T00:00:00Z", "2025-12-31T23:30:00-01:00"),
        ("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"),
        ("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z", "9999-12-31T23:59:59-23:59"),
    ],
)
def test_nanoseconds_and_zones_count(old: str, new: str, later: str) -> None:
    assert operations.later(old, new) == later


@given(
    st.sampled_from(["", "yesterday", "2026", "9999-12-31", "9999-12-31T00:00:00", "9999-12-31 00:00:00Z"])
    | st.text(max_size=20)
    | st.from_regex(r"9999-[0-9]{2}-[0-9]{2}T99:[0-9]{2}:[0-9]{2}Z", fullmatch=True),
    times,
)
def test_a_time_that_cannot_be_read_yields_to_one_that_can(old: str, new: str) -> None:
    assert operations.later(old, new) == new


# --- conditions --------------------------------------------------------------------------------------------------


def test_conditions_that_hold_and_none_at_all_let_a_write_pass() -> None:
    session = SessionInfo(key="k", version="v", generation="g")
    operations.check_conditions(session)
    operations.check_conditions(session, if_version="v", if_generation="g")
    operations.check_conditions(SessionInfo(key="k"), if_version=ABSENT, if_generation="")


@pytest.mark.parametrize(
    ("version", "if_version", "complaint"),
    [
        ("v2", "v1", "session 'k' was changed since it was read; read it again"),
        ("v2", "", "session 'k' was changed since it was read; read it again"),
        ("v2", ABSENT, "session 'k' exists already"),
        (ABSENT, "v1", "session 'k' does not exist any more"),
    ],
)
def test_another_version_is_a_conflict_that_says_what_happened(version: str, if_version: str, complaint: str) -> None:
    with pytest.raises(VersionConflict) as caught:
        operations.check_conditions(SessionInfo(key="k", version=version), if_version=if_version)
    assert str(caught.value) == complaint


@pytest.mark.parametrize(("generation", "if_generation"), [("g2", "g1"), ("", "g1"), ("g1", "")])
def test_another_generation_is_a_conflict_that_says_what_happened(generation: str, if_generation: str) -> None:
    session = SessionInfo(key="k", version="v", generation=generation)
    with pytest.raises(VersionConflict, match="the history of session 'k' was truncated or replaced since it was read"):
        operations.check_conditions(session, if_version="v", if_generation=if_generation)


# --- what a write makes of a session -----------------------------------------------------------------------------


def test_a_session_that_was_absent_comes_to_be() -> None:
    session = operations.changed(SessionInfo(key="k"))
    assert session.exists
    assert session.created == session.updated != ""
    assert session.generation


def test_every_change_makes_a_version_that_never_was() -> None:
    session, seen = SessionInfo(key="k"), {ABSENT}
    for _ in range(100):
        session = operations.changed(session)
        assert session.version not in seen
        seen.add(session.version)


def test_the_generation_changes_with_a_cut_and_with_nothing_else() -> None:
    session = operations.changed(SessionInfo(key="k"))
    assert operations.changed(session, summary="s", metadata={"m": 1}).generation == session.generation
    assert operations.changed(session, cut=True).generation != session.generation


def test_fields_that_are_unchanged_stay_and_the_others_are_replaced() -> None:
    before = SessionInfo(key="k", summary="s", metadata={"m": 1}, aliases=("nick",), version="v", generation="g")
    after = operations.changed(before, summary="", metadata=UNCHANGED, aliases=UNCHANGED)
    assert (after.key, after.summary, after.metadata, after.aliases) == ("k", "", {"m": 1}, ("nick",))


def test_the_time_of_creation_stays_and_that_of_the_change_never_goes_back() -> None:
    before = SessionInfo(key="k", created="2001-01-01T00:00:00Z", updated="2999-01-01T00:00:00Z", version="v")
    after = operations.changed(before)
    assert (after.created, after.updated) == ("2001-01-01T00:00:00Z", "2999-01-01T00:00:00Z")


def test_times_that_are_given_win() -> None:
    before = SessionInfo(key="k", created="2001-01-01T00:00:00Z", updated="2999-01-01T00:00:00Z", version="v")
    after = operations.changed(before, created="2002-01-01T00:00:00Z", updated="2003-01-01T00:00:00Z")
    assert (after.created, after.updated) == ("2002-01-01T00:00:00Z", "2003-01-01T00:00:00Z")


def test_a_session_with_messages_keeps_its_kind() -> None:
    assert isinstance(operations.changed(Session(key="k")), Session)


def test_an_update_of_nothing_leaves_a_session_as_it_is_and_brings_an_absent_one_into_being() -> None:
    session = operations.changed(SessionInfo(key="k"), summary=UNCHANGED)
    assert session.exists
    assert operations.changed(session, summary=UNCHANGED, aliases=UNCHANGED) is session
    assert operations.changed(session, cut=True, summary=UNCHANGED).version != session.version
    assert operations.changed(session).version != session.version


# --- pages -------------------------------------------------------------------------------------------------------


@given(st.integers(0, 5), st.integers(1, 4))
def test_a_page_holds_no_more_than_its_limit_and_tells_where_the_next_one_goes_on(found: int, limit: int) -> None:
    sessions = [SessionInfo(key=f"k{number}") for number in range(found)]
    page = operations.page(sessions, limit)
    assert page.sessions == sessions[:limit]
    assert page.next == (sessions[limit - 1].key if found > limit else None)
