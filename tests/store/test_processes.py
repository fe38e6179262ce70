"""A store belongs to its process."""

from __future__ import annotations

import copy
import os
import pickle
import sys
import threading
import traceback
from collections.abc import Callable

import pytest

from sessionkit import BackendUnavailableError, Message, SessionStore, StoreClosedError
from sessionkit.store import process
from sessionkit.store.runtime import Recipe

from .backends import FlakyBackend, Gate

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")

# Python 3.12 and later warn that a fork of a process with threads may deadlock the child, which is the very case here.
pytestmark = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


@pytest.fixture
def made() -> list[FlakyBackend]:
    """Every backend that the store made, in order."""
    return []


@pytest.fixture
def store(made: list[FlakyBackend]) -> SessionStore:
    def make() -> FlakyBackend:
        made.append(FlakyBackend())
        return made[-1]

    return SessionStore(Recipe(name="test", source="tests", backend=make))


def in_child(check: Callable[[], None]) -> None:
    """Run a check in a forked child; its failure is ours."""
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            check()
        except BaseException:  # the child must not go on as a second pytest
            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    assert os.waitstatus_to_exitcode(status) == 0


@needs_fork
def test_the_first_use_in_a_child_opens_a_backend_of_its_own(store: SessionStore, made: list[FlakyBackend]) -> None:
    store.add_message("k", "user", "parent's")

    def check() -> None:
        store.add_message("k", "user", "child's")
        assert len(made) == 2
        assert [m.text for m in made[1].sessionkit_get_history("k", 0, None).messages] == ["child's"]
        assert made[0].sessionkit_get_history("k", 0, None).total == 1

    in_child(check)
    assert len(made) == 1


@needs_fork
def test_a_child_inherits_nothing_that_is_held(store: SessionStore, made: list[FlakyBackend]) -> None:
    made[0].fail(BackendUnavailableError("full"))
    store.add_message("k", "user", "held")

    def check() -> None:
        assert store.held("k") == ()
        store.save("k")
        assert store.get_history("k") == []

    in_child(check)
    assert len(store.held("k")) == 1


@needs_fork
def test_closing_a_stale_copy_writes_nothing_and_closes_it_in_the_child(
    store: SessionStore, made: list[FlakyBackend]
) -> None:
    made[0].fail(BackendUnavailableError("full"))
    store.add_message("k", "user", "held")

    def check() -> None:
        made[0].fail(None)
        store.close()
        assert (len(made), made[0].closed, made[0].saved) == (1, 0, [])
        with pytest.raises(StoreClosedError):
            store.add_message("k", "user", "x")

    in_child(check)
    made[0].fail(None)
    store.save("k")
    assert [m.text for m in store.get_history("k")] == ["held"]


@needs_fork
def test_a_store_that_was_closed_stays_closed_in_a_child(store: SessionStore) -> None:
    store.close()

    def check() -> None:
        with pytest.raises(StoreClosedError):
            store.get_history("k")

    in_child(check)


@needs_fork
def test_a_fork_in_the_middle_of_a_write_does_not_lock_the_child(store: SessionStore, made: list[FlakyBackend]) -> None:
    gate = Gate()
    made[0].before_write = gate
    writer = threading.Thread(target=store.add_message, args=("k", "user", "slow"))
    writer.start()
    assert gate.arrived.wait(30)

    def check() -> None:
        store.add_message("k", "user", "child's")
        store.save("k")
        store.close()

    in_child(check)
    gate.open.set()
    writer.join(30)
    assert [m.text for m in store.get_history("k")] == ["slow"]


@needs_fork
def test_a_grandchild_opens_a_backend_of_its_own_too(store: SessionStore, made: list[FlakyBackend]) -> None:
    def check() -> None:
        store.add_message("k", "user", "child's")

        def check_grandchild() -> None:
            assert store.get_history("k") == []
            assert len(made) == 3

        in_child(check_grandchild)

    in_child(check)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_a_store_is_not_copied_or_pickled(store: SessionStore, duplicate: Callable[[object], object]) -> None:
    with pytest.raises(TypeError, match=r"cannot be copied or pickled; open another one with open_store\(\)"):
        duplicate(store)


def test_messages_and_sessions_may_be_pickled(store: SessionStore) -> None:
    store.add_full_message("k", Message.from_dict({"role": "user", "x": [1, {"y": None}]}))
    session = store.get_session("k")
    assert pickle.loads(pickle.dumps(session)) == session


@needs_fork
def test_a_backend_that_uses_another_inherited_store_opens_in_a_child() -> None:
    def plain() -> FlakyBackend:
        return FlakyBackend()

    settings = SessionStore(Recipe(name="settings", source="tests", backend=plain))

    def make() -> FlakyBackend:
        settings.get_summary("k")
        return FlakyBackend()

    store = SessionStore(Recipe(name="test", source="tests", backend=make))

    def check() -> None:
        user = threading.Thread(target=store.add_message, args=("k", "user", "x"), daemon=True)
        user.start()
        user.join(30)
        assert not user.is_alive()

    in_child(check)


@needs_fork
def test_a_child_that_cannot_open_its_backend_tries_again_and_keeps_nothing_of_the_attempts(
    made: list[FlakyBackend],
) -> None:
    down = False

    def make() -> FlakyBackend:
        if down:
            raise OSError("unreachable")
        return FlakyBackend()

    store = SessionStore(Recipe(name="test", source="tests", backend=make))

    def check() -> None:
        nonlocal down
        down = True
        before = len(process.current.inherited)
        for _ in range(3):
            with pytest.raises(BackendUnavailableError, match="unreachable"):
                store.get_history("k")
        assert len(process.current.inherited) == before
        down = False
        store.add_message("k", "user", "x")
        assert len(process.current.inherited) == before + 1

    in_child(check)


@needs_fork
def test_a_fork_while_another_thread_opens_does_not_lock_the_child(store: SessionStore) -> None:
    opening, opened = threading.Event(), threading.Event()

    def hold() -> None:
        with process.current.lock:
            opening.set()
            assert opened.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert opening.wait(30)

    def check() -> None:
        # Not from a new thread: it may be given the identity of the one that is not there any more.
        assert process.current.lock.acquire(blocking=False)
        process.current.lock.release()
        store.add_message("k", "user", "x")

    in_child(check)
    opened.set()
    holder.join(30)
