"""``AsyncSessionStore``: order, cancellation, closing."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import logging
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

import pytest

from sessionkit import (
    AsyncSessionStore,
    Backend,
    Message,
    SessionStore,
    StoreClosedError,
    UnknownBackendError,
    Version,
    VersionConflict,
    hookimpl,
)
from sessionkit import open_async_store as open_async_store_again
from sessionkit.aio import THREADS, open_async_store
from sessionkit.memory import MemoryBackend
from sessionkit.store.runtime import Recipe

_T = TypeVar("_T")


class SlowBackend(MemoryBackend):
    """Waits in an append until it is let go; then it may fail."""

    def __init__(self) -> None:
        super().__init__()
        self.arrived = threading.Event()
        self.go_on = threading.Event()
        self.go_on.set()
        self.error: Exception | None = None

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        if key.startswith("slow"):
            self.arrived.set()
            assert self.go_on.wait(30)
            if self.error is not None:
                raise self.error
        return super().sessionkit_add_messages(key, messages, write_id)


def on(backend: Backend) -> AsyncSessionStore:
    recipe = Recipe(name="test", source="tests", backend=lambda: backend, on_write_error="raise")
    return AsyncSessionStore(SessionStore(recipe))


def run(program: Callable[[AsyncSessionStore, SlowBackend], Awaitable[_T]]) -> _T:
    async def main() -> _T:
        backend = SlowBackend()
        async with on(backend) as store:
            return await program(store, backend)

    return asyncio.run(main())


async def arrived(backend: SlowBackend) -> None:
    await asyncio.to_thread(backend.arrived.wait, 30)


def test_every_operation_of_the_store_is_there() -> None:
    public = {name for name in dir(SessionStore) if not name.startswith("_")}
    assert public == {name for name in vars(AsyncSessionStore) if not name.startswith("_")}


def test_open_async_store_is_public() -> None:
    assert open_async_store_again is open_async_store


def test_all_operations_do_what_the_store_does() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        await store.add_message("k", "user", "a")
        await store.add_full_message("k", {"role": "user", "content": "b"})
        await store.add_messages("k", [Message.simple("user", text) for text in "cde"])
        session = await store.get_session("k")
        await store.summarize("k", session, 1, "a was said")
        assert await store.get_summary("k") == "a was said"
        assert [message.text for message in await store.get_history("k", 2)] == ["d", "e"]
        assert [message.text async for message in store.iter_history("k")] == ["b", "c", "d", "e"]
        page = await store.get_history_page("k", 1, 2)
        assert ([message.text for message in page.messages], page.total) == (["c", "d"], 4)
        await store.truncate_history("k", 3)
        assert [message.text for message in await store.pop_messages("k")] == ["e"]
        await store.set_summary("k", "s")
        await store.update_session("k", metadata={"m": 1}, aliases=["nick"])
        assert await store.resolve("nick") == "k"
        await store.fork_session("k", "copy", keep_first=1)
        assert [info.key async for info in store.list_sessions()] == ["copy", "k"]
        assert (await store.get_or_create("new")).exists
        with pytest.raises(VersionConflict):
            await store.delete_session("new", if_version="another")
        assert await store.delete_session("new")
        await store.set_history("k", [])
        await store.save("k")
        assert await store.compact("k") == 0
        assert [damage async for damage in store.verify()] == [damage async for damage in store.repair(["k"])] == []
        assert await store.held("k") == await store.discard_held("k") == ()

    run(program)


def test_writes_of_one_session_run_in_the_order_of_the_calls() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> list[str]:
        await asyncio.gather(*(store.add_message("k", "user", str(number)) for number in range(200)))
        return [message.text for message in await store.get_history("k")]

    assert run(program) == [str(number) for number in range(200)]


def test_one_slow_session_does_not_hold_up_others_or_the_loop() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        backend.go_on.clear()
        slow = asyncio.create_task(store.add_message("slow", "user", "x"))
        await arrived(backend)
        await store.add_message("other", "user", "y")
        assert not slow.done()
        backend.go_on.set()
        await slow

    run(program)


def test_more_sessions_than_threads_all_get_their_turn() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> list[int]:
        keys = [f"k{number}" for number in range(THREADS * 3)]
        await asyncio.gather(*(store.add_message(key, "user", "x") for key in keys for _ in range(5)))
        return [len(await store.get_history(key)) for key in keys]

    assert run(program) == [5] * THREADS * 3


def test_cancelling_ends_the_waiting_and_not_the_write() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> list[str]:
        backend.go_on.clear()
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        queued = asyncio.create_task(store.add_message("slow", "user", "b"))
        await arrived(backend)
        writing.cancel()
        queued.cancel()
        for task in (writing, queued):
            with pytest.raises(asyncio.CancelledError):
                await task
        backend.go_on.set()
        return [message.text for message in await store.get_history("slow")]

    assert run(program) == ["a", "b"]


def test_a_timeout_ends_the_waiting_and_not_the_write() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> int:
        backend.go_on.clear()
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(store.add_message("slow", "user", "a"), 0.01)
        backend.go_on.set()
        return len(await store.get_history("slow"))

    assert run(program) == 1


def test_a_write_that_fails_after_its_caller_left_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        backend.go_on.clear()
        backend.error = OSError("disk full")
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        await arrived(backend)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        backend.go_on.set()
        await store.get_history("slow")

    run(program)
    (record,) = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert record.getMessage() == "an operation whose caller stopped waiting failed: OSError: disk full"


def test_errors_reach_the_caller() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        backend.error = OSError("disk full")
        with pytest.raises(OSError, match="disk full"):
            await store.add_message("slow", "user", "a")

    run(program)


def test_messages_are_taken_as_they_are_at_the_call() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> list[str]:
        backend.go_on.clear()
        message: dict[str, Any] = {"role": "user", "content": "before"}
        first = asyncio.create_task(store.add_message("slow", "user", "first"))
        await arrived(backend)
        second = asyncio.create_task(store.add_full_message("slow", message))
        await asyncio.sleep(0)
        message["content"] = "after"
        backend.go_on.set()
        await asyncio.gather(first, second)
        return [message.text for message in await store.get_history("slow")]

    assert run(program) == ["first", "before"]


def test_close_finishes_what_was_begun_and_takes_nothing_more() -> None:
    async def main() -> None:
        backend = SlowBackend()
        store = on(backend)
        backend.go_on.clear()
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        await arrived(backend)
        closing = asyncio.create_task(store.close())
        second = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        assert not closing.done()
        backend.go_on.set()
        await asyncio.gather(writing, closing, second)
        await store.close()
        assert backend.sessionkit_get_history("slow", 0, None).total == 1
        with pytest.raises(StoreClosedError):
            await store.add_message("k", "user", "x")

    asyncio.run(main())


def test_one_store_serves_two_event_loops() -> None:
    store = on(SlowBackend())

    async def program() -> int:
        await store.add_message("k", "user", "x")
        return len(await store.get_history("k"))

    assert [asyncio.run(program()), asyncio.run(program())] == [1, 2]
    asyncio.run(store.close())


def test_a_wrong_argument_raises_when_it_is_awaited() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        with pytest.raises(TypeError, match="messages is a list of messages, not one Message"):
            await store.add_messages("k", Message.simple("user", "x"))  # type: ignore[arg-type]

    run(program)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_child_has_threads_of_its_own() -> None:
    async def open_and_write() -> AsyncSessionStore:
        store = await open_async_store("memory:")
        await store.add_message("k", "user", "parent's")
        return store

    async def check(store: AsyncSessionStore) -> bool:
        await store.add_message("k", "user", "child's")
        alone = [message.text for message in await store.get_history("k")] == ["child's"]
        await store.close()
        return alone

    store = asyncio.run(open_and_write())
    child = os.fork()
    if child == 0:
        os._exit(0 if asyncio.run(check(store)) else 1)
    _, status = os.waitpid(child, 0)
    asyncio.run(store.close())
    assert os.waitstatus_to_exitcode(status) == 0


def test_what_a_key_cannot_be_raises_and_the_store_can_be_closed() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        with pytest.raises(TypeError):
            await store.get_history(["k"])  # type: ignore[arg-type]
        await asyncio.wait_for(store.close(), 30)

    run(program)


def test_a_backend_that_raises_stop_iteration_does_not_let_its_caller_wait_for_ever() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> None:
        backend.error = StopIteration()
        with pytest.raises(RuntimeError, match="the operation raised StopIteration"):
            await asyncio.wait_for(store.add_message("slow", "user", "a"), 30)

    run(program)


def test_what_was_taken_is_written_when_the_interpreter_exits_without_a_close() -> None:
    program = """
