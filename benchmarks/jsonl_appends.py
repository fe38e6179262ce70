"""What an append of the jsonl backend takes, and what others take."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any, Final

from interleaved import Contender, computing, interleave, show, timed, verdict
from jsonl_stores import CONVERSATIONS, KEY, LINE, MESSAGE, OURS, Sizes, adding, filled, opened, real_messages
from rivals import bare_file, our_calls, picoclaws_calls, side_by_side, sqlite_full, sqlite_in_threads
from sessionkit_jsonl import JSONLBackend, JSONLOptions

THREADS: Final = 8
BARE, PICOCLAW, SQLITE = "write, fdatasync", "picoclaw's calls", "SQLite, WAL, synchronous=FULL"


def appends(root: Path, sizes: Sizes) -> None:
    """An append, on disk before it returns."""
    with ExitStack() as stack:
        bare = stack.enter_context(bare_file(root))
        sqlite = stack.enter_context(sqlite_full(root / "a.db"))
        picoclaw = picoclaws_calls(root / "picoclaw")
        contenders = {
            BARE: timed(lambda: bare(LINE)),
            OURS: adding(stack.enter_context(opened(root / "ours"))),
            SQLITE: timed(lambda: sqlite(LINE)),
            PICOCLAW: timed(lambda: picoclaw(LINE)),
        }
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
    show("an append of 1 KB", figures)
    ours = figures[OURS]
    verdict("of a bare write and fdatasync", ours.ratio(figures[BARE]), 1.15)
    verdict("as fast as picoclaw's calls", figures[PICOCLAW].ratio(ours), 3.5, at_least=True)
    verdict("as fast as SQLite", figures[SQLITE].ratio(ours), 1, at_least=True)


def layers_of_an_append(root: Path, sizes: Sizes) -> None:
    """What each part adds: the system calls beside write and sync, the backend's computing, and the store's."""
    with ExitStack() as stack:
        bare = stack.enter_context(bare_file(root))
        calls = stack.enter_context(our_calls(root))
        backend = JSONLBackend(JSONLOptions(path=root / "backend"))
        stack.callback(backend.sessionkit_close)
        contenders = {
            BARE: timed(lambda: bare(LINE)),
            "and the other four system calls": timed(lambda: calls(LINE)),
            "the backend, called directly": timed(lambda: backend.sessionkit_add_messages(KEY, [MESSAGE], "")),
            "the store": adding(stack.enter_context(opened(root / "store"))),
        }
        figures = interleave(contenders, rounds=4 * sizes.rounds, calls=5)
    show("an append of 1 KB, layer by layer", figures)


def appends_without_sync(root: Path, sizes: Sizes) -> None:
    """What an append takes beside waiting for the disk."""
    with opened(root, durability="os") as store:
        add = computing(lambda: store.add_full_message(KEY, MESSAGE))
        show("an append of 1 KB, durability=os, computing time", interleave({OURS: add}, rounds=sizes.rounds, calls=50))


def saves(root: Path, sizes: Sizes) -> None:
    """A save right after an append that is on disk, and after one that is not."""
    with ExitStack() as stack:
        stores = {name: stack.enter_context(opened(root / name, durability=name)) for name in ("always", "os")}
        contenders = {
            f"durability={name}": timed(partial(store.save, KEY), after=partial(store.add_full_message, KEY, MESSAGE))
            for name, store in stores.items()
        }
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
    show("a save after an append", figures)


def appends_of_real_messages(root: Path, sizes: Sizes) -> None:
    """The messages of real conversations, one after the other."""
    messages = real_messages()
    if not messages:
        print(f"\nan append of a real message: skipped, there is no {CONVERSATIONS.name} beside the project")
        return
    lines = [message.to_json() + b"\n" for message in messages]
    with ExitStack() as stack:
        bare = stack.enter_context(bare_file(root))
        sqlite = stack.enter_context(sqlite_full(root / "a.db"))
        store = stack.enter_context(opened(root / "ours"))
        picoclaw = picoclaws_calls(root / "picoclaw")
        contenders = {
            BARE: each(bare, lines),
            OURS: each(lambda message: store.add_full_message(KEY, message), messages),
            SQLITE: each(sqlite, lines),
            PICOCLAW: each(picoclaw, lines),
        }
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
    show(f"an append of a real message ({sum(map(len, lines)) / len(lines):.0f} bytes on average)", figures)


def each(append: Callable[[Any], object], items: list[Any]) -> Contender:
    """Appends another item at each call."""
    remaining = itertools.cycle(items)
    return timed(lambda: append(next(remaining)))


def appends_in_threads(root: Path, sizes: Sizes) -> None:
    """Several threads that append to one session, each message on disk before its call returns."""
    with opened(root / "ours") as store:

        def work(calls: int) -> list[float]:
            def run() -> None:
                for _ in range(calls):
                    store.add_full_message(KEY, MESSAGE)

            return [side_by_side(run, THREADS) / (calls * THREADS)]

        contenders = {OURS: work, SQLITE: sqlite_in_threads(root / "a.db", LINE, THREADS)}
        figures = interleave(contenders, rounds=sizes.rounds // 5, calls=25)
    show(f"an append of 1 KB in {THREADS} threads", figures)
    verdict("as fast as SQLite", figures[SQLITE].ratio(figures[OURS]), 5, at_least=True)


def appends_to_long_sessions(root: Path, sizes: Sizes) -> None:
    """An append to a long history, and to a short one."""
    with opened(filled(root / "short", 10)) as short, opened(filled(root / "long", sizes.long)) as long:
        contenders = {"after 10 messages": adding(short), f"after {sizes.long:,} messages": adding(long)}
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
    show("an append of 1 KB, to sessions of different length", figures)
    first, second = figures.values()
    verdict("of an append to the short one", second.ratio(first), 1.1)
