"""The table of mistakes in the guide for authors of backends: each makes exactly the error that is shown."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sessionkit import Message, SessionKitError, SessionStore, hookimpl
from sessionkit.hookspecs import REQUIRED_HOOKS
from sessionkit.memory import MemoryBackend
from sessionkit.plugins.discovery import load_backend
from sessionkit.store.runtime import Recipe

from .markdown import ROOT

_ROW = re.compile(r"^\| (.+?) \| `(.+)` \|$", re.MULTILINE)


def shown() -> dict[str, str]:
    """The rows of the table: mistake and error."""
    text = (ROOT / "docs/how-to/write-a-backend.md").read_text("utf-8")
    return dict(_ROW.findall(text.partition("\n## Mistakes")[2].partition("\n## ")[0]))


class Hooks:
    """Implementations with a mistake each; in the right place they are called by the name of a hook."""

    def unmarked(self, key: str) -> bool:
        return True

    @hookimpl
    def argument_missing(self) -> bool:
        return True

    @hookimpl
    def argument_misspelt(self, key: str, limits: int | None) -> None: ...

    @hookimpl
    def default(self, key: str, limit: int | None = None) -> None: ...

    @hookimpl
    def keyword_only(self, key: str, *, limit: int | None) -> None: ...

    @hookimpl
    def starred(self, **kwargs: Any) -> bool:
        return True

    @hookimpl
    async def coroutine(self, key: str) -> bool:
        return True

    @hookimpl
    def generator(self, key: str) -> Iterator[bool]:
        yield True

    @hookimpl(wrapper=True)
    def wrapper(self, key: str) -> Any:
        return (yield)

    @hookimpl
    def saves(self, key: str) -> bool:
        return True

    @hookimpl
    def reads_none(self, key: str, limit: int | None) -> None: ...

    @hookimpl
    def writes_none(self, key: str, messages: list[Message], write_id: str) -> None: ...


IMPORT, MAKE = "from sessionkit import BackendPlugin\n", "factory=lambda options: None"
DELETE, SESSION = "sessionkit_delete_session", "sessionkit_get_session"


def with_hook(name: str, function: Callable[..., Any]) -> Callable[[Any], None]:
    """Open a store on a backend with another implementation of a hook, and use it."""

    def use(site: Any) -> None:
        backend = type("Acme", (MemoryBackend,), {name: function})
        with SessionStore(Recipe(name="acme", source="acme", backend=backend, on_write_error="raise")) as store:
            store.get_session("k")
            store.add_message("k", "user", "x")

    return use


def without_a_hook(site: Any) -> None:
    hooks = {name: getattr(MemoryBackend, name) for name in REQUIRED_HOOKS - {DELETE}}
    SessionStore(Recipe(name="acme", source="acme", backend=type("Acme", (), hooks)))


def failing_factory(site: Any) -> None:
    def make() -> MemoryBackend:
        raise ValueError("no such place")

    SessionStore(Recipe(name="acme", source="sessionkit-acme 0.1.0", backend=make))


def load(*distributions: str, code: str) -> Callable[[Any], None]:
    """Load ``acme`` where only these distributions offer it, from a module with this code."""

    def use(site: Any) -> None:
        for distribution in distributions:
            module = distribution.replace("-", "_")
            site.install(distribution, backends={"acme": f"{module}:plugin"}, modules={module: code}, version="0.1.0")
        load_backend("acme")

    return use


MISTAKES: dict[str, Callable[[Any], None]] = {
    "a required hook is missing": without_a_hook,
    "a hook without `@hookimpl`": with_hook(DELETE, Hooks.unmarked),
    "a misspelt hook": with_hook("sessionkit_saves", Hooks.saves),
    "a missing argument": with_hook(DELETE, Hooks.argument_missing),
    "a misspelt argument": with_hook(SESSION, Hooks.argument_misspelt),
    "an argument with a default": with_hook(SESSION, Hooks.default),
    "a keyword-only argument": with_hook(SESSION, Hooks.keyword_only),
    "`**kwargs`": with_hook(DELETE, Hooks.starred),
    "an `async` hook": with_hook(DELETE, Hooks.coroutine),
    "a hook with `yield`": with_hook(DELETE, Hooks.generator),
    "a wrapper": with_hook(DELETE, Hooks.wrapper),
    "a factory that fails": failing_factory,
    "an entry point that names something else": load("sessionkit-acme", code="class plugin: pass"),
    "options that are no attrs class": load(
        "sessionkit-acme", code=f"{IMPORT}plugin = BackendPlugin(options=int, {MAKE})"
    ),
    "the package is not installed": load(code=""),
    "two packages with one name": load("sessionkit-acme", "sessionkit-other", code=""),
    "a read that returns None": with_hook(SESSION, Hooks.reads_none),
    "a write that returns None": with_hook("sessionkit_add_messages", Hooks.writes_none),
}


def test_every_mistake_of_the_table_is_made_here() -> None:
    assert sorted(MISTAKES) == sorted(shown())


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_makes_the_error_that_is_shown(mistake: str, site: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("sessionkit_acme", "sessionkit_other"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    with pytest.raises(SessionKitError) as error:
        MISTAKES[mistake](site)
    assert str(error.value) == shown()[mistake]
