"""``AsyncSessionStore``: the operations of ``SessionStore`` as coroutines.

They run on threads of the store's own, so that the event loop is never blocked. The operations of one session
run one after the other, in the order of the calls, also when nobody awaits one before the next is called;
different sessions run side by side. Cancelling a coroutine, or a timeout around it, ends the waiting and not
the operation: a write that was begun is finished, and if it fails then, that is logged.
"""

from __future__ import annotations

import asyncio
import itertools
import logging
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from typing import Any, Final, Literal, NoReturn, Self, TypeAlias, TypeVar

from sessionkit.damage import Damage
from sessionkit.errors import HeldWrite, StoreClosedError
from sessionkit.findings import Finding
from sessionkit.messages import Message, as_message, as_messages
from sessionkit.sessions import UNCHANGED, History, Session, SessionInfo, Unchanged, Version
from sessionkit.store import AnyMessage, OnWriteError, SessionStore, open_store, process
from sessionkit.store.arguments import checked_fields
from sessionkit.store.searching import Match

logger = logging.getLogger("sessionkit.aio")

_T = TypeVar("_T")
_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]

THREADS: Final = 16
"""How many operations of different sessions run side by side at most."""

_CHUNK: Final = 100


class _Chains:
    """Runs functions on threads, those of one key in order. A chain is gone as soon as it is empty."""

    def __init__(self) -> None:
        self._epoch = process.current.epoch
        self._ended = False
        self._begin()

    def _begin(self) -> None:
        self._lock = threading.Lock()
        self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="sessionkit")
        self._waiting: dict[str, deque[tuple[Future[Any], Callable[[], Any]]]] = {}
        self._closing: Future[None] | None = None

    def submit(self, key: str, function: Callable[[], _T]) -> Future[_T]:
        """Run a function after those that were submitted for the key before.

        Raises:
            StoreClosedError: the threads were told to end.
        """
        self._begin_again_in_a_child()
        future: Future[_T] = Future()
        future.set_running_or_notify_cancel()  # from now on it is done, and cancelling it ends the waiting only
        with self._lock:
            if self._ended:
                raise StoreClosedError("the store is closed; open another one with open_async_store()")
            chain = self._waiting.get(key)
            if chain is not None:
                chain.append((future, function))
            else:
                self._executor.submit(self._run_chain, key)  # which waits for the lock; at exit it raises
                self._waiting[key] = deque([(future, function)])
        return future

    def _run_chain(self, key: str) -> None:
        """Run the oldest function of a chain, and let other chains have the thread before the next."""
        while True:
            with self._lock:
                future, function = self._waiting[key].popleft()
            _settle(future, function)
            with self._lock:
                if not self._waiting[key]:
                    del self._waiting[key]
                    return
                try:
                    self._executor.submit(self._run_chain, key)
                except RuntimeError:  # the store or the interpreter ends, and waits for this thread to do the rest
                    continue
                return

    @property
    def closing(self) -> Future[None] | None:
        """What was begun with :meth:`close_with`, in this process."""
        self._begin_again_in_a_child()
        return self._closing

    def close_with(self, function: Callable[[], None]) -> Future[None]:
        """End, and run a function then, on a thread of its own."""
        closing = Future[None]()
        closing.set_running_or_notify_cancel()

        def close() -> None:
            self.end()
            function()

        threading.Thread(target=_settle, args=(closing, close), name="sessionkit-close").start()
        self._closing = closing
        return closing

    def end(self) -> None:
        """Take nothing more, and wait until all that was submitted is done."""
        self._begin_again_in_a_child()
        with self._lock:
            self._ended = True
        self._executor.shutdown()

    def _begin_again_in_a_child(self) -> None:
        """In a forked child there are none of the threads, and what they were at is the parent's."""
        if self._epoch == process.current.epoch:
            return
        with process.current.lock:
            if self._epoch != process.current.epoch:
                self._begin()
                self._epoch = process.current.epoch


def _settle(future: Future[_T], function: Callable[[], _T]) -> None:
    try:
        result = function()
    except StopIteration as error:  # no future of asyncio takes one: who waits would wait for ever
        future.set_exception(RuntimeError("the operation raised StopIteration").with_traceback(error.__traceback__))
    except BaseException as error:  # whatever it is, it belongs to whoever waits
        future.set_exception(error)
    else:
        future.set_result(result)


