"""Comparing two stores, and deleting at the source what the target holds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from sessionkit import SessionStore, hookimpl, open_store
from sessionkit.errors import CorruptSessionError
from sessionkit.hookspecs import REQUIRED_HOOKS
from sessionkit.memory import MemoryBackend
from sessionkit.store.runtime import Recipe
from sessionkit.transfer import UNFINISHED, Cause, copy_sessions, verify_sessions

KEYS = ("a", "b", "c")


@pytest.fixture
def source(source: SessionStore) -> SessionStore:
    for key in KEYS:
        source.update_session(key, messages=[{"role": "user", "content": key}] * 2, summary=key, metadata={"n": True})
    return source


@pytest.fixture
def target(source: SessionStore, target: SessionStore) -> SessionStore:
    copy_sessions(source, target)
    return target


class Intruder:
    """A store in which something happens just before a session is read or deleted."""

    def __init__(self, store: SessionStore, happens: Callable[[int], object]) -> None:
        self._store = store
        self._happens = happens
        self._calls = 0

    def get_session(self, key: str, limit: int | None = None) -> Any:
        self._call()
        return self._store.get_session(key, limit)

    def delete_session(self, key: str, *, if_version: str | None = None) -> bool:
        self._call()
        return self._store.delete_session(key, if_version=if_version)

    def _call(self) -> None:
        self._calls += 1
        self._happens(self._calls)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)


def intruded(store: SessionStore, happens: Callable[[int], object]) -> Any:
    return Intruder(store, happens)


def keys(store: SessionStore) -> list[str]:
    return [info.key for info in store.list_sessions()]


def test_sessions_that_are_the_same_are_counted(source: SessionStore, target: SessionStore) -> None:
    done: list[int] = []
    report = verify_sessions(source, target, progress=done.append)
    assert (report.same, report.deleted, report.messages, report.complete) == (3, 0, 6, True)
    assert sum(done) == 6
    assert keys(source) == [*KEYS]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda store: store.add_message("b", "user", "x"), "2 messages here, 3 there"),
        (lambda store: store.set_history("b", [{"role": "user", "content": "b"}, {}]), "message 2 of 2 differs"),
        (lambda store: store.set_summary("b", "x"), "the summaries differ"),
        (lambda store: store.update_session("b", metadata={"n": 1}), "the metadata differ"),
        (lambda store: store.update_session("b", aliases=["x"]), "the aliases differ"),
        (lambda store: store.delete_session("b"), "there is no such session at the target"),
    ],
)
def test_a_difference_is_named_and_the_session_not_deleted(
    source: SessionStore, target: SessionStore, change: Callable[[SessionStore], object], reason: str
) -> None:
    change(target)
    report = verify_sessions(source, target, delete=True)
    (different,) = report.different
    assert (different.key, different.reason, report.complete) == ("b", reason, False)
    assert (report.same, report.deleted) == (2, 2)
    assert keys(source) == ["b"]


def test_only_the_named_sessions_are_compared(source: SessionStore, target: SessionStore) -> None:
    assert verify_sessions(source, target, ["c", "a"], delete=True).deleted == 2
    assert keys(source) == ["b"]


def test_what_is_written_at_the_source_just_before_the_deletion_is_not_deleted(
    source: SessionStore, target: SessionStore
) -> None:
    def write(calls: int) -> None:
        if calls == 2:
            source.add_message("a", "user", "just now")

    (different,) = verify_sessions(intruded(source, write), target, ["a"], delete=True).different
    assert different.cause is Cause.DIFFERENT
    assert source.get_history("a")[-1].content == "just now"


def test_a_session_that_never_rests_is_told_and_not_deleted(source: SessionStore, target: SessionStore) -> None:
    def write(calls: int) -> None:
        source.update_session("a", updated=f"2026-01-01T00:00:{calls:02}Z")

    (different,) = verify_sessions(intruded(source, write), target, ["a"], delete=True).different
    assert different.cause is Cause.BUSY
    assert keys(source) == [*KEYS]


class Earlier:
    """A backend of version 1.0 of the plugin API."""

    def __init__(self) -> None:
        inner = self._inner = MemoryBackend()
        hooks = {name: getattr(inner, name) for name in REQUIRED_HOOKS}
        self.__dict__.update({**hooks, "sessionkit_delete_session": self._delete_session})

    @hookimpl
    def _delete_session(self, key: str) -> bool:
        return self._inner.sessionkit_delete_session(key, None)


def test_a_backend_that_cannot_look_and_delete_in_one_step_keeps_its_sessions_and_this_is_told(
    source: SessionStore,
) -> None:
    recipe = Recipe(name="earlier", source="tests", backend=Earlier, api_version=(1, 0))  # type: ignore[arg-type]
    with SessionStore(recipe) as earlier:
        copy_sessions(source, earlier)
        report = verify_sessions(earlier, source, delete=True)
        assert (report.same, report.deleted, report.complete) == (3, 0, False)
        assert [(each.key, each.cause) for each in report.different] == [(key, Cause.KEPT) for key in KEYS]
        assert report.different[0].reason == (
            "the same on both sides, kept at the source: backend 'earlier' was written for an earlier version of the "
            "plugin API: its sessionkit_delete_session does not know if_version; upgrade it"
        )
        assert keys(earlier) == [*KEYS]
        assert earlier.delete_session("a")


def test_a_copy_that_broke_off_is_never_the_same(source: SessionStore, target: SessionStore) -> None:
    for store in (source, target):
        store.update_session("a", metadata={UNFINISHED: {"messages": 9}})
    (different,) = verify_sessions(source, target, ["a"], delete=True).different
    assert different.cause is Cause.UNFINISHED
    assert keys(source) == [*KEYS]


def test_a_store_that_is_compared_with_itself_loses_nothing(source: SessionStore) -> None:
    report = verify_sessions(source, source, delete=True)
    assert {different.cause for different in report.different} == {Cause.SAME_STORE}
    assert keys(source) == [*KEYS]


def test_a_session_that_cannot_be_read_is_told(source: SessionStore, target: SessionStore) -> None:
    def refuse(reads: int) -> None:
        if reads == 1:
            raise CorruptSessionError("damaged")

    report = verify_sessions(source, intruded(target, refuse), delete=True)
    assert [(different.key, different.reason) for different in report.different] == [("a", "damaged")]
    assert keys(source) == ["a"]


def test_times_are_no_content(source: SessionStore, target: SessionStore) -> None:
    target.update_session("a", created="2001-01-01T00:00:00Z")
    assert verify_sessions(source, target).complete


def test_an_unknown_session_is_told(source: SessionStore) -> None:
    with open_store("memory:") as empty:
        (different,) = verify_sessions(empty, source, ["a"]).different
    assert (different.cause, different.reason) == (Cause.MISSING, "there is no such session at the source")
