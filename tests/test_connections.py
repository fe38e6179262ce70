"""A shared connection: one thread at a time, opened when it is needed, and never taken along by a fork."""

from __future__ import annotations

import os
import threading

import pytest

from sessionkit.connections import SharedConnection

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
threads_and_a_fork = pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")


class Connection:
    """Tells whether it is open."""

    def __init__(self) -> None:
        self.open = True

    def close(self) -> None:
        self.open = False


class Driver:
    """Makes connections, and keeps all that it made."""

    def __init__(self) -> None:
        self.made: list[Connection] = []

    def connect(self) -> Connection:
        self.made.append(Connection())
        return self.made[-1]


@pytest.fixture
def driver() -> Driver:
    return Driver()


@pytest.fixture
def shared(driver: Driver) -> SharedConnection[Connection]:
    return SharedConnection(driver.connect)


def test_it_opens_when_it_is_first_used_and_stays_open(shared: SharedConnection[Connection], driver: Driver) -> None:
    assert driver.made == []
    with shared.turn() as first:
        pass
    with shared.turn() as second:
        assert second is first
        assert second.open


def test_a_turn_that_fails_leaves_it_open_for_the_next(shared: SharedConnection[Connection], driver: Driver) -> None:
    with pytest.raises(ZeroDivisionError), shared.turn():
        raise ZeroDivisionError
    with shared.turn() as connection:
        assert connection.open
    assert len(driver.made) == 1


def test_after_a_close_it_opens_anew(shared: SharedConnection[Connection], driver: Driver) -> None:
    shared.close()
    with shared.turn():
        pass
    shared.close()
    shared.close()
    with shared.turn():
        assert [connection.open for connection in driver.made] == [False, True]


def test_a_connection_that_cannot_be_prepared_is_closed_and_the_next_turn_tries_again(driver: Driver) -> None:
    failures = [ConnectionError("not now")]

    def prepare(connection: Connection) -> None:
        if failures:
            raise failures.pop()

    shared = SharedConnection(driver.connect, prepare)
    with pytest.raises(ConnectionError), shared.turn():
        pass
    with shared.turn():
        assert [connection.open for connection in driver.made] == [False, True]


def test_threads_take_turns(shared: SharedConnection[Connection]) -> None:
    entered, done = threading.Event(), []

    def other() -> None:
        entered.set()
        with shared.turn():
            done.append("other")

    with shared.turn():
        thread = threading.Thread(target=other)
        thread.start()
        assert entered.wait(60)
        done.append("first")
    thread.join(60)
    assert done == ["first", "other"]


@needs_fork
@threads_and_a_fork
def test_it_is_closed_while_the_process_forks_and_both_sides_open_their_own(
    shared: SharedConnection[Connection], driver: Driver
) -> None:
    with shared.turn():
        pass
    child = os.fork()
    if child == 0:  # it must not go on as a second pytest
        inherited_closed = not driver.made[0].open
        with shared.turn() as own:
            os._exit(0 if inherited_closed and own.open and own is not driver.made[0] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with shared.turn():
        assert [connection.open for connection in driver.made] == [False, True]


@needs_fork
@threads_and_a_fork
def test_a_fork_waits_for_the_turn_of_another_thread(shared: SharedConnection[Connection]) -> None:
    entered, leave, done = threading.Event(), threading.Event(), []

    def other() -> None:
        with shared.turn():
            entered.set()
            leave.wait(60)
            done.append("turn")

    thread = threading.Thread(target=other)
    thread.start()
    assert entered.wait(60)
    threading.Timer(0.01, leave.set).start()
    child = os.fork()
    if child == 0:
        os._exit(0 if done == ["turn"] else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    thread.join(60)


class Unclosable(Connection):
    """Fails when it is closed."""

    def close(self) -> None:
        super().close()
        raise ConnectionError("lost")


@needs_fork
@threads_and_a_fork
@pytest.mark.filterwarnings("ignore:Exception ignored in:pytest.PytestUnraisableExceptionWarning")
def test_one_that_fails_to_close_does_not_keep_the_others_open(
    shared: SharedConnection[Connection], driver: Driver
) -> None:
    failing = SharedConnection[Connection](Unclosable)
    for each in (failing, shared, SharedConnection[Connection](Unclosable)):
        with each.turn():
            pass
    child = os.fork()
    if child == 0:
        os._exit(driver.made[0].open)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    with shared.turn():
        assert len(driver.made) == 2