class AsyncSessionStore:
    """A :class:`SessionStore` for programs with an event loop; see there for what each operation means.

    >>> import asyncio
    >>> async def talk():
    ...     async with await open_async_store("memory:") as store:
    ...         await store.add_message("cli:direct", "user", "hello")
    ...         return await store.get_history("cli:direct")
    >>> asyncio.run(talk())
    [Message.from_dict({'role': 'user', 'content': 'hello'})]
    """

    def __init__(self, store: SessionStore) -> None:
        self._store = store
        self._chains = _Chains()

    async def add_message(self, key: str, role: str, content: str) -> Version | None:
        """Append one simple message."""
        return await self._run(key, partial(self._store.add_message, key, role, content))

    async def add_full_message(self, key: str, message: AnyMessage) -> Version | None:
        """Append one complete message."""
        return await self._run(key, partial(self._store.add_full_message, key, as_message(message)))

    async def add_messages(self, key: str, messages: Iterable[AnyMessage]) -> Version | None:
        """Append several messages as one unit."""
        return await self._run(key, partial(self._store.add_messages, key, as_messages(messages)))

    async def set_history(
        self, key: str, messages: Iterable[AnyMessage], *, if_version: Version | None = None
    ) -> Version | None:
        """Replace the whole history in one step."""
        return await self._run(key, partial(self._store.set_history, key, as_messages(messages), if_version=if_version))

    async def set_summary(self, key: str, summary: str) -> Version | None:
        """Set the summary of what was truncated."""
        return await self._run(key, partial(self._store.set_summary, key, summary))

    async def truncate_history(
        self,
        key: str,
        keep_last: int,
        *,
        summary: str | None = None,
        whole_turns: bool = False,
        if_version: Version | None = None,
    ) -> Version | None:
        """Keep only the last ``keep_last`` messages."""
        return await self._run(
            key,
            partial(
                self._store.truncate_history,
                key,
                keep_last,
                summary=summary,
                whole_turns=whole_turns,
                if_version=if_version,
            ),
        )

    async def summarize(self, key: str, session: Session, drop_first: int, summary: str) -> Version:
        """Put a summary in the place of the oldest messages that it tells of."""
        return await self._run(key, partial(self._store.summarize, key, session, drop_first, summary))

    async def update_session(
        self,
        key: str,
        *,
        messages: Iterable[AnyMessage] | _Unchanged = UNCHANGED,
        summary: str | _Unchanged = UNCHANGED,
        metadata: Mapping[str, Any] | _Unchanged = UNCHANGED,
        aliases: Iterable[str] | _Unchanged = UNCHANGED,
        created: str | _Unchanged = UNCHANGED,
        updated: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
    ) -> Version:
        """Change any of a session's fields in one step."""
        fields = checked_fields(messages, summary, metadata, aliases, created, updated)
        return await self._run(key, partial(self._store.update_session, key, **fields, if_version=if_version))

    async def pop_messages(self, key: str, count: int = 1) -> list[Message]:
        """Remove the newest messages and return them."""
        return await self._run(key, partial(self._store.pop_messages, key, count))

    async def delete_session(self, key: str, *, if_version: Version | None = None) -> bool:
        """Remove a session with everything that belongs to it."""
        return await self._run(key, partial(self._store.delete_session, key, if_version=if_version))

    async def fork_session(self, key: str, new_key: str, *, keep_first: int | None = None) -> Version:
        """Copy a session to a new key."""
        return await self._run(key, partial(self._store.fork_session, key, new_key, keep_first=keep_first))

    async def save(self, key: str) -> None:
        """Make sure that everything written to the session so far is stored durably."""
        await self._run(key, partial(self._store.save, key))

    async def compact(self, key: str) -> int:
        """Give back the space that holds nothing of a session any more."""
        return await self._run(key, partial(self._store.compact, key))

    def verify(self, keys: Iterable[str] | None = None, *, prefix: str = "") -> AsyncIterator[Damage]:
        """Read sessions whole and tell what is damaged, as it is found."""
        return self._iterate(prefix, partial(self._store.verify, keys, prefix=prefix))

    def repair(self, keys: Iterable[str] | None = None, *, prefix: str = "") -> AsyncIterator[Damage]:
        """Mend what can be mended in sessions and set the rest aside, and tell of each damage what became of it."""
        return self._iterate(prefix, partial(self._store.repair, keys, prefix=prefix))

    async def get_history(self, key: str, limit: int | None = None) -> list[Message]:
        """The messages, oldest first."""
        return await self._run(key, partial(self._store.get_history, key, limit))

    async def get_summary(self, key: str) -> str:
        """The summary, ``""`` when there is none."""
        return await self._run(key, partial(self._store.get_summary, key))

    async def get_session(self, key: str, limit: int | None = None) -> Session:
        """One consistent snapshot."""
        return await self._run(key, partial(self._store.get_session, key, limit))

    async def get_or_create(self, key: str) -> Session:
        """The session, which is created without messages when there is none."""
        return await self._run(key, partial(self._store.get_or_create, key))

    async def resolve(self, alias: str) -> str | None:
        """The key of the session that has this key or this alias."""
        return await self._run(alias, partial(self._store.resolve, alias))

    async def get_history_page(self, key: str, start: int, limit: int) -> History:
        """A stretch of the history, with its position, the count of all messages, version and generation."""
        return await self._run(key, partial(self._store.get_history_page, key, start, limit))

    def iter_history(self, key: str, start: int = 0) -> AsyncIterator[Message]:
        """The messages that are there now, oldest first, in bounded memory."""
        return self._iterate(key, partial(self._store.iter_history, key, start))

    def list_sessions(self, prefix: str = "") -> AsyncIterator[SessionInfo]:
        """The sessions whose key begins with ``prefix``, read a page at a time."""
        return self._iterate(prefix, partial(self._store.list_sessions, prefix))

    def search(
        self, text: str, *, regex: bool = False, ignore_case: bool = False, role: str | None = None, prefix: str = ""
    ) -> AsyncIterator[Match]:
        """Look for a text in keys, summaries, contents, reasoning, names and arguments of tool calls."""
        begin = partial(self._store.search, text, regex=regex, ignore_case=ignore_case, role=role, prefix=prefix)
        return self._iterate(prefix, begin)

    async def held(self, key: str) -> tuple[HeldWrite, ...]:
        """The writes that were taken and are not stored yet."""
        return await self._run(key, partial(self._store.held, key))

    async def discard_held(self, key: str) -> tuple[HeldWrite, ...]:
        """Give up the writes that are held for a session."""
        return await self._run(key, partial(self._store.discard_held, key))

    async def diagnose(self) -> list[Finding]:
        """In what state the storage is, and what to do where something is to be done."""
        return await self._run("", self._store.diagnose)

    async def close(self) -> None:
        """Finish what was begun, save what is pending and release everything; a second call does nothing."""
        if (closing := self._chains.closing) is None:
            await _result_of(self._chains.close_with(self._store.close))
            return
        with suppress(Exception):  # told to whoever closed it first
            await asyncio.wrap_future(closing)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<Async{repr(self._store)[1:]}"

    def __copy__(self) -> NoReturn:
        self._refuse_copying()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse_copying()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse_copying()

    def _refuse_copying(self) -> NoReturn:
        raise TypeError("an AsyncSessionStore cannot be copied or pickled; open another one with open_async_store()")

    async def _run(self, key: str, function: Callable[[], _T]) -> _T:
        # In the caller's context: an observer that traces finds the span that the operation belongs to.
        return await _result_of(self._chains.submit(key, partial(copy_context().run, function)))

    async def _iterate(self, key: str, begin: Callable[[], Iterator[_T]]) -> AsyncIterator[_T]:
        iterator = await self._run(key, begin)
        while chunk := await self._run(key, lambda: list(itertools.islice(iterator, _CHUNK))):
            for item in chunk:
                yield item


