"""What ``open_store`` costs: again in a process that has opened one before, and in a new process."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from time import perf_counter

from comparing import Comparison

from sessionkit import open_store

BACKENDS = ("memory", "json", "jsonl")


def opening(url: str) -> Callable[[int], float]:
    """Time opening; closing is not counted."""

    def run(loops: int) -> float:
        open_store(url).close()  # the plugin is imported when it is first opened
        total = 0.0
        for _ in range(loops):
            begin = perf_counter()
            store = open_store(url)
            total += perf_counter() - begin
            store.close()
        return total

    return run


def program(url: str) -> list[str]:
    return [sys.executable, "-c", f"from sessionkit import open_store; open_store({url!r}).close()"]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as directory:
        urls = {name: "memory:" if name == "memory" else f"{name}:{directory}/{name}" for name in BACKENDS}
        comparison = Comparison()
        comparison.functions("open_store", {name: opening(url) for name, url in urls.items()})
        bare = {"the bare interpreter": [sys.executable, "-c", "pass"]}
        comparison.commands("a process that opens one", bare | {name: program(url) for name, url in urls.items()})
