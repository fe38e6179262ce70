"""What is stored is always a prefix of what was written, whatever fails, from however many threads."""

from __future__ import annotations

import random
import threading
from collections import defaultdict

from hypothesis import given, settings
from hypothesis import strategies as st

from sessionkit import BackendUnavailableError, HeldWrite, Message, SessionStore, WriteFailedError

from .backends import FlakyBackend, store_on, texts

KEYS = ("a", "b")


def failing_at_random(backend: FlakyBackend, seed: int, share: float) -> None:
    """Let a share of the writes fail, before the backend does anything."""
    chance, lock = random.Random(seed), threading.Lock()

    def before_write(hook: str, key: str) -> None:
        with lock:
            fails = chance.random() < share
        if fails:
            raise BackendUnavailableError("now and then")

    backend.before_write = before_write


@given(
    steps=st.lists(st.tuples(st.sampled_from(KEYS), st.sampled_from(["add", "batch", "save"])), max_size=40),
    seed=st.integers(0, 2**32),
    share=st.sampled_from([0.1, 0.5, 0.9]),
)
def test_what_is_stored_is_a_prefix_at_every_moment(steps: list[tuple[str, str]], seed: int, share: float) -> None:
    backend = FlakyBackend()
    failing_at_random(backend, seed, share)
    store = store_on(backend)
    written: dict[str, list[str]] = defaultdict(list)
    for number, (key, step) in enumerate(steps):
        if step == "save":
            check_save(store, key, written[key])
        elif step == "add":
            written[key].append(str(number))
            store.add_message(key, "user", str(number))
        else:
            written[key] += [f"{number}x", f"{number}y"]
            store.add_messages(key, [Message.simple("user", f"{number}{half}") for half in "xy"])
        for each in KEYS:
            stored = texts(store, each)
            assert stored == written[each][: len(stored)]
    backend.fail(None)
    store.close()
    for key in KEYS:
        assert [m.text for m in backend.sessionkit_get_history(key, 0, None).messages] == written[key]


def check_save(store: SessionStore, key: str, written: list[str]) -> None:
    held: tuple[HeldWrite, ...] = ()
    try:
        store.save(key)
    except WriteFailedError as error:
        held = error.held
    assert held == store.held(key)
    if not held:
        assert texts(store, key) == written


@settings(max_examples=30, deadline=None)
@given(seed=st.integers(0, 2**32), share=st.sampled_from([0.05, 0.3, 0.7]), threads=st.integers(2, 4))
def test_over_threads_each_writers_messages_are_a_prefix_and_none_is_doubled(
    seed: int, share: float, threads: int
) -> None:
    backend = FlakyBackend()
    failing_at_random(backend, seed, share)
    store = store_on(backend)
    each = 25
    start = threading.Barrier(threads + 1)
    saved: list[tuple[str, int]] = []

    def write(writer: int) -> None:
        start.wait(30)
        for number in range(each):
            for key in KEYS:
                store.add_message(key, f"w{writer}", str(number))
            if number % 5 == 4:
                saved.extend((key, number) for key in KEYS if saves(store, key, writer, number))

    def watch() -> None:
        start.wait(30)
        for _ in range(20):
            for key in KEYS:
                for writer in range(threads):
                    assert_prefix(store, key, writer)

    workers = [threading.Thread(target=write, args=(writer,)) for writer in range(threads)]
    watcher_faults: list[BaseException] = []

    def guarded_watch() -> None:
        try:
            watch()
        except BaseException as error:  # carried to the main thread
            watcher_faults.append(error)

    workers.append(threading.Thread(target=guarded_watch))
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    assert not watcher_faults
    backend.fail(None)
    for key in KEYS:
        store.save(key)
        for writer in range(threads):
            assert stored_by(store, key, writer) == [str(number) for number in range(each)]
        assert len(store.get_history(key)) == each * threads
    store.close()


def stored_by(store: SessionStore, key: str, writer: int) -> list[str]:
    return [message.text for message in store.get_history(key) if message.role == f"w{writer}"]


def assert_prefix(store: SessionStore, key: str, writer: int) -> None:
    stored = stored_by(store, key, writer)
    assert stored == [str(number) for number in range(len(stored))]


def saves(store: SessionStore, key: str, writer: int, number: int) -> bool:
    """Whether a save returned; then all that this writer wrote before is there."""
    try:
        store.save(key)
    except WriteFailedError:
        return False
    assert len(stored_by(store, key, writer)) >= number + 1
    return True
