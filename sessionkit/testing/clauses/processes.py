"""Several processes, and processes that die. Real ones."""

from __future__ import annotations

import json
import signal
from functools import partial

import pytest

from sessionkit.errors import VersionConflict
from sessionkit.plugins.descriptors import Capability
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source, in_threads, simple, state, texts

KEY = "k"
_EACH = 60


class ProcessClauses(ConformanceBase):
    """Rule: the capabilities ``persistent``, ``multi-process`` and ``durable``."""

    def test_another_process_reads_what_was_saved(self, source: Source) -> None:
        """Also while this one has the store open."""
        self.require(source, Capability.PERSISTENT)
        with self.open(source) as store:
            store.add_full_message(KEY, {"role": "user", "content": "é\ud800", "x": [1, None]})
            store.set_summary(KEY, "s")
            store.save(KEY)
            output, _ = self.child(source, "read", KEY).communicate(timeout=120)
        assert json.loads(output) == {
            "messages": [{"role": "user", "content": "é\ud800", "x": [1, None]}],
            "summary": "s",
        }

    def test_processes_that_append_to_one_session_lose_nothing(self, source: Source) -> None:
        """Every acknowledged message is there once, and each process's in its order; batches stay whole."""
        self.require(source, Capability.MULTI_PROCESS)
        children = [
            self.child(source, "append", KEY, "w0", str(_EACH)),
            self.child(source, "append", KEY, "w1", str(_EACH)),
            self.child(source, "append-batches", KEY, "w2", str(_EACH)),
        ]
        with self.open(source) as store:
            for number in range(_EACH):
                store.add_message(KEY, "here", str(number))
            for child in children:
                child.communicate(timeout=240)
                assert child.returncode == 0
            history = store.get_history(KEY)
        numbers = [str(number) for number in range(_EACH)]
        for writer in ("w0", "w1", "here"):
            assert [message.text for message in history if message.role == writer] == numbers
        roles = [message.role for message in history]
        assert [message.text for message in history if message.role == "w2"][::3] == numbers
        for start in [place for place, role in enumerate(roles) if role == "w2"][::3]:
            assert roles[start : start + 3] == ["w2"] * 3
        assert len(history) == 6 * _EACH

    def test_a_store_sees_what_other_processes_do(self, source: Source) -> None:
        """An open store that has read a session reads it anew, after appends, cuts and deletions elsewhere."""
        self.require(source, Capability.MULTI_PROCESS)
        with self.open(source) as store:
            store.add_message(KEY, "user", "first")
            assert texts(store, KEY) == ["first"]
            self.child(source, "append", KEY, "other", "3").communicate(timeout=120)
            assert texts(store, KEY) == ["first", "0", "1", "2"]
            with self.open(source) as second:
                second.truncate_history(KEY, 2, summary="s")
                second.save(KEY)
            assert (texts(store, KEY), store.get_summary(KEY)) == (["1", "2"], "s")
            store.add_message(KEY, "user", "last")
            with self.open(source) as second:
                assert texts(second, KEY) == ["1", "2", "last"]
                second.delete_session(KEY)
            assert texts(store, KEY) == []

    def test_a_conditional_write_sees_what_other_stores_wrote(self, source: Source) -> None:
        """``if_version`` is held against what is stored, and not against what this store remembers."""
        self.require(source, Capability.MULTI_PROCESS)
        with self.open(source) as first, self.open(source) as second:
            old = first.add_message(KEY, "user", "a")
            new = second.add_message(KEY, "user", "b")
            assert new != old
            with pytest.raises(VersionConflict):
                first.set_history(KEY, simple("lost"), if_version=old)
            first.set_history(KEY, simple("c"), if_version=new)
            with pytest.raises(VersionConflict):
                second.truncate_history(KEY, 0, if_version=new)
            assert texts(second, KEY) == ["c"]

    def test_stores_in_one_process_are_as_safe_as_processes(self, source: Source) -> None:
        """Two stores on one source, each in a thread of its own: nothing is lost."""
        self.require(source, Capability.MULTI_PROCESS)

        def write(store: SessionStore, writer: str) -> None:
            for number in range(_EACH):
                store.add_message(KEY, writer, str(number))

        with self.open(source) as first, self.open(source) as second:
            in_threads(partial(write, first, "w0"), partial(write, second, "w1"))
            history = first.get_history(KEY)
        assert len(history) == 2 * _EACH
        for writer in ("w0", "w1"):
            assert [m.text for m in history if m.role == writer] == [str(number) for number in range(_EACH)]

    @pytest.mark.parametrize("kill_after", [0, 1, 7, 23])
    def test_acknowledged_writes_survive_the_death_of_the_writer(self, source: Source, kill_after: int) -> None:
        """After ``kill -9`` all that was acknowledged is there, in order, and the session can be written to."""
        self.require(source, Capability.DURABLE)
        child = self.child(source, "append", KEY, "w", "1000000")
        assert child.stdout is not None
        acknowledged = -1
        while acknowledged < kill_after:
            acknowledged = int(child.stdout.readline())
        child.send_signal(signal.SIGKILL)
        rest = child.stdout.read().split()
        child.wait(120)
        child.stdout.close()
        acknowledged = max([acknowledged, *(int(number) for number in rest if number.isdigit())])
        with self.open(source) as store:
            stored = texts(store, KEY)
            assert stored == [str(number) for number in range(len(stored))]
            assert acknowledged + 1 <= len(stored) <= acknowledged + 2
            store.add_message(KEY, "user", "after")
            assert texts(store, KEY) == [*stored, "after"]

    def test_a_killed_writer_leaves_the_listing_and_other_sessions_whole(self, source: Source) -> None:
        """Whatever it was in the middle of."""
        self.require(source, Capability.DURABLE)
        with self.open(source) as store:
            store.add_message("bystander", "user", "x")
            child = self.child(source, "append-batches", KEY, "w", "1000000")
            assert child.stdout is not None
            child.stdout.readline()
            child.kill()
            child.stdout.read()
            child.wait(120)
            child.stdout.close()
            counts = {info.key: info.count for info in store.list_sessions()}
            assert counts == {"bystander": 1, KEY: len(texts(store, KEY))}
            assert_whole_batches(store)
            assert texts(store, "bystander") == ["x"]

    def test_every_kind_of_write_survives_the_death_of_the_writer(self, source: Source) -> None:
        """Replacement, truncation, summary, metadata and deletion that were acknowledged, without a save."""
        self.require(source, Capability.DURABLE)
        self.kill_when_done(source, "edit", KEY)
        with self.open(source) as store:
            assert state(store, KEY) == ([{"role": "user", "content": "c"}], "a, b", {"m": 1}, ("nick",))
            assert [info.key for info in store.list_sessions()] == [KEY]

    def test_what_was_saved_survives_the_death_of_the_process(self, source: Source) -> None:
        """``save`` is a promise of its own; what was written after it may be lost, and nothing else."""
        self.require(source, Capability.PERSISTENT)
        self.kill_when_done(source, "save-and-go-on", KEY)
        with self.open(source) as store:
            stored = texts(store, KEY)
            assert stored[:2] == ["saved", "saved again"]
            assert stored[2:] in ([], ["not saved"])
            store.add_message(KEY, "user", "after")
            assert texts(store, KEY) == [*stored, "after"]

    def kill_when_done(self, source: Source, *command: str) -> None:
        """Run a command in another process, and kill that when it has printed a line."""
        child = self.child(source, *command)
        assert child.stdout is not None
        assert child.stdout.readline() == "done\n"
        child.kill()
        child.wait(120)
        child.stdout.close()


def assert_whole_batches(store: SessionStore) -> None:
    """Batches of three with the same number each."""
    stored = texts(store, KEY)
    assert len(stored) % 3 == 0
    assert stored[::3] == stored[1::3] == stored[2::3]