async def _result_of(future: Future[_T]) -> _T:
    """What an operation ends with; cancelling ends the waiting, and how it ended then is logged if it failed."""
    try:
        return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        future.add_done_callback(_log_unheard)
        raise


def _log_unheard(future: Future[Any]) -> None:
    error = future.exception()
    if error is not None:
        logger.error("an operation whose caller stopped waiting failed: %s: %s", type(error).__name__, error)


async def open_async_store(
    source: str | Mapping[str, Any] | None = None,
    *,
    on_write_error: OnWriteError | None = None,
    extensions: Sequence[str] | None = None,
) -> AsyncSessionStore:
    """Open the store that the configuration names, without blocking the event loop; see :func:`open_store`.

    When it is cancelled, the store that is being opened is closed as soon as it is open.
    """
    opening = partial(open_store, source, on_write_error=on_write_error, extensions=extensions)
    opened: Future[SessionStore] = Future()
    opened.set_running_or_notify_cancel()
    arguments = (opened, partial(copy_context().run, opening))
    threading.Thread(target=_settle, args=arguments, name="sessionkit-open").start()
    try:
        return AsyncSessionStore(await asyncio.wrap_future(opened))
    except asyncio.CancelledError:
        opened.add_done_callback(_close_unclaimed)
        raise


def _close_unclaimed(opened: Future[SessionStore]) -> None:
    """Close a store that nobody waits for any more. Nothing was written to it, so that nothing can be lost."""
    if opened.exception() is None:
        opened.result().close()
