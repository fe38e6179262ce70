"""Stores in which a search does not find everything."""

from __future__ import annotations

from collections.abc import Iterable

from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.sessions import Sifted
from sessionkit.sieve import Sieve
from sessionkit.state import SessionState

from .registry import caught_by
from .sqlite import SqliteStore


@caught_by("test_a_search_finds_what_a_look_at_every_message_finds")
class SiftsAllButTheLast(SqliteStore):
    """Forgets the newest message when it is asked which ones a search has to look at."""

    def candidates(self, state: SessionState, start: int) -> Iterable[tuple[int, Message]]:
        return list(super().candidates(state, start))[:-1]


@caught_by("test_a_search_finds_what_a_look_at_every_message_finds")
class LooksForBytesAlone(SqliteStore):
    """Looks for the bytes of the text itself, and minds neither case nor escapes."""

    @hookimpl
    def sessionkit_sift(self, key: str, start: int, sieve: Sieve) -> Sifted:
        with self.reading(key) as state:
            passed = [
                at
                for at, message in self.candidates(state, start)
                if any(needle in message.to_json() for needle in sieve.needles)
            ]
            return Sifted(spans=[(at, at + 1) for at in passed], generation=state.generation)
