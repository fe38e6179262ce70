"""Observers around the backend: they see every operation and change none."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Sequence
from typing import Any

import pytest

from sessionkit import (
    BackendUnavailableError,
    Encoded,
    History,
    Message,
    PluginLoadError,
    SessionStore,
    Transform,
    VersionConflict,
    WriteFailedError,
    hookimpl,
)
from sessionkit.plugins.transforms import Kind

from .backends import FlakyBackend, store_on, texts

KEY = "k"
Watch = Generator[None, Any, Any]


def watched(backend: FlakyBackend, *observers: object) -> SessionStore:
    return store_on(backend, extensions=[(f"o{number}", observer) for number, observer in enumerate(observers)])


class Recorder:
    """Writes down what it sees."""

    def __init__(self, seen: list[str], name: str = "") -> None:
        self.seen, self.name = seen, name

    @hookimpl(wrapper=True)
    def sessionkit_add_messages(self, key: str, messages: Any, write_id: str) -> Watch:
        self.seen.append(f"{self.name}before {key} {len(messages)}")
        try:
            result = yield
        except Exception as error:
            self.seen.append(f"{self.name}failed {error}")
            raise
        self.seen.append(f"{self.name}after")
        return result


def test_an_observer_sees_operations_and_their_results(backend: FlakyBackend) -> None:
    seen: list[str] = []
    store = watched(backend, Recorder(seen))
    store.add_message(KEY, "user", "x")
    assert seen == ["before k 1", "after"]


def test_the_first_observer_of_the_configuration_is_the_outermost(backend: FlakyBackend) -> None:
    seen: list[str] = []
    watched(backend, Recorder(seen, "outer "), Recorder(seen, "inner ")).add_message(KEY, "user", "x")
    assert seen == ["outer before k 1", "inner before k 1", "inner after", "outer after"]


def test_an_observer_sees_errors(backend: FlakyBackend) -> None:
    seen: list[str] = []
    store = watched(backend, Recorder(seen))
    backend.fail(BackendUnavailableError("full"))
    store.add_message(KEY, "user", "x")
    assert seen == ["before k 1", "failed full"]


def test_an_observer_that_swallows_an_error_does_not_make_save_lie(backend: FlakyBackend) -> None:
    class Swallow:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self, key: str) -> Watch:
            try:
                yield
            except BackendUnavailableError:
                return "fine"

    store = watched(backend, Swallow())
    backend.fail(BackendUnavailableError("full"))
    store.add_message(KEY, "user", "x")
    with pytest.raises(WriteFailedError):
        store.save(KEY)


def test_an_observer_that_fails_after_its_yield_does_not_get_a_write_repeated(
    backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    class Late:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self, key: str) -> Watch:
            yield
            raise RuntimeError("metrics are down")

    store = watched(backend, Late())
    assert store.add_message(KEY, "user", "x") is not None
    store.save(KEY)
    assert texts(store, KEY) == ["x"]
    assert "extension 'o0' failed after sessionkit_add_messages; the operation's result stands" in caplog.text


def test_an_observer_that_fails_before_its_yield_does_not_stop_the_operation(
    backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    class Early:
        @hookimpl(wrapper=True)
        def sessionkit_get_history(self, key: str) -> Watch:
            if key:
                raise RuntimeError("metrics are down")
            yield

    store = watched(backend, Early())
    store.add_message(KEY, "user", "x")
    assert texts(store, KEY) == ["x"]
    assert "extension 'o0' failed before sessionkit_get_history; the operation goes on" in caplog.text


def test_an_observer_that_raises_something_else_does_not_hide_the_error(backend: FlakyBackend) -> None:
    class Translate:
        @hookimpl(wrapper=True)
        def sessionkit_update_session(self, key: str) -> Watch:
            try:
                return (yield)
            except VersionConflict:
                raise RuntimeError("translated") from None

    store = watched(backend, Translate())
    store.add_message(KEY, "user", "x")
    with pytest.raises(VersionConflict):
        store.update_session(KEY, summary="s", if_version="stale")


def test_an_observer_cannot_replace_a_result(backend: FlakyBackend) -> None:
    class Replace:
        @hookimpl(wrapper=True)
        def sessionkit_get_history(self, key: str) -> Watch:
            yield
            return History(messages=[], start=0, total=0, version="fake")

    store = watched(backend, Replace())
    store.add_message(KEY, "user", "x")
    assert texts(store, KEY) == ["x"]


def test_an_observer_that_returns_nothing_changes_nothing(backend: FlakyBackend) -> None:
    class Silent:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self) -> Watch:
            yield

        @hookimpl(wrapper=True)
        def sessionkit_get_session(self) -> Watch:
            yield

    store = watched(backend, Silent())
    version = store.add_message(KEY, "user", "x")
    assert store.get_session(KEY).version == version


def test_an_observer_that_changes_an_argument_changes_nothing(backend: FlakyBackend) -> None:
    class Vandal:
        @hookimpl(wrapper=True)
        def sessionkit_update_session(self, metadata: dict[str, Any]) -> Watch:
            metadata.clear()
            return (yield)

    store = watched(backend, Vandal())
    store.update_session(KEY, metadata={"kept": True})
    assert store.get_session(KEY).metadata == {"kept": True}


def test_an_observer_that_yields_twice_is_ended(backend: FlakyBackend, caplog: pytest.LogCaptureFixture) -> None:
    class Twice:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self) -> Watch:
            yield
            yield

    store = watched(backend, Twice())
    assert store.add_message(KEY, "user", "x") is not None
    assert "yields a second time; it has to yield exactly once" in caplog.text


def test_an_observer_that_never_yields_is_reported(backend: FlakyBackend, caplog: pytest.LogCaptureFixture) -> None:
    class Never:
        enabled = False

        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self) -> Watch:
            if self.enabled:
                yield

    store = watched(backend, Never())
    assert store.add_message(KEY, "user", "x") is not None
    assert "returned before its yield" in caplog.text


def test_an_observer_sees_what_is_stored_that_is_the_close_too(backend: FlakyBackend) -> None:
    closes: list[str] = []

    class Closing:
        @hookimpl(wrapper=True)
        def sessionkit_close(self) -> Watch:
            closes.append("before")
            yield
            closes.append("after")

        @hookimpl(wrapper=True)
        def sessionkit_save(self, key: str) -> Watch:
            closes.append(f"save {key}")
            return (yield)

    store = watched(backend, Closing())
    store.save(KEY)
    store.close()
    assert closes == ["save k", "before", "after"]
    assert backend.closed == 1


def refused(observer: object) -> str:
    with pytest.raises(PluginLoadError) as error:
        watched(FlakyBackend(), observer)
    return str(error.value)


def test_an_observer_that_is_no_wrapper_is_refused() -> None:
    class Plain:
        @hookimpl
        def sessionkit_get_history(self, key: str) -> History:
            return History(messages=[Message.simple("user", "fake")], start=0, total=1, version="x")

    assert refused(Plain()) == (
        "extension 'o0': sessionkit_get_history is not a wrapper; an observer marks its hooks with "
        "@hookimpl(wrapper=True)"
    )


@pytest.mark.parametrize(("first", "last"), [(True, False), (False, True)])
def test_an_observer_that_asks_for_a_place_is_refused(first: bool, last: bool) -> None:
    class Pushy:
        @hookimpl(wrapper=True, tryfirst=first, trylast=last)
        def sessionkit_get_history(self, key: str) -> Watch:
            return (yield)

    assert refused(Pushy()) == (
        "extension 'o0': sessionkit_get_history asks for tryfirst or trylast; the order of extensions is configuration"
    )


def test_an_observer_with_a_misspelt_hook_is_refused() -> None:
    class Typo:
        @hookimpl(wrapper=True)
        def sessionkit_add_message(self, key: str) -> Watch:
            return (yield)

    assert refused(Typo()) == (
        "extension 'o0': sessionkit_add_message is no hook; sessionkit_add_messages was probably meant"
    )


def test_an_observer_with_an_unknown_argument_is_refused() -> None:
    class Typo:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self, session: str) -> Watch:
            return (yield)

    assert refused(Typo()) == (
        "extension 'o0': sessionkit_add_messages has an argument session that the hook does not pass"
    )


def test_an_observer_without_any_hook_is_refused() -> None:
    assert refused(object()) == (
        "extension 'o0' is neither a Transform nor an observer: it has no method marked with @hookimpl(wrapper=True)"
    )


class Reentrant:
    """Uses the store once from inside an append, in place of the observer's own business."""

    def __init__(self) -> None:
        self.use: Callable[[], object] | None = None
        self.came_of_it: object = None

    @hookimpl(wrapper=True)
    def sessionkit_add_messages(self) -> Watch:
        if self.use is not None:
            use, self.use = self.use, None
            try:
                self.came_of_it = use()
            except WriteFailedError as error:
                self.came_of_it = error
        return (yield)


