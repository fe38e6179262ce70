"""Storage that fails, and secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import attrs
import pytest

from sessionkit.config import resolve
from sessionkit.errors import CorruptSessionError, SessionKitError
from sessionkit.plugins.descriptors import Capability
from sessionkit.plugins.options import option_info
from sessionkit.store import SessionStore, open_configured
from sessionkit.testing.base import ConformanceBase, Source, simple, state, texts

KEY = "k"


class FaultClauses(ConformanceBase):
    """Rule: a backend raises what goes wrong; what becomes of it is decided above it."""

    @contextmanager
    def broken(self, source: Source) -> Iterator[None]:
        """The storage fails inside, where the author offers that."""
        breaking = self.break_storage(source)
        if breaking is None:
            pytest.skip("the backend's author offers no break_storage()")
        with breaking:
            yield

    def test_a_write_that_fails_raises_and_stores_nothing(self, source: Source, store: SessionStore) -> None:
        """Append, batch, replacement, truncation, update; and all work again when the cause is gone.

        For a backend that declares ``durable``; the others may find out only at the save.
        """
        self.require(source, Capability.DURABLE)
        store.update_session(KEY, messages=simple(*"abc"), summary="s")
        store.save(KEY)
        before = state(store, KEY)
        writes: list[Callable[[], object]] = [
            lambda: store.add_message(KEY, "user", "lost"),
            lambda: store.add_messages(KEY, simple("lost", "lost")),
            lambda: store.set_history(KEY, simple("lost")),
            lambda: store.truncate_history(KEY, 1, summary="lost"),
            lambda: store.update_session(KEY, metadata={"lost": 1}),
        ]
        with self.broken(source):
            for write in writes:
                with pytest.raises(SessionKitError):
                    write()
        assert state(store, KEY) == before
        store.add_message(KEY, "user", "d")
        store.save(KEY)
        assert texts(store, KEY) == ["a", "b", "c", "d"]

    def test_writes_that_failed_are_held_and_stored_in_order_later(self, source: Source) -> None:
        """The policy ``log``, from the failure to the recovery: nothing is lost, doubled or reordered."""
        configuration = resolve(source, on_write_error="log")
        with open_configured(configuration) as store:
            store.add_message(KEY, "user", "a")
            with self.broken(source):
                for text in "bcd":
                    store.add_message(KEY, "user", text)
                with pytest.raises(SessionKitError):
                    store.save(KEY)
            store.add_message(KEY, "user", "e")
            store.save(KEY)
            assert texts(store, KEY) == list("abcde")
            assert store.held(KEY) == ()

    def test_a_session_that_cannot_be_read_is_an_error_and_not_an_empty_one(self, source: Source) -> None:
        """``CorruptSessionError``: an agent that begins anew over a damaged history would destroy it."""
        with self.with_damage(source, KEY) as store:
            with pytest.raises(CorruptSessionError):
                store.get_history(KEY)
            with pytest.raises(CorruptSessionError):
                store.get_session(KEY)
            assert texts(store, "whole") == ["a", "b"]

    def test_secrets_are_not_in_the_options_repr(self, source: Source) -> None:
        """An options class is shown in errors and logs; make secrets with ``option(secret=True)``."""
        options = resolve(source).options
        secrets = {
            field.name: value
            for field in attrs.fields(type(options))
            if option_info(field).secret and isinstance(value := getattr(options, field.name), str) and value
        }
        if not secrets:
            pytest.skip("the source of this test says no secret option")
        assert not [name for name, value in secrets.items() if value in repr(options)]

    def test_an_error_of_opening_does_not_show_a_secret(self, source: Source) -> None:
        """A store that cannot be opened says so without the password."""
        unreachable = self.unreachable(source)
        if unreachable is None:
            pytest.skip("the backend's author offers no unreachable()")
        place, secret = unreachable
        with pytest.raises(SessionKitError) as error, self.open(place) as store:
            store.get_history(KEY)
        assert secret not in _everything_said(error.value)


def _everything_said(error: BaseException | None) -> str:
    said = ""
    while error is not None:
        said += f"{error!r} {error} {_arguments(error)} "
        error = error.__cause__ or error.__context__
    return said


def _arguments(error: BaseException) -> Mapping[str, Any]:
    return vars(error)
