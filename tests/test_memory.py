"""The memory backend against a naive model, under threads, and while it is listed."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, initialize, invariant, rule

from sessionkit.errors import VersionConflict
from sessionkit.memory import MemoryBackend, plugin
from sessionkit.messages import Message
from sessionkit.plugins.descriptors import NoOptions
from sessionkit.sessions import ABSENT, UNCHANGED, History, Session, SessionInfo, Version

from .json_values import scalars, texts

KEYS = ("a", "a/b", "ab", "b", "é")


class Driver:
    """The hooks with the arguments that a test says, and the others as the facade passes them by default."""

    def __init__(self) -> None:
        self.backend = MemoryBackend()

    def add(self, key: str, *messages: Message) -> Version:
        return self.backend.sessionkit_add_messages(key, messages, "w")

    def update(self, key: str, if_version: Version | None = None, **fields: Any) -> Version:
        names = ("messages", "summary", "metadata", "aliases", "created", "updated")
        arguments = {name: fields.get(name, UNCHANGED) for name in names}
        return self.backend.sessionkit_update_session(key, **arguments, if_version=if_version, write_id="w")

    def truncate(
        self,
        key: str,
        *,
        keep_last: int | None = None,
        drop_first: int | None = None,
        summary: Any = UNCHANGED,
        if_version: Version | None = None,
        if_generation: str | None = None,
    ) -> Version:
        return self.backend.sessionkit_truncate_history(
            key, keep_last, drop_first, summary, if_version, if_generation, "w"
        )

    def delete(self, key: str) -> bool:
        return self.backend.sessionkit_delete_session(key, None)

    def history(self, key: str, start: int = 0, limit: int | None = None) -> History:
        return self.backend.sessionkit_get_history(key, start, limit)

    def session(self, key: str, limit: int | None = None) -> Session:
        return self.backend.sessionkit_get_session(key, limit)

    def pages(self, prefix: str, size: int, between: Callable[[], object] = lambda: None) -> list[list[SessionInfo]]:
        """A whole listing; ``between`` is called before each page but the first."""
        pages: list[list[SessionInfo]] = []
        cursor: str | None = None
        while not pages or cursor is not None:
            if pages:
                between()
            page = self.backend.sessionkit_list_sessions(prefix, cursor, size)
            pages.append(list(page.sessions))
            assert len(pages) < 1000, "the listing does not end"
            cursor = page.next
        return pages


# --- against a model ---------------------------------------------------------------------------------------------


class Model:
    """What a session is, in the simplest words: lists and strings."""

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self.summary = ""
        self.metadata: dict[str, Any] = {}
        self.aliases: tuple[str, ...] = ()
        self.created: str | None = None


batches = st.lists(st.builds(Message.simple, st.sampled_from(("user", "tool")), texts), min_size=1, max_size=3)
metadatas = st.dictionaries(texts, scalars | st.lists(scalars, max_size=2), max_size=2)
keys = st.sampled_from(KEYS)
maybe = st.sampled_from(("none", "right", "stale", "absent"))


class MemoryMachine(RuleBasedStateMachine):
    """Any sequence of operations leaves the backend as it leaves the model."""

    snapshots = Bundle("snapshots")

    def __init__(self) -> None:
        super().__init__()
        self.driver = Driver()
        self.model: dict[str, Model] = {}
        self.versions: dict[str, set[Version]] = {key: {ABSENT} for key in KEYS}
        self.generations: dict[str, set[str]] = {key: {""} for key in KEYS}
        self.stale: dict[str, Version] = {}

    @initialize()
    def start_empty(self) -> None:
        assert self.driver.pages("", 3) == [[]]

    def _wrote(self, key: str, version: Version, before: Session, *, changed: bool, replaced: bool = False) -> None:
        """Versions are new after a change and the same without one; generations after a removal or replacement."""
        after = self.driver.session(key)
        assert after.version == version
        if not changed:
            assert after == before
            return
        assert version not in self.versions[key]
        self.versions[key].add(version)
        self.stale[key] = before.version
        if replaced or not before.exists:
            assert after.generation not in self.generations[key]
            self.generations[key].add(after.generation)
        else:
            assert after.generation == before.generation

    def _condition(self, key: str, kind: str, before: Session) -> tuple[Version | None, bool]:
        """A version for ``if_version``, and whether it holds."""
        version = {
            "none": None,
            "right": before.version,
            "stale": self.stale.get(key, "never"),
            "absent": ABSENT,
        }[kind]
        return version, version is None or version == before.version

    @rule(key=keys, messages=batches)
    def append(self, key: str, messages: list[Message]) -> None:
        before = self.driver.session(key)
        version = self.driver.add(key, *messages)
        self.model.setdefault(key, Model()).messages.extend(messages)
        self._wrote(key, version, before, changed=True)

    @rule(
        key=keys,
        messages=st.just(UNCHANGED) | batches | st.just([]),
        summary=st.just(UNCHANGED) | texts,
        metadata=st.just(UNCHANGED) | metadatas,
        aliases=st.just(UNCHANGED) | st.lists(st.sampled_from("xyz"), max_size=2),
        created=st.just(UNCHANGED) | st.just("2001-01-01T00:00:00Z"),
        condition=maybe,
    )
    def update(self, key: str, condition: str, **fields: Any) -> None:
        before = self.driver.session(key)
        if_version, holds = self._condition(key, condition, before)
        if not holds:
            with pytest.raises(VersionConflict):
                self.driver.update(key, if_version, **fields)
            assert self.driver.session(key) == before
            return
        version = self.driver.update(key, if_version, **fields)
        model = self.model.setdefault(key, Model())
        changes = {name: value for name, value in fields.items() if value is not UNCHANGED}
        for name, value in changes.items():
            setattr(model, name, {"messages": list, "aliases": tuple}.get(name, lambda value: value)(value))
        self._wrote(
            key,
            version,
            before,
            changed=bool(changes) or not before.exists,
            replaced="messages" in changes,
        )

    @rule(
        key=keys,
        number=st.integers(-2, 6),
        keep=st.booleans(),
        summary=st.just(UNCHANGED) | texts,
        condition=maybe,
        generation=st.sampled_from(("none", "right", "wrong")),
    )
    def truncate(self, key: str, number: int, keep: bool, summary: Any, condition: str, generation: str) -> None:
        before = self.driver.session(key)
        if_version, holds = self._condition(key, condition, before)
        arguments: dict[str, Any] = {
            "keep_last" if keep else "drop_first": number,
            "summary": summary,
            "if_version": if_version,
            "if_generation": {"none": None, "right": before.generation, "wrong": "never"}[generation],
        }
        if not holds or generation == "wrong":
            with pytest.raises(VersionConflict):
                self.driver.truncate(key, **arguments)
            assert self.driver.session(key) == before
            return
        version = self.driver.truncate(key, **arguments)
        number = max(number, 0)
        old = list(before.messages)
        left = (old[-number:] if number else []) if keep else old[number:]
        if summary is not UNCHANGED or before.exists:
            model = self.model.setdefault(key, Model())
            model.messages = left
            model.summary = model.summary if summary is UNCHANGED else summary
        removed = len(left) < len(old)
        self._wrote(key, version, before, changed=removed or summary is not UNCHANGED, replaced=removed)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        self.stale[key] = self.driver.session(key).version
        assert self.driver.delete(key) is (self.model.pop(key, None) is not None)
        assert self.driver.session(key) == Session(key=key)

    @rule(target=snapshots, key=keys, start=st.integers(-5, 5), limit=st.none() | st.integers(-1, 5))
    def read(self, key: str, start: int, limit: int | None) -> tuple[Any, ...]:
        history, session = self.driver.history(key, start, limit), self.driver.session(key, limit)
        messages = self.model.get(key, Model()).messages
        assert list(history.messages) == messages[start:][: None if limit is None else max(limit, 0)]
        assert list(session.messages) == (messages if limit is None else messages[-limit:] if limit > 0 else [])
        assert (history.version, history.generation) == (session.version, session.generation)
        assert history.total == session.count == len(messages)
        return history, list(history.messages), session, session.messages, session.metadata, session.summary

    @rule(snapshot=consumes(snapshots))
    def a_snapshot_is_as_it_was(self, snapshot: tuple[Any, ...]) -> None:
        history, messages, session, *rest = snapshot
        assert history.messages == messages
        assert [session.messages, session.metadata, session.summary] == rest

    @rule(prefix=st.sampled_from(("", "a", "a/", "é", "none")), size=st.integers(1, 4))
    def list_sessions(self, prefix: str, size: int) -> None:
        pages = self.driver.pages(prefix, size)
        assert all(len(page) <= size for page in pages)
        listed = {info.key: info for page in pages for info in page}
        assert sum(map(len, pages)) == len(listed)
        assert listed.keys() == {key for key in self.model if key.startswith(prefix)}
        for key, info in listed.items():
            session = self.driver.session(key, 0)
            for name in ("count", "summary", "created", "updated", "metadata", "aliases", "version", "generation"):
                assert getattr(info, name) == getattr(session, name)

    @invariant()
    def sessions_are_what_the_model_says(self) -> None:
        for key in KEYS:
            session, model = self.driver.session(key), self.model.get(key)
            assert session.exists is (model is not None)
            model = model or Model()
            assert list(session.messages) == model.messages
            assert (session.summary, session.metadata, session.aliases) == (
                model.summary,
                model.metadata,
                model.aliases,
            )
            assert model.created in (None, session.created)


MemoryMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=20, deadline=None)
TestMemoryMachine = MemoryMachine.TestCase


# --- its promises, one by one ------------------------------------------------------------------------------------


@pytest.fixture
def driver() -> Driver:
    return Driver()


def _message(text: str) -> Message:
    return Message.simple("user", text)


def test_a_version_is_never_repeated_by_a_session_that_was_deleted_and_made_again(driver: Driver) -> None:
    versions, generations = [], []
    for _ in range(5):
        versions.append(driver.add("k", _message("same")))
        generations.append(driver.session("k").generation)
        driver.delete("k")
    assert len(set(versions)) == len(set(generations)) == 5


def test_two_stores_never_have_a_version_in_common() -> None:
    tokens = [{driver.add("k", _message("x")) for _ in range(100)} for driver in (Driver(), Driver())]
    assert not tokens[0] & tokens[1]


def test_a_write_with_the_version_of_a_deleted_session_is_a_conflict(driver: Driver) -> None:
    version = driver.add("k", _message("x"))
    driver.delete("k")
    with pytest.raises(VersionConflict):
        driver.update("k", version, summary="x")
    driver.add("k", _message("x"))
    with pytest.raises(VersionConflict):
        driver.update("k", version, summary="x")


def test_reading_creates_nothing(driver: Driver) -> None:
    driver.history("k")
    driver.session("k")
    driver.truncate("k", keep_last=0)
    with pytest.raises(VersionConflict):
        driver.update("k", "version", summary="x")
    assert driver.pages("", 10) == [[]]
    assert driver.delete("k") is False


def test_keys_that_look_alike_are_different_sessions(driver: Driver) -> None:
    alike = ["k", "K", "k ", "e\u0301", "é", "k/", "k\n", "\u212a"]
    for key in alike:
        driver.add(key, _message(key))
    assert [driver.history(key).messages[0].text for key in alike] == alike


def test_a_listing_shows_whoever_is_there_throughout_exactly_once(driver: Driver) -> None:
    steady = [f"s{number:02}" for number in range(10)]
    for key in (*steady, "a", "zz"):
        driver.add(key, _message(key))
    rounds = count()

    def write() -> None:
        number = next(rounds)
        for key in steady:  # what changes most recently must not move
            driver.add(key, _message("more"))
        driver.delete("a" if number % 2 else "zz")
        if number < 6:  # if sessions came faster than they are listed, no listing would end
            driver.add(f"s{number:02}-new", _message("new"))
        driver.add("a" if number % 2 == 0 else "zz", _message("again"))

    for size in (1, 2, 3, 5, 50):
        listed = [info.key for page in driver.pages("", size, write) for info in page]
        assert [listed.count(key) for key in steady] == [1] * len(steady)
        assert len(listed) == len(set(listed))


def test_a_listing_goes_on_when_the_session_of_its_cursor_is_deleted(driver: Driver) -> None:
    for key in "abcd":
        driver.add(key, _message(key))
    page = driver.backend.sessionkit_list_sessions("", None, 2)
    assert page.next is not None
    driver.delete("b")
    assert [info.key for info in driver.backend.sessionkit_list_sessions("", page.next, 2).sessions] == ["c", "d"]


def test_the_plugin_makes_a_store_of_its_own_each_time() -> None:
    one, other = plugin.factory(NoOptions()), plugin.factory(NoOptions())
    assert one is not other
    assert isinstance(one, MemoryBackend)


# --- threads -----------------------------------------------------------------------------------------------------


@pytest.fixture
def _restless() -> Iterator[None]:
    """Threads give way to each other after almost every step, so that what is not locked breaks."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def _together(programs: Sequence[Callable[[], None]]) -> None:
    """Run programs in threads that begin at once; what one raises is raised."""
    barrier = threading.Barrier(len(programs))
    failures: list[BaseException] = []

    def run(program: Callable[[], None]) -> None:
        barrier.wait()
        try:
            program()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(program,)) for program in programs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@pytest.mark.usefixtures("_restless")