@pytest.mark.parametrize("operation", ["save", "add", "delete", "discard", "held"])
def test_an_observer_that_uses_the_store_while_a_held_write_is_repeated_doubles_and_loses_none(
    backend: FlakyBackend, operation: str
) -> None:
    observer = Reentrant()
    store = watched(backend, observer)
    backend.fail(BackendUnavailableError("full"))
    store.add_message(KEY, "user", "a")
    store.add_message(KEY, "user", "b")
    backend.fail(None)
    uses: dict[str, Callable[[], object]] = {
        "save": lambda: store.save(KEY),
        "add": lambda: store.add_message(KEY, "user", "c"),
        "delete": lambda: store.delete_session(KEY),
        "discard": lambda: len(store.discard_held(KEY)),
        "held": lambda: len(store.held(KEY)),
    }
    observer.use = uses[operation]
    store.save(KEY)
    expected = {"add": ["a", "b", "c"], "discard": ["a"]}.get(operation, ["a", "b"])
    assert texts(store, KEY) == expected
    assert store.held(KEY) == ()
    told = {"add": None, "discard": 1, "held": 2}
    if operation in told:
        assert observer.came_of_it == told[operation]
    else:
        assert isinstance(observer.came_of_it, WriteFailedError)
    store.close()


def test_observers_that_save_inside_a_write_do_not_wait_for_each_other(backend: FlakyBackend) -> None:
    both_inside = threading.Barrier(2)

    class Saving:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self, key: str) -> Watch:
            both_inside.wait(30)
            store.save(key)
            return (yield)

    store = watched(backend, Saving())
    writers = [threading.Thread(target=store.add_message, args=(KEY, "user", "x"), daemon=True) for _ in range(2)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert texts(store, KEY) == ["x", "x"]


def test_an_observer_that_changes_the_lists_it_is_shown_changes_nothing(
    backend: FlakyBackend, caplog: pytest.LogCaptureFixture
) -> None:
    class Vandal:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self, messages: Any) -> Watch:
            messages.clear()
            yield

        @hookimpl(wrapper=True)
        def sessionkit_get_history(self) -> Watch:
            history = yield
            history.messages.clear()

        @hookimpl(wrapper=True)
        def sessionkit_list_sessions(self) -> Watch:
            page = yield
            page.sessions.clear()

    class Wrapped(Transform):
        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            return [Encoded(item) for item in items]

        def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
            return payloads

    store = store_on(backend, extensions=[("vandal", Vandal()), ("wrapped", Wrapped())])
    store.add_message(KEY, "user", "x")
    assert texts(store, KEY) == ["x"]
    assert [info.key for info in store.list_sessions()] == [KEY]
    assert len(caplog.records) == 3


