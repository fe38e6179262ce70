"""``diagnose``: what the backend tells, and what the store knows of itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest

from sessionkit.aio import AsyncSessionStore
from sessionkit.errors import BackendUnavailableError, StoreClosedError, StoreError
from sessionkit.findings import Finding, Level
from sessionkit.hookspecs import REQUIRED_HOOKS, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.store import SessionStore
from sessionkit.store.runtime import Recipe

from .backends import FlakyBackend, store_on

SOUND = Finding.ok("disk", "it is there")


class Telling(MemoryBackend):
    """Tells what a test says."""

    def __init__(self, told: Any) -> None:
        super().__init__()
        self.told = told

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        told: Sequence[Finding] = self.told
        return told


class Earlier:
    """A backend of the first version of the plugin API: the hooks that there were, and no base class."""

    def __init__(self) -> None:
        inner = MemoryBackend()
        self.__dict__.update({name: getattr(inner, name) for name in REQUIRED_HOOKS})


def test_a_store_tells_what_its_backend_tells() -> None:
    with store_on(Telling((SOUND,))) as store:
        assert store.diagnose() == [SOUND]


def test_a_backend_of_an_earlier_version_has_nothing_to_say() -> None:
    recipe = Recipe(name="earlier", source="tests", backend=Earlier, api_version=(1, 0))  # type: ignore[arg-type]
    with SessionStore(recipe) as store:
        store.add_message("k", "user", "hello")
        assert store.diagnose() == []


@pytest.mark.parametrize("wrong", [None, "sound", ["sound"], SOUND])
def test_another_kind_of_answer_is_a_fault_of_the_backend(wrong: Any) -> None:
    with store_on(Telling(wrong)) as store, pytest.raises(StoreError, match="not a list of Finding; this is a fault"):
        store.diagnose()


def test_writes_that_are_held_are_a_problem() -> None:
    backend = FlakyBackend()
    backend.fail(BackendUnavailableError("no disk"))
    store = store_on(backend)
    store.add_message("a", "user", "one")
    store.add_message("a", "user", "two")
    (finding, _) = store.diagnose()
    assert (finding.level, finding.check) == (Level.PROBLEM, "held writes")
    assert finding.found == "2 writes to 1 session wait to be stored"
    backend.fail(None)
    store.close()


def test_a_closed_store_tells_nothing() -> None:
    store = store_on(MemoryBackend())
    store.close()
    with pytest.raises(StoreClosedError):
        store.diagnose()


def test_a_coroutine_tells_the_same() -> None:
    async def ask() -> list[Finding]:
        async with AsyncSessionStore(store_on(Telling([SOUND]))) as store:
            return await store.diagnose()

    assert asyncio.run(ask()) == [SOUND]