def test_eight_threads_append_and_nothing_is_lost_or_out_of_order(driver: Driver) -> None:
    versions: list[Version] = []

    def writer(number: int) -> Callable[[], None]:
        def write() -> None:
            for step in range(100):
                versions.append(
                    driver.add("k", _message(f"{number} {step} first"), _message(f"{number} {step} second"))
                )

        return write

    _together([writer(number) for number in range(8)])
    found = [message.text for message in driver.history("k").messages]
    assert len(versions) == len(set(versions)) == 800
    assert [text.replace("first", "second") for text in found[::2]] == found[1::2]
    for number in range(8):
        mine = [text for text in found if text.startswith(f"{number} ")]
        assert mine == [f"{number} {step} {half}" for step in range(100) for half in ("first", "second")]


@pytest.mark.usefixtures("_restless")
def test_of_threads_that_replace_the_same_state_one_succeeds(driver: Driver) -> None:
    for _ in range(30):
        version = driver.update("k", summary="start")
        won: list[str] = []

        def replace(name: str, version: Version = version, won: list[str] = won) -> None:
            try:
                driver.update("k", version, summary=name)
            except VersionConflict:
                return
            won.append(name)

        _together([lambda name=name: replace(name) for name in ("a", "b", "c", "d")])  # type: ignore[misc]
        assert won == [driver.session("k").summary]


@pytest.mark.usefixtures("_restless")
def test_readers_see_whole_batches_while_others_append_truncate_and_delete(driver: Driver) -> None:
    done = threading.Event()

    def write() -> None:
        try:
            for step in range(200):
                driver.add("k", *[_message(str(step))] * 3)
                if step % 7 == 0:
                    driver.truncate("k", keep_last=6)
                if step % 31 == 0:
                    driver.delete("k")
        finally:
            done.set()

    def read() -> None:
        while not done.is_set():
            session = driver.session("k")
            assert session.count == len(session.messages)
            assert len(session.messages) % 3 == 0
            for page in driver.pages("", 1):
                assert all(info.count % 3 == 0 for info in page)

    _together([write, read, read])