def test_an_interrupt_while_an_observer_looks_at_an_error_is_not_swallowed(backend: FlakyBackend) -> None:
    class Interrupted:
        @hookimpl(wrapper=True)
        def sessionkit_add_messages(self) -> Watch:
            try:
                return (yield)
            except BackendUnavailableError:
                raise KeyboardInterrupt from None

    store = watched(backend, Interrupted())
    backend.fail(BackendUnavailableError("full"))
    with pytest.raises(KeyboardInterrupt):
        store.add_message(KEY, "user", "x")


def test_an_observer_may_pass_on_an_interrupt(backend: FlakyBackend) -> None:
    seen: list[str] = []
    store = watched(backend, Recorder(seen))
    backend.fail(KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        store.add_message(KEY, "user", "x")
    assert seen == ["before k 1"]


def test_an_observer_may_close_the_store_from_inside_an_operation(backend: FlakyBackend) -> None:
    class Closing:
        @hookimpl(wrapper=True)
        def sessionkit_get_history(self) -> Watch:
            result = yield
            store.close()
            return result

    store = watched(backend, Closing())
    reader = threading.Thread(target=store.get_history, args=(KEY,), daemon=True)
    reader.start()
    reader.join(30)
    assert not reader.is_alive()
    assert backend.closed == 1
