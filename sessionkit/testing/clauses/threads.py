"""Several threads on one store."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial

from sessionkit.errors import VersionConflict
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, deletions_on_condition, in_threads, simple, texts

KEY = "k"
_WRITERS = 4
_EACH = 40


class ThreadClauses(ConformanceBase):
    """Rule: a backend is called from several threads at once, and for one session too."""

    def test_threads_that_append_to_one_session_lose_nothing(self, store: SessionStore) -> None:
        """Every message is there once, and each thread's in its order."""

        def write(writer: int) -> None:
            for number in range(_EACH):
                store.add_message(KEY, f"w{writer}", str(number))

        in_threads(*(partial(write, writer) for writer in range(_WRITERS)))
        history = store.get_history(KEY)
        assert len(history) == _WRITERS * _EACH
        for writer in range(_WRITERS):
            assert [m.text for m in history if m.role == f"w{writer}"] == [str(number) for number in range(_EACH)]

    def test_threads_on_different_sessions_do_not_disturb_each_other(self, store: SessionStore) -> None:
        """Creation, writes and deletion of neighbours at the same time."""

        def write(writer: int) -> None:
            for number in range(_EACH):
                store.add_message(f"k{writer}", "user", f"{writer}-{number}")
                store.add_message(f"short{writer}", "user", "x")
                store.delete_session(f"short{writer}")

        in_threads(*(partial(write, writer) for writer in range(_WRITERS)))
        for writer in range(_WRITERS):
            assert texts(store, f"k{writer}") == [f"{writer}-{number}" for number in range(_EACH)]
        assert sorted(info.key for info in store.list_sessions()) == [f"k{writer}" for writer in range(_WRITERS)]

    def test_a_batch_is_seen_whole_or_not_at_all(self, store: SessionStore) -> None:
        """By every reader at every moment, in the whole history and in its tail."""
        size, done = 5, [threading.Event(), threading.Event()]

        def write(writer: int) -> None:
            try:
                for number in range(_EACH):
                    store.add_messages(KEY, simple(*[f"{writer}-{number}"] * size))
            finally:
                done[writer].set()

        def read() -> None:
            while not all(event.is_set() for event in done):
                found = texts(store, KEY)
                assert len(found) % size == 0
                assert all(len(set(found[start : start + size])) == 1 for start in range(0, len(found), size))
                assert len({message.text for message in store.get_history(KEY, size)}) <= 1

        in_threads(partial(write, 0), partial(write, 1), read)
        assert len(texts(store, KEY)) == 2 * _EACH * size

    def test_a_truncation_and_its_summary_are_one_step(self, store: SessionStore) -> None:
        """No reader sees the one without the other."""
        done = threading.Event()
        store.update_session(KEY, messages=simple(*range(_EACH + 1)), summary="0")

        def truncate() -> None:
            try:
                for gone in range(1, _EACH + 1):
                    store.truncate_history(KEY, _EACH + 1 - gone, summary=str(gone))
            finally:
                done.set()

        def read() -> None:
            while not done.is_set():
                session = store.get_session(KEY)
                assert session.messages[0].text == session.summary

        in_threads(truncate, read, read)
        assert store.get_summary(KEY) == str(_EACH)

    def test_a_replacement_is_one_step(self, store: SessionStore) -> None:
        """A reader sees the old history or the new one: never none, never a mixture."""
        done = threading.Event()
        store.update_session(KEY, messages=simple(*["0"] * 3), summary="0")

        def replace() -> None:
            try:
                for number in range(1, _EACH):
                    store.update_session(KEY, messages=simple(*[number] * 3), summary=str(number))
            finally:
                done.set()

        def read() -> None:
            while not done.is_set():
                session = store.get_session(KEY)
                assert {message.text for message in session.messages} == {session.summary}
                assert session.count == 3

        in_threads(replace, read, read)

    def test_of_competing_conditional_writes_one_wins(self, store: SessionStore) -> None:
        """As many increments as successes: none overwrites another."""
        store.update_session(KEY, metadata={"n": 0})
        successes: list[int] = []

        def increment() -> None:
            for _ in range(15):
                session = store.get_session(KEY)
                try:
                    store.update_session(KEY, metadata={"n": session.metadata["n"] + 1}, if_version=session.version)
                except VersionConflict:
                    continue
                successes.append(1)

        in_threads(*[increment] * _WRITERS)
        assert store.get_session(KEY).metadata["n"] == len(successes) > 0

    def test_a_session_that_is_moved_while_others_append_loses_nothing(self, store: SessionStore) -> None:
        """Read, then deleted on condition that it is still so: each message is in what was read, or still there."""
        total, begun, done = 120, threading.Event(), threading.Event()
        moved: list[str] = []

        def append() -> None:
            try:
                for number in range(total):
                    if number == total // 2:
                        begun.wait(60)  # else a fast store may be done before the first look
                    store.add_message(KEY, "user", str(number))
            finally:
                done.set()

        def move() -> None:
            while not done.is_set():
                session = store.get_session(KEY)
                begun.set()
                with suppress(VersionConflict):
                    store.delete_session(KEY, if_version=session.version)
                    moved.extend(message.text for message in session.messages)

        with deletions_on_condition():
            in_threads(append, move)
        assert [*moved, *texts(store, KEY)] == [str(number) for number in range(total)]

    def test_summaries_that_race_with_appends_lose_nothing(self, store: SessionStore) -> None:
        """What a summary drops is what was read, and nothing that arrived since."""
        total, begun, done = 120, threading.Event(), threading.Event()
        store.add_message(KEY, "user", "0")

        def append() -> None:
            try:
                for number in range(1, total):
                    if number == total // 2:
                        begun.wait(60)  # else a fast store may be done before the first summary
                    store.add_message(KEY, "user", str(number))
            finally:
                done.set()

        def summarize() -> None:
            dropped = 0
            while not done.is_set():
                session = store.get_session(KEY)
                begun.set()
                store.summarize(KEY, session, session.count // 2, str(dropped + session.count // 2))
                dropped += session.count // 2

        in_threads(append, summarize)
        assert texts(store, KEY) == [str(number) for number in range(int(store.get_summary(KEY) or 0), total)]
