"""Verifying and repairing the sessions of a store.

Two parties look: the backend, at how it keeps things; and this module, at what every backend promises. It reads each
session whole, a page at a time, and compares what the different ways of reading tell.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

import attrs

from sessionkit.calls import calls_in, results_in
from sessionkit.damage import Damage
from sessionkit.errors import StoreError, VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import History, SessionInfo
from sessionkit.store.paging import pages_of
from sessionkit.store.runtime import Runtime

_TAIL: Final = 5


@attrs.frozen
class Inspection:
    """One pass over the sessions of a store.

    Attributes:
        runtime: gives the open store, anew for each step: a pass may take long.
        listed: lists the sessions with a prefix, and calls its second argument for each that cannot be listed.
        repairs: whether damage is mended.
        progress: is called with 1 for each session that is done with.
    """

    runtime: Callable[[], Runtime]
    listed: Callable[[str, Callable[[str], object]], Iterator[SessionInfo]]
    repairs: bool
    progress: Callable[[int], object] | None = None

    def of_keys(self, keys: Iterable[str]) -> Iterator[Damage]:
        """Inspect some sessions."""
        for key in keys:
            yield from self._session(key, None)

    def of_prefix(self, prefix: str) -> Iterator[Damage]:
        """Inspect the sessions with a prefix; without one, also what is no session's."""
        if not prefix:
            # First: what is found there may become a session that is listed.
            yield from self._backend(None)
        unlisted: list[str] = []
        for info in self.listed(prefix, unlisted.append):
            yield from self._session(info.key, info)
        if self._has_own_check() and not prefix:
            return  # the backend has told of them, and knows more
        for line in unlisted:
            yield _unreadable(None, line)

    def _session(self, key: str, info: SessionInfo | None) -> Iterator[Damage]:
        found = self._backend(key)
        yield from found
        if not any(damage.stays for damage in found):
            listed = None if any(damage.mended for damage in found) else info
            yield from _check(self.runtime, key, listed)
        if self.progress is not None:
            self.progress(1)

    def _backend(self, key: str | None) -> list[Damage]:
        runtime = self.runtime()
        try:
            with runtime.activity.during(key if self.repairs else None):
                return runtime.hooks.repair(key) if self.repairs else runtime.hooks.verify(key)
        except StoreError as error:
            return [_unreadable(key, str(error))]

    def _has_own_check(self) -> bool:
        return self.runtime().hooks.verifies


def _unreadable(key: str | None, problem: str) -> Damage:
    remedy = "restore it from a backup, or delete the session"
    return Damage(kind="unreadable", key=key, problem=problem, remedy=remedy, mendable=False)


def _check(runtime: Callable[[], Runtime], key: str, listed: SessionInfo | None) -> Iterator[Damage]:
    """Hold a session against what every backend promises. What changes meanwhile is not compared."""
    calls = _Calls()
    tail: list[Message] = []
    first: History | None = None
    try:
        for page in pages_of(runtime, key):
            first = first or page
            calls.follow(page.messages)
            tail = [*tail, *page.messages][-_TAIL:]
        at = runtime()
        with at.activity.during():
            last = at.hooks.get_history(key, -_TAIL, _TAIL)
            newest = at.content.decode_messages(key, last.messages)
            session = at.content.decode_session(at.hooks.get_session(key, 0))
    except VersionConflict:
        return
    except StoreError as error:
        yield _unreadable(key, str(error))
        return
    assert first is not None  # there is always a page
    if last.version == first.version and list(newest) != tail:
        yield _disagreement(key, "its last messages read otherwise when they are read alone")
    if session.version == first.version and session.count != first.total:
        yield _disagreement(key, f"it counts {session.count:,} messages, and has {first.total:,}")
    if listed is not None and listed.version == session.version and not _same(listed, session):
        yield _disagreement(key, "the listing tells something else of it than the session itself")
    yield from calls.notes(key)


def _same(listed: SessionInfo, session: SessionInfo) -> bool:
    return all(getattr(listed, name) == getattr(session, name) for name in ("count", "summary", "metadata", "aliases"))


def _disagreement(key: str, problem: str) -> Damage:
    remedy = "open the store anew and verify again; if it stays, export the session and import it again"
    return Damage(kind="disagreement", key=key, problem=problem, remedy=remedy, mendable=False)


@attrs.define
class _Calls:
    """Follows tool calls and their results through a history."""

    _open: dict[str, None] = attrs.Factory(dict)
    _unanswered: int = 0
    _uncalled: int = 0

    def follow(self, messages: Iterable[Message]) -> None:
        for message in messages:
            results = results_in(message)
            for result in results:
                if result.id in self._open:
                    del self._open[result.id]
                else:
                    self._uncalled += 1
            calls = calls_in(message)
            if message.role and not results:  # an item without role may stand between calls and results
                self._unanswered += len(self._open)
                self._open = {}
            self._open.update(dict.fromkeys(call.id for call in calls))

    def notes(self, key: str) -> Iterator[Damage]:
        """What is left of them. The calls of the last message may be under way."""
        counts = {"calls without a result": self._unanswered, "results without a call": self._uncalled}
        told = " and ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        if told:
            remedy = "some models refuse such a history; truncate with --whole-turns keeps turns whole"
            problem = f"its history has {told}"
            yield Damage(kind="tool-calls", key=key, problem=problem, remedy=remedy, mendable=False, harmless=True)