import asyncio, atexit, time
from sessionkit import AsyncSessionStore, SessionStore
from sessionkit.memory import MemoryBackend
from sessionkit.store.runtime import Recipe

backend = MemoryBackend()
begun = []

async def main():
    store = AsyncSessionStore(SessionStore(Recipe(name="test", source="tests", backend=lambda: backend)))
    tasks = [asyncio.create_task(store.add_message("k", "user", str(number))) for number in range(500)]
    await tasks[0]

asyncio.run(main())
atexit.register(lambda: print(backend.sessionkit_get_history("k", 0, None).total))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("500\n", "")


def test_using_a_store_while_the_interpreter_exits_raises_and_closing_it_does_not_hang() -> None:
    program = """
import asyncio, atexit
from sessionkit import open_async_store

store = asyncio.run(open_async_store("memory:"))

def late():
    async def use():
        try:
            await store.add_message("k", "user", "x")
        except RuntimeError:
            print("refused")
        try:
            await store.close()
        except RuntimeError:  # from Python 3.12 on, no thread begins any more
            pass
        print("closed")
    asyncio.run(use())

atexit.register(late)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("refused\nclosed\n", "")


def test_no_thread_is_left_when_close_returns() -> None:
    async def main() -> set[threading.Thread]:
        before = set(threading.enumerate())
        store = on(SlowBackend())
        await asyncio.gather(*(store.add_message(f"k{number}", "user", "x") for number in range(THREADS)))
        await store.close()
        return {thread for thread in set(threading.enumerate()) - before if thread.name != "sessionkit-close"}

    assert asyncio.run(main()) == set()


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy, pickle.dumps])
def test_an_async_store_is_not_copied_or_pickled(duplicate: Callable[[object], object]) -> None:
    store = on(SlowBackend())
    with pytest.raises(TypeError, match=r"cannot be copied or pickled; open another one with open_async_store\(\)"):
        duplicate(store)


def test_aliases_are_taken_as_they_are_at_the_call() -> None:
    async def program(store: AsyncSessionStore, backend: SlowBackend) -> tuple[str, ...]:
        backend.go_on.clear()
        aliases = ["before"]
        first = asyncio.create_task(store.add_message("slow", "user", "first"))
        await arrived(backend)
        second = asyncio.create_task(store.update_session("slow", aliases=aliases))
        await asyncio.sleep(0)
        aliases.append("after")
        backend.go_on.set()
        await asyncio.gather(first, second)
        return (await store.get_session("slow")).aliases

    assert run(program) == ("before",)


def test_an_operation_runs_in_the_context_of_its_caller() -> None:
    span: contextvars.ContextVar[str] = contextvars.ContextVar("span")
    seen: list[str] = []

    class Traced(MemoryBackend):
        @hookimpl
        def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
            seen.append(span.get("none"))
            return super().sessionkit_add_messages(key, messages, write_id)

    async def write(store: AsyncSessionStore, name: str) -> None:
        span.set(name)
        await store.add_message("k", "user", name)

    async def main() -> None:
        async with on(Traced()) as store:
            await asyncio.gather(write(store, "a"), write(store, "b"))

    asyncio.run(main())
    assert seen == ["a", "b"]


def test_a_close_that_fails_after_its_caller_left_is_logged(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        backend = SlowBackend()
        store = on(backend)
        backend.go_on.clear()
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        await arrived(backend)

        def fail() -> None:
            raise OSError("cannot close")

        monkeypatch.setattr(store._store, "close", fail)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        backend.go_on.set()
        await writing
        await store.close()

    asyncio.run(main())
    assert "an operation whose caller stopped waiting failed: OSError: cannot close" in caplog.text


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this platform has no fork")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_child_that_is_forked_while_the_parent_closes_does_not_wait_for_it() -> None:
    backend = SlowBackend()
    backend.go_on.clear()
    store = on(backend)

    async def parent() -> None:
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        await arrived(backend)
        closing = asyncio.create_task(store.close())
        while store._chains.closing is None:
            await asyncio.sleep(0)
        child = await asyncio.to_thread(fork)
        backend.go_on.set()
        await asyncio.gather(writing, closing)
        _, status = os.waitpid(child, 0)
        assert os.waitstatus_to_exitcode(status) == 0

    def fork() -> int:
        child = os.fork()
        if child == 0:
            try:
                asyncio.run(asyncio.wait_for(store.close(), 30))
            finally:
                os._exit(sys.exc_info()[0] is not None)
        return child

    asyncio.run(parent())


@pytest.mark.parametrize("loop_is_closed", [False, True])
def test_a_failure_that_nobody_waits_for_is_logged_once_and_asyncio_does_not_complain(
    loop_is_closed: bool, caplog: pytest.LogCaptureFixture
) -> None:
    backend = SlowBackend()
    backend.go_on.clear()
    backend.error = OSError("disk full")
    store = on(backend)

    async def leave() -> None:
        writing = asyncio.create_task(store.add_message("slow", "user", "a"))
        await arrived(backend)
        writing.cancel()
        await asyncio.wait([writing])
        if not loop_is_closed:
            backend.go_on.set()
            await store.get_history("slow")

    asyncio.run(leave())
    backend.go_on.set()
    asyncio.run(store.close())
    gc.collect()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == [
        "an operation whose caller stopped waiting failed: OSError: disk full"
    ]


def test_close_finishes_chains_of_many_sessions() -> None:
    async def main() -> list[int]:
        backend = SlowBackend()
        store = on(backend)
        backend.go_on.clear()
        keys = [f"slow{number}" for number in range(THREADS * 2)]
        writing = [asyncio.create_task(store.add_message(key, "user", "x")) for key in keys for _ in range(3)]
        await arrived(backend)
        closing = asyncio.create_task(store.close())
        await asyncio.sleep(0)
        backend.go_on.set()
        await asyncio.gather(*writing, closing)
        return [backend.sessionkit_get_history(key, 0, None).total for key in keys]

    assert asyncio.run(main()) == [3] * THREADS * 2


class ClosingBackend(MemoryBackend):
    """Tells when it is closed."""

    def __init__(self) -> None:
        super().__init__()
        self.closed = threading.Event()

    @hookimpl
    def sessionkit_close(self) -> None:
        self.closed.set()


def test_a_store_whose_opening_was_cancelled_is_closed_when_it_is_open(monkeypatch: pytest.MonkeyPatch) -> None:
    backend, arrived, go_on = ClosingBackend(), threading.Event(), threading.Event()

    def open_slowly(source: object, **settings: object) -> SessionStore:
        arrived.set()
        assert go_on.wait(30)
        store = SessionStore(Recipe(name="test", source="tests", backend=lambda: backend, on_write_error="raise"))
        store.get_history("k")
        return store

    monkeypatch.setattr("sessionkit.aio.open_store", open_slowly)

    async def main() -> None:
        opening = asyncio.create_task(open_async_store("memory:"))
        await asyncio.to_thread(arrived.wait, 30)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        assert not backend.closed.is_set()

    asyncio.run(main())
    go_on.set()
    assert backend.closed.wait(30)


def test_a_store_that_cannot_be_opened_says_why() -> None:
    with pytest.raises(UnknownBackendError, match="nothing-like-this"):
        asyncio.run(open_async_store("nothing-like-this:"))
