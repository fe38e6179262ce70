"""What pluggy lets pass and the core refuses when a store opens: each fault has its own sentence."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sessionkit import (
    Backend,
    BackendUnavailableError,
    PluginLoadError,
    UnsupportedOperationError,
    VersionConflict,
    hookimpl,
)
from sessionkit.hookspecs import REQUIRED_HOOKS, SINCE
from sessionkit.memory import MemoryBackend
from sessionkit.plugins.implementations import PARAMETERS
from sessionkit.sessions import History, Session
from sessionkit.store import SessionStore
from sessionkit.store.runtime import Recipe

UPDATE = PARAMETERS["sessionkit_update_session"]


def open_on(backend: object, api_version: tuple[int, int] = (1, 0)) -> SessionStore:
    return SessionStore(
        Recipe(
            name="acme",
            source="acme 1.0",
            backend=lambda: backend,  # type: ignore[arg-type, return-value]
            api_version=api_version,
        )
    )


def refused(**hooks: Any) -> str:
    """The error for a memory backend with other implementations of some hooks."""
    with pytest.raises(PluginLoadError) as error:
        open_on(type("Acme", (MemoryBackend,), hooks)())
    return str(error.value)


def test_the_memory_backend_fits() -> None:
    open_on(MemoryBackend()).close()


def test_an_implementation_that_lacks_an_argument_is_refused() -> None:
    @hookimpl
    def sessionkit_delete_session(self: Any) -> bool:
        return True

    assert refused(sessionkit_delete_session=sessionkit_delete_session) == (
        "backend 'acme': sessionkit_delete_session lacks the argument key; it is called with key, if_version"
    )


def test_an_implementation_that_lacks_if_version_is_refused() -> None:
    @hookimpl
    def update(
        self: Any,
        key: str,
        messages: Any,
        summary: Any,
        metadata: Any,
        aliases: Any,
        created: Any,
        updated: Any,
        write_id: str,
    ) -> str:
        return "v"

    assert refused(sessionkit_update_session=update) == (
        "backend 'acme': sessionkit_update_session lacks the argument if_version; it is called with key, messages, "
        "summary, metadata, aliases, created, updated, if_version, write_id"
    )


def test_a_keyword_only_argument_is_refused() -> None:
    @hookimpl
    def get_session(self: Any, key: str, *, limit: int | None) -> Session:
        return Session(key=key)

    assert refused(sessionkit_get_session=get_session) == (
        "backend 'acme': sessionkit_get_session makes limit keyword-only, so that it never gets it; remove the *"
    )


def test_a_default_is_refused() -> None:
    @hookimpl
    def get_session(self: Any, key: str, limit: int | None = None) -> Session:
        return Session(key=key)

    assert refused(sessionkit_get_session=get_session) == (
        "backend 'acme': sessionkit_get_session gives limit a default, so that it may never get it; remove the default"
    )


def test_a_misspelt_argument_is_refused() -> None:
    @hookimpl
    def get_session(self: Any, key: str, limits: int | None) -> Session:
        return Session(key=key)

    assert refused(sessionkit_get_session=get_session) == (
        "backend 'acme': sessionkit_get_session has an argument limits that the hook does not pass; "
        "limit was probably meant"
    )


@pytest.mark.parametrize("stars", ["*", "**"])
def test_starred_arguments_are_refused(stars: str) -> None:
    @hookimpl
    def positional(self: Any, *rest: Any) -> bool:
        return True

    @hookimpl
    def keywords(self: Any, **rest: Any) -> bool:
        return True

    assert refused(sessionkit_delete_session=positional if stars == "*" else keywords) == (
        f"backend 'acme': sessionkit_delete_session takes {stars}rest, which gets nothing; name the arguments"
    )


def test_an_async_implementation_is_refused() -> None:
    @hookimpl
    async def delete(self: Any, key: str) -> bool:
        return True

    assert refused(sessionkit_delete_session=delete) == (
        "backend 'acme': sessionkit_delete_session is async; hooks are plain functions, called in a thread"
    )


def test_a_generator_is_refused() -> None:
    @hookimpl
    def delete(self: Any, key: str) -> Any:
        yield True

    assert refused(sessionkit_delete_session=delete) == (
        "backend 'acme': sessionkit_delete_session is a generator; return the value instead of yielding it"
    )


def test_a_wrapper_is_refused() -> None:
    @hookimpl(wrapper=True)
    def delete(self: Any, key: str) -> Any:
        return (yield)

    assert refused(sessionkit_delete_session=delete) == (
        "backend 'acme': sessionkit_delete_session is a wrapper; a backend implements hooks, an extension wraps them"
    )


def test_an_undecorated_hook_is_refused() -> None:
    def delete(self: Any, key: str) -> bool:
        return True

    assert refused(sessionkit_delete_session=delete) == (
        "backend 'acme': sessionkit_delete_session lacks its mark; put @hookimpl above it"
    )


def test_a_misspelt_hook_is_refused() -> None:
    @hookimpl
    def save(self: Any, key: str) -> bool:
        return True

    assert refused(sessionkit_saves=save) == (
        "backend 'acme': sessionkit_saves is no hook; sessionkit_save was probably meant"
    )


def test_a_specname_is_refused() -> None:
    @hookimpl(specname="sessionkit_save")
    def save(self: Any, key: str) -> bool:
        return True

    assert refused(sessionkit_save=save) == (
        "backend 'acme': sessionkit_save uses specname; name the method for the hook it implements"
    )


def test_a_backend_that_lacks_required_hooks_is_refused_with_their_names() -> None:
    class Half(Backend):
        @hookimpl
        def sessionkit_delete_session(self, key: str, if_version: str | None) -> bool:
            return True

    with pytest.raises(PluginLoadError) as error:
        open_on(Half())  # type: ignore[abstract]
    assert str(error.value) == (
        "backend 'acme' does not implement sessionkit_add_messages, sessionkit_get_history, sessionkit_get_session, "
        "sessionkit_list_sessions, sessionkit_truncate_history, sessionkit_update_session"
    )


def test_some_hooks_are_optional() -> None:
    assert set(PARAMETERS) - REQUIRED_HOOKS == {
        "sessionkit_save",
        "sessionkit_compact",
        "sessionkit_verify",
        "sessionkit_repair",
        "sessionkit_sift",
        "sessionkit_list_headings",
        "sessionkit_diagnose",
        "sessionkit_close",
    }
    with open_on(MemoryBackend()) as store:
        store.save("k")


def test_a_backend_need_not_derive_from_the_base_class() -> None:
    class Duck:
        def __init__(self) -> None:
            self._inner = MemoryBackend()

    for name in REQUIRED_HOOKS:
        setattr(Duck, name, getattr(MemoryBackend, name))
    Duck.__getattr__ = lambda self, name: getattr(self._inner, name)  # type: ignore[attr-defined]
    with open_on(Duck()) as store:
        store.add_message("k", "user", "x")
        assert store.get_history("k")[0].text == "x"


def test_a_decorated_implementation_that_tells_its_signature_fits() -> None:
    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(*args: Any, **kwargs: Any) -> Any:
            calls.append(function.__name__)
            return function(*args, **kwargs)

        return call

    calls: list[str] = []
    hooks = {"sessionkit_delete_session": counted(MemoryBackend.sessionkit_delete_session)}
    with open_on(type("Acme", (MemoryBackend,), hooks)()) as store:
        assert not store.delete_session("k")
    assert calls == ["sessionkit_delete_session"]


def test_a_backend_that_cannot_be_made_fails_with_its_source_and_cause() -> None:
    def broken() -> Backend:
        raise RuntimeError("no such luck")

    with pytest.raises(PluginLoadError) as error:
        SessionStore(Recipe(name="acme", source="acme-sessions 1.0", backend=broken))
    assert str(error.value) == "backend 'acme' (acme-sessions 1.0) could not be made: RuntimeError: no such luck"
    assert isinstance(error.value.__cause__, RuntimeError)


def test_a_backend_that_is_refused_is_closed() -> None:
    class Open(MemoryBackend):
        closed = False

        @hookimpl
        def sessionkit_close(self) -> None:
            self.closed = True

        def sessionkit_typo(self) -> None:
            """No hook."""

    backend = Open()
    with pytest.raises(PluginLoadError):
        open_on(backend)
    assert backend.closed


class Older(MemoryBackend):
    """A backend from before ``if_version`` was, had it come with version 1.1."""

    @hookimpl
    def sessionkit_update_session(  # type: ignore[override]
        self,
        key: str,
        messages: Any,
        summary: Any,
        metadata: Any,
        aliases: Any,
        created: Any,
        updated: Any,
        write_id: str,
    ) -> str:
        return super().sessionkit_update_session(
            key, messages, summary, metadata, aliases, created, updated, None, write_id
        )


@pytest.fixture
def _if_version_is_new(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SINCE, ("sessionkit_update_session", "if_version"), ((1, 1), None))


@pytest.mark.usefixtures("_if_version_is_new")
def test_a_backend_of_an_earlier_api_version_may_lack_a_later_argument() -> None:
    with open_on(Older(), api_version=(1, 0)) as store:
        store.update_session("k", summary="s")
        assert store.get_summary("k") == "s"


@pytest.mark.usefixtures("_if_version_is_new")
def test_using_an_argument_that_the_backend_lacks_is_refused_before_the_call() -> None:
    with open_on(Older(), api_version=(1, 0)) as store:
        with pytest.raises(UnsupportedOperationError) as error:
            store.update_session("k", summary="s", if_version="stale")
        assert str(error.value) == (
            "backend 'acme' was written for an earlier version of the plugin API: its sessionkit_update_session does "
            "not know if_version; upgrade it"
        )
        assert not store.get_session("k").exists


@pytest.mark.usefixtures("_if_version_is_new")
def test_a_backend_of_the_later_api_version_may_not_lack_it() -> None:
    with pytest.raises(PluginLoadError, match="lacks the argument if_version"):
        open_on(Older(), api_version=(1, 1))


def test_a_stale_if_version_never_overwrites() -> None:
    with open_on(MemoryBackend()) as store:
        stale = store.add_message("k", "user", "a")
        store.add_message("k", "user", "b")
        with pytest.raises(VersionConflict):
            store.set_history("k", [], if_version=stale)
        assert len(store.get_history("k")) == 2


def test_every_hook_has_a_docstring_that_speaks_of_each_argument() -> None:
    for name, parameters in PARAMETERS.items():
        documentation = getattr(Backend, name).__doc__ or ""
        for parameter in parameters:
            assert parameter in documentation or len(parameters) == 1, f"{name} does not document {parameter}"


def test_an_argument_by_position_only_is_refused() -> None:
    class Positional(MemoryBackend):
        @hookimpl
        def sessionkit_get_history(self, key: str, /, start: int, limit: int | None) -> History:
            return super().sessionkit_get_history(key, start, limit)

    with pytest.raises(PluginLoadError, match="makes key positional-only, and hooks are called by name; remove the /"):
        open_on(Positional())


def test_something_callable_that_is_no_function_is_refused_because_pluggy_passes_over_it() -> None:
    def delete(key: str) -> bool:
        return True

    backend = MemoryBackend()
    backend.sessionkit_delete_session = hookimpl(functools.partial(delete))  # type: ignore[method-assign]
    with pytest.raises(PluginLoadError, match="sessionkit_delete_session is no plain function"):
        open_on(backend)


def test_a_decorator_may_take_the_arguments_by_position() -> None:
    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def call(self: object, *args: Any) -> Any:
            calls.append(function.__name__)
            return function(self, *args)

        return call

    class Counted(MemoryBackend):
        @hookimpl
        @counted
        def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
            return super().sessionkit_get_history(key, start, limit)

    calls: list[str] = []
    with open_on(Counted()) as store:
        assert store.get_history("k") == []
    assert calls == ["sessionkit_get_history"]


def test_an_error_of_the_backends_own_passes_as_it_is() -> None:
    error = BackendUnavailableError("the server says no")

    def make() -> Backend:
        raise error

    with pytest.raises(BackendUnavailableError) as raised:
        SessionStore(Recipe(name="acme", source="acme 1.0", backend=make))
    assert raised.value is error


def test_an_asynchronous_generator_is_refused() -> None:
    @hookimpl
    async def sessionkit_delete_session(self: Any, key: str) -> AsyncIterator[bool]:
        yield True

    assert refused(sessionkit_delete_session=sessionkit_delete_session) == (
        "backend 'acme': sessionkit_delete_session is async; hooks are plain functions, called in a thread"
    )
