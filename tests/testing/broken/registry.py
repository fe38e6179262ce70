"""All broken stores, each with the clauses that are meant to catch it."""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable
from typing import Final, TypeVar

import attrs

from .sqlite import BufferedStore, SqliteStore
from .stores import MemoryStore, Steps

MODULES: Final = (
    "writing",
    "truncating",
    "reading",
    "contents",
    "keys",
    "versions",
    "listing",
    "persistence",
    "threads",
    "processes",
    "faults",
    "diagnosis",
    "mending",
    "searching",
    "model",
)

CORRECT: Final[tuple[type[Steps], ...]] = (MemoryStore, SqliteStore, BufferedStore)
"""Stores that must pass the whole suite."""

_S = TypeVar("_S", bound=type[Steps])


@attrs.frozen
class BrokenStore:
    """A store with a fault.

    Attributes:
        store: its class.
        clauses: the clauses that must fail on it.
        raises: names of the errors, other than failed assertions, with which a clause may fail.
    """

    store: type[Steps]
    clauses: tuple[str, ...]
    raises: tuple[str, ...]

    @property
    def fault(self) -> str:
        """The fault in one sentence."""
        return (self.store.__doc__ or "").strip().partition("\n")[0]


_BROKEN: dict[str, BrokenStore] = {}


def caught_by(*clauses: str, raises: str = "") -> Callable[[_S], _S]:
    """Register a broken store with the clauses that are meant for it, and the error that they may end with."""

    def register(store: _S) -> _S:
        assert store.__name__ not in _BROKEN
        _BROKEN[store.__name__] = BrokenStore(store, clauses, (raises,) if raises else ())
        return store

    return register


def broken_stores() -> dict[str, BrokenStore]:
    """All of them, by the names of their classes."""
    for module in MODULES:
        importlib.import_module(f".{module}", __package__)
    return dict(_BROKEN)


def plugin_name(store: type[Steps]) -> str:
    """The name under which a store is installed: ``LosesTheLast`` is ``loses-the-last``."""
    return re.sub(r"(?<!^)(?=[A-Z])", "-", store.__name__).lower()


def entry_points() -> dict[str, str]:
    """The entry points of all stores, as metadata write them; ``broken`` is the package of this module."""
    stores = [*CORRECT, *(broken.store for broken in broken_stores().values())]
    return {
        plugin_name(store): f"broken.{store.__module__.rpartition('.')[2]}:{store.__name__}.plugin" for store in stores
    }
