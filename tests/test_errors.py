"""The errors: what they can be caught as, and what they carry."""

from __future__ import annotations

import copy
import inspect
import pickle

import pytest

from sessionkit import errors
from sessionkit.errors import HeldWrite, SessionKitError, StoreError, WriteFailedError

ALL = [
    value
    for value in vars(errors).values()
    if inspect.isclass(value) and issubclass(value, BaseException) and value.__module__ == errors.__name__
]


@pytest.mark.parametrize("error", ALL)
def test_every_error_is_a_sessionkit_error_that_shows_its_message(error: type[Exception]) -> None:
    assert issubclass(error, SessionKitError)
    assert str(error("session 'a': what happened")) == "session 'a': what happened"
    assert error.__doc__


@pytest.mark.parametrize(
    ("error", "builtin"),
    [
        (errors.InvalidKeyError, ValueError),
        (errors.InvalidMessageError, ValueError),
        (errors.DecodeError, ValueError),
        (errors.ConfigError, ValueError),
        (errors.MessageTooLargeError, ValueError),
        (errors.UnknownBackendError, LookupError),
        (errors.SessionNotFoundError, LookupError),
        (errors.AmbiguousAliasError, LookupError),
        (errors.UnsupportedOperationError, NotImplementedError),
    ],
)
def test_an_error_can_be_caught_as_the_builtin_that_it_is_a_kind_of(
    error: type[Exception], builtin: type[Exception]
) -> None:
    assert issubclass(error, builtin)


@pytest.mark.parametrize("error", ALL)
def test_errors_of_an_open_store_are_told_from_errors_of_configuration(error: type[Exception]) -> None:
    assert not (issubclass(error, StoreError) and issubclass(error, errors.ConfigError))


def _held(text: str) -> HeldWrite:
    return HeldWrite(key="k", operation="set_summary", arguments={"summary": text}, error=OSError(28, "full"))


@pytest.mark.parametrize("error", ALL)
def test_errors_survive_pickling(error: type[Exception]) -> None:
    same = pickle.loads(pickle.dumps(error("what happened")))
    assert type(same) is error
    assert str(same) == "what happened"


def test_a_failed_write_carries_what_is_held_even_when_pickled() -> None:
    error = WriteFailedError("not stored", held=[_held("a")], unknown=[_held("b")])
    for same in (error, pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert str(same) == "not stored"
        assert [write.arguments["summary"] for write in same.held] == ["a"]
        assert [write.arguments["summary"] for write in same.unknown] == ["b"]


def test_the_representation_of_a_held_write_does_not_show_contents() -> None:
    shown = repr(_held("secret"))
    assert "secret" not in shown
    assert "set_summary" in shown


def test_held_writes_hash() -> None:
    write = _held("a")
    assert len({write, write}) == 1
