"""What outlives a store: closing and opening it again."""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable

import pytest

from sessionkit.errors import StoreClosedError, VersionConflict
from sessionkit.plugins.descriptors import Capability
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source, simple, state, texts
from sessionkit.testing.clauses.keys import HOSTILE_KEYS

KEY = "k"


class PersistenceClauses(ConformanceBase):
    """Rule: ``sessionkit_save``, ``sessionkit_close`` and the capability ``persistent``."""

    def test_closing_twice_is_closing_once(self, source: Source) -> None:
        """A second close does nothing; every use after it raises."""
        store = self.open(source)
        store.add_message(KEY, "user", "a")
        store.close()
        store.close()
        with pytest.raises(StoreClosedError):
            store.get_history(KEY)

    def test_two_stores_can_be_open_at_once(self, source: Source) -> None:
        """Opening and closing one does not disturb another on the same source."""
        with self.open(source) as first, self.open(source) as second:
            first.add_message("first", "user", "a")
            second.add_message("second", "user", "b")
            second.close()
            first.add_message("first", "user", "c")
            assert texts(first, "first") == ["a", "c"]

    def test_what_was_saved_is_there_when_it_is_opened_again(self, source: Source) -> None:
        """Messages, summary, metadata, aliases and times, of every session."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            store.update_session(KEY, messages=simple(*"abc"), summary="s", metadata={"m": [1]}, aliases=["nick"])
            store.truncate_history(KEY, 2)
            store.add_message("other", "user", "x")
            before = store.get_session(KEY)
            store.save(KEY)
            store.save("other")
        with self.open(source) as store:
            assert store.get_session(KEY) == before
            assert texts(store, "other") == ["x"]

    def test_saving_makes_it_readable_for_another_store(self, source: Source) -> None:
        """Without closing the first."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as first:
            first.add_message(KEY, "user", "a")
            first.save(KEY)
            with self.open(source) as second:
                assert texts(second, KEY) == ["a"]

    def test_close_saves_what_is_unsaved(self, source: Source) -> None:
        """Every session that was written to."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            for number in range(5):
                store.add_message(f"k{number}", "user", str(number))
        with self.open(source) as store:
            assert [texts(store, f"k{number}") for number in range(5)] == [[str(number)] for number in range(5)]

    def test_a_deletion_outlives_the_store(self, source: Source) -> None:
        """Whether the session had been saved or not."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            store.add_message("saved", "user", "a")
            store.save("saved")
            store.delete_session("saved")
            store.add_message("unsaved", "user", "a")
            store.delete_session("unsaved")
        with self.open(source) as store:
            assert list(store.list_sessions()) == []
            assert store.get_history("saved") == []

    def test_versions_hold_over_reopening(self, source: Source) -> None:
        """A version that was read before is the session's state still, and is not given to another state."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            old = store.add_message(KEY, "user", "a")
            store.set_history(KEY, simple("b"))
            before = store.get_session(KEY)
        with self.open(source) as store:
            assert (store.get_session(KEY).version, store.get_session(KEY).generation) == (
                before.version,
                before.generation,
            )
            with pytest.raises(VersionConflict):
                store.update_session(KEY, summary="lost", if_version=old)
            store.summarize(KEY, before, 1, "b")
            store.delete_session(KEY)
        with self.open(source) as store:
            assert store.add_message(KEY, "user", "a") not in (old, before.version)

    def test_hostile_keys_are_kept_apart_over_reopening(self, source: Source) -> None:
        """What tells keys apart is stored too."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            for key in HOSTILE_KEYS:
                store.add_message(key, "user", key)
        with self.open(source) as store:
            for key in reversed(HOSTILE_KEYS):
                store.add_message(key, "user", "again")
            assert {key: texts(store, key) for key in HOSTILE_KEYS} == {key: [key, "again"] for key in HOSTILE_KEYS}
            assert {info.key for info in store.list_sessions()} == set(HOSTILE_KEYS)

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_child_works_on_its_own(self, source: Source) -> None:
        """The child's first use opens a backend of its own; what it saves is there, and the parent is undisturbed."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            store.add_message("parent", "user", "a")
            store.save("parent")
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                os._exit(_in_child(store))
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            store.add_message("parent", "user", "b")
            assert texts(store, "parent") == ["a", "b"]
        with self.open(source) as store:
            assert (texts(store, "parent"), texts(store, "child")) == (["a", "b"], ["c"])
            assert state(store, "child")[1:] == ("", {}, ())

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
    @pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
    def test_a_forked_child_writes_on_when_its_parent_has_closed(self, source: Source) -> None:
        """What the child saves is there, though it opened before the parent closed, and wrote afterwards."""
        self.require(source, Capability.PERSISTENT)
        mine, childs = socket.socketpair()
        with mine, childs, self.open(source) as store:
            store.add_message("parent", "user", "a")
            store.save("parent")
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                mine.close()
                os._exit(_in_child(store, opened=lambda: (childs.send(b"x"), childs.recv(1))))
            childs.close()
            mine.recv(1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        with self.open(source) as store:
            assert (texts(store, "parent"), texts(store, "child")) == (["a"], ["c"])


def _in_child(store: SessionStore, opened: Callable[[], object] = lambda: None) -> int:
    try:
        assert texts(store, "parent") == ["a"]
        opened()
        store.add_message("child", "user", "c")
        store.close()
    except BaseException:  # the child must not go on as a second pytest
        traceback.print_exc()
        return 1
    return 0
