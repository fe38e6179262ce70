"""What saving a session of 1,000 messages of the json backend costs, against the standard library's way to the same.

The same is: the document with two-space indent in a temporary file, that file synced and renamed, the directory synced.
Before each save a message is added, so that there is something to save; the session that did not change has nothing.
"""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

from comparing import Comparison
from sessionkit_json import SessionManager

KEY = "bench:save"
COUNT = 1_000
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"colour": "blue", "size": 3}'}}
TURN: list[dict[str, Any]] = [
    {"role": "user", "content": "How many blue mugs are left? " * 5},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": '{"found": 12}' * 10, "tool_call_id": "call_1"},
    {"role": "assistant", "content": "There are twelve of them left. " * 10},
]
MESSAGES = TURN * (COUNT // len(TURN))


def saving(loops: int) -> float:
    """Time ``save`` after a change."""
    with tempfile.TemporaryDirectory() as directory:
        manager = _filled(directory)
        total = 0.0
        for number in range(loops):
            manager.set_summary(KEY, str(number))
            begin = perf_counter()
            manager.save(KEY)
            total += perf_counter() - begin
        return total


def saving_unchanged(loops: int) -> float:
    """Time ``save`` of a session that did not change."""
    with tempfile.TemporaryDirectory() as directory:
        manager = _filled(directory)
        begin = perf_counter()
        for _ in range(loops):
            manager.save(KEY)
        return perf_counter() - begin


def dumping(synced: bool) -> Callable[[int], float]:
    """Time the standard library's way."""

    def run(loops: int) -> float:
        with tempfile.TemporaryDirectory() as directory:
            begin = perf_counter()
            for number in range(loops):
                document = {"key": KEY, "messages": MESSAGES, "summary": str(number)}
                data = json.dumps(document, indent=2, ensure_ascii=False).encode()
                if synced:
                    _write(Path(directory), data)
            return perf_counter() - begin

    return run


def _write(directory: Path, data: bytes) -> None:
    temporary = directory / "document.tmp"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / "document.json")
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def _filled(directory: str) -> SessionManager:
    manager = SessionManager(directory)
    manager.set_history(KEY, MESSAGES)
    manager.save(KEY)
    return manager


if __name__ == "__main__":
    Comparison().functions(
        f"a save of {COUNT:,} messages",
        {
            "json.dumps, and nothing written": dumping(False),
            "json.dumps, to the same durability": dumping(True),
            "SessionManager.save": saving,
            "SessionManager.save, nothing changed": saving_unchanged,
        },
    )
