"""What an append to a session of the jsonl backend costs, against the length of its history."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from time import perf_counter

from comparing import Comparison

from sessionkit import Message, open_store

KEY = "bench:append"
LENGTHS = (0, 1_000, 10_000, 100_000)
MESSAGE = Message.simple("user", "How many blue mugs are left? " * 5)


def appending(length: int) -> Callable[[int], float]:
    """Time appends of one message each, durable when the call returns."""

    def run(loops: int) -> float:
        with (
            tempfile.TemporaryDirectory() as directory,
            open_store(f"jsonl:{directory}", on_write_error="raise") as store,
        ):
            store.add_messages(KEY, [MESSAGE] * length)
            begin = perf_counter()
            for _ in range(loops):
                store.add_full_message(KEY, MESSAGE)
            return perf_counter() - begin

    return run


if __name__ == "__main__":
    Comparison().functions("an append", {f"after {length:,} messages": appending(length) for length in LENGTHS})
