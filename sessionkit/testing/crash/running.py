"""Letting a store work, step by step, while what it does is recorded."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias, cast

import attrs

from sessionkit.hookspecs import Backend
from sessionkit.store import SessionStore
from sessionkit.store.runtime import Recipe
from sessionkit.testing.crash.calls import Call
from sessionkit.testing.crash.direct import DirectStore
from sessionkit.testing.crash.disk import State
from sessionkit.testing.crash.recording import Recorder
from sessionkit.testing.crash.views import View, read

Opener: TypeAlias = Callable[[Path], SessionStore | Backend]
"""Opens a store, or makes a backend, that keeps its sessions at a path: what a program would call."""

Operation: TypeAlias = Callable[[SessionStore], object]
"""Calls one operation of a store."""

_AnyStore: TypeAlias = SessionStore | DirectStore

PLACE = "store"
"""The name of what the store is opened at, in the directory that is watched: so its own creation is watched too."""


@attrs.frozen
class Step:
    """What one operation did.

    Attributes:
        name: the operation, for people.
        calls: what it did to the directory.
        before: what a program saw before it.
        after: what a program sees after it.
        saved: the sessions that it made durable.
    """

    name: str
    calls: Sequence[Call]
    before: dict[str, View | None]
    after: dict[str, View | None]
    saved: frozenset[str] = frozenset()


class StepError(Exception):
    """An operation failed; its cause says why."""


class Noting:
    """A store that notes how it is called."""

    def __init__(self, store: _AnyStore) -> None:
        self._store = store
        self.noted: list[str] = []
        self.saved: set[str] = set()

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._store, name)
        if not callable(attribute):
            return attribute

        def call(*arguments: Any, **options: Any) -> Any:
            words = [_shortened(value) for value in arguments]
            words += [f"{option}={_shortened(value)}" for option, value in options.items()]
            self.noted.append(f"{name}({', '.join(words)})")
            result = attribute(*arguments, **options)
            if name == "save":
                self.saved.add(arguments[0])
            elif arguments and isinstance(arguments[0], str):
                self._refuse_held(arguments[0])
            return result

        return call

    def _refuse_held(self, key: str) -> None:
        """A write that failed and is held was not acknowledged."""
        for write in self._store.held(key):
            raise write.error or RuntimeError(f"a write of session {key!r} is held")


def _shortened(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:50]}…"


def open_store(opener: Opener, place: Path) -> SessionStore:
    """Open a store, or put one around a backend."""
    opened = opener(place)
    if isinstance(opened, SessionStore):
        return opened
    backend = opened
    return SessionStore(
        Recipe(name="checked", source="the crash checker", backend=lambda: backend, on_write_error="raise")
    )


def open_directly(opener: Opener, place: Path) -> _AnyStore:
    """Open a store; of a backend, take what a check needs."""
    opened = opener(place)
    return opened if isinstance(opened, SessionStore) else DirectStore(opened)


class Runner:
    """Runs operations on a store, from its opening to its closing.

    Args:
        opens: opens the store at a path.
        root: the directory; it holds ``start``.
        start: what is in it.
        keys: the sessions to look at, beside those that the store lists.
    """

    def __init__(self, opens: Callable[[Path], _AnyStore], root: Path, start: State, keys: Iterable[str] = ()) -> None:
        self._opens = opens
        self._root = root
        self._keys = {*keys}
        self._recorder = Recorder(root, start)
        self._views: dict[str, View | None] = {}
        self.steps: list[Step] = []

    def run(self, operations: Iterable[Operation]) -> None:
        """Run operations; each becomes a step.

        Raises:
            StepError: one of them raised, or reading after it did.
            UnrecordedChangeError: what one of them did was not recorded.
        """
        opened: list[_AnyStore] = []

        def start(nothing: SessionStore) -> None:
            opened.append(self._opens(self._root / PLACE))

        self._step("opening the store", opened, start, frozenset())
        for operation in operations:
            self._step("", opened, operation, frozenset())
        everything = frozenset(self._views)
        self._step("closing the store", opened, lambda store: store.close(), everything, look=False)

    def _step(
        self, name: str, opened: list[_AnyStore], operation: Operation, saved: frozenset[str], *, look: bool = True
    ) -> None:
        noting = Noting(opened[0]) if opened else None
        before = self._views
        try:
            with self._recorder.recording():
                operation(cast("SessionStore", noting))
                if look:
                    self._keys.update(self._views)
                    self._views = read(opened[0], self._keys)
        except Exception as error:  # whatever the store raises is what the step ended with
            for store in opened:
                with contextlib.suppress(Exception):  # it failed already; now it shall hold nothing
                    store.close()
            name = name or "; ".join(noting.noted if noting else ()) or "an operation that called nothing"
            raise StepError(f"{name}: {type(error).__name__}: {error}") from error
        if noting is not None:
            name = name or "; ".join(noting.noted)
            saved = saved | noting.saved
        self.steps.append(Step(name, self._recorder.taken(), before, self._views, saved))
