"""A write of unknown outcome that its backend knows again is held and repeated, with the same id."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from sessionkit import Message, OutcomeUnknownError, SessionStore, Version, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.store.runtime import Recipe
from sessionkit.store.writes import OnWriteError


class Forgetful(MemoryBackend):
    """Loses some replies, and knows by its id a write that comes again."""

    def __init__(self) -> None:
        super().__init__()
        self.lose = 0
        self.repeatable = True
        self._done: dict[str, Version] = {}

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        """Append once for each id."""
        if write_id not in self._done:
            self._done[write_id] = super().sessionkit_add_messages(key, messages, write_id)
        if self.lose:
            self.lose -= 1
            raise OutcomeUnknownError("the reply was lost", repeatable=self.repeatable)
        return self._done[write_id]


@pytest.fixture
def backend() -> Forgetful:
    return Forgetful()


def _store(backend: Forgetful, policy: OnWriteError = "log") -> SessionStore:
    return SessionStore(Recipe(name="forgetful", source="the test", backend=lambda: backend, on_write_error=policy))


def _texts(store: SessionStore) -> list[str]:
    return [message.text for message in store.get_history("k")]


def test_it_is_stored_once_and_in_order(backend: Forgetful) -> None:
    with _store(backend) as store:
        backend.lose = 2
        assert store.add_message("k", "user", "one") is None
        assert store.add_message("k", "user", "two") is None
        assert len(store.held("k")) == 2
        store.save("k")
        assert _texts(store) == ["one", "two"]


def test_it_is_told_as_unknown_to_who_wants_errors(backend: Forgetful) -> None:
    with _store(backend, "raise") as store:
        backend.lose = 1
        with pytest.raises(OutcomeUnknownError, match="lost"):
            store.add_message("k", "user", "one")
        assert store.held("k") == ()


def test_one_that_its_backend_would_not_know_is_not_repeated(backend: Forgetful) -> None:
    with _store(backend) as store:
        backend.lose = 1
        backend.repeatable = False
        assert store.add_message("k", "user", "one") is None
        assert store.held("k") == ()
        with pytest.raises(Exception, match="the outcome of 1 writes is not known"):
            store.save("k")
