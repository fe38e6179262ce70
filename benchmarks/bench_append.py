"""What an append to a session of the jsonl backend costs, against the length of its history.

The first append of a store reads where the session ends; those that follow know it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import perf_counter

from comparing import Comparison

from sessionkit import Message, open_store

KEY = "bench:append"
LENGTHS = (0, 1_000, 10_000, 100_000)
TURN = 50
"""Messages that are written at once: the calls of a turn with their results."""

MESSAGE = Message.simple("user", "How many blue mugs are left? " * 5)


def first_append(length: int) -> Callable[[int], float]:
    """Time the first append of a store that was just opened."""

    def run(loops: int) -> float:
        with grown(length) as url:
            total = 0.0
            for _ in range(loops):
                with open_store(url, on_write_error="raise") as store:
                    begin = perf_counter()
                    store.add_full_message(KEY, MESSAGE)
                    total += perf_counter() - begin
            return total

    return run


def next_append(length: int) -> Callable[[int], float]:
    """Time the appends that follow the first."""

    def run(loops: int) -> float:
        with grown(length) as url, open_store(url, on_write_error="raise") as store:
            store.add_full_message(KEY, MESSAGE)
            begin = perf_counter()
            for _ in range(loops):
                store.add_full_message(KEY, MESSAGE)
            return perf_counter() - begin

    return run


@contextmanager
def grown(length: int) -> Iterator[str]:
    """A store with a session that grew turn by turn. Only its making does without waiting for the disk."""
    with tempfile.TemporaryDirectory() as directory:
        with open_store(f"jsonl:{directory}?durability=os", on_write_error="raise") as store:
            for _ in range(length // TURN):
                store.add_messages(KEY, [MESSAGE] * TURN)
        yield f"jsonl:{directory}"


if __name__ == "__main__":
    comparison = Comparison()
    for title, appending in (("an append", next_append), ("the first append of a store", first_append)):
        comparison.functions(title, {f"after {length:,} messages": appending(length) for length in LENGTHS})
