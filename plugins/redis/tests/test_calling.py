"""Calls that are tried again: what is told when they fail for good."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from sessionkit_redis.calling import Caller

from sessionkit import BackendUnavailableError, OutcomeUnknownError


def _gone() -> NoReturn:
    raise BackendUnavailableError("the embedded server does not start")


def _nothing() -> None:
    """Nothing can be done."""


def _lost(age: int) -> NoReturn:
    raise redis.ConnectionError("Connection closed by server.")


@pytest.mark.parametrize("recover", [_gone, _nothing])
def test_a_write_that_may_have_been_executed_is_never_told_as_not_done(recover: Callable[[], None]) -> None:
    caller = Caller("the server", 0.05, recover)
    with pytest.raises(OutcomeUnknownError) as caught:
        caller.write("k", "w", _lost)
    assert caught.value.repeatable


@pytest.mark.parametrize("recover", [_gone, _nothing])
def test_its_repetition_is_known_as_one(recover: Callable[[], None]) -> None:
    caller = Caller("the server", 0.05, recover)
    with pytest.raises(OutcomeUnknownError):
        caller.write("k", "w", _lost)
    assert caller.write("k", "w", lambda age: age) > 0
    assert caller.write("k", "w", lambda age: age) == 0


@pytest.mark.parametrize("recover", [_gone, _nothing])
def test_a_read_that_fails_is_of_no_unknown_outcome(recover: Callable[[], None]) -> None:
    caller = Caller("the server", 0.05, recover)
    with pytest.raises(BackendUnavailableError):
        caller.read("k", lambda: _lost(0))


def test_a_write_that_never_reached_the_server_is_told_as_not_done() -> None:
    client = redis.Redis(host="127.0.0.1", port=1, retry=Retry(NoBackoff(), 0))
    caller = Caller("the server", 0.05, _nothing)
    with pytest.raises(BackendUnavailableError):
        caller.write("k", "w", lambda age: client.ping())
    assert caller.write("k", "w", lambda age: age) == 0
