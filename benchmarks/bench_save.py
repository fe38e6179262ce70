"""What saving a session of 1,000 messages of the json backend costs, against the standard library's way to the same.

The same is: the document with two-space indent in a temporary file, that file synced and renamed, the directory synced.
Before each save the summary is changed, so that there is something to save. The two take turns: the disk is the same
for both. Everything is written to a temporary directory (see TMPDIR), and removed.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import platform
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from interleaved import Figures, computing, interleave, show, timed, verdict
from sessionkit_json import SessionManager

KEY = "bench:save"
COUNT = 1_000
TARGET = 3
CALL = {"id": "call_1", "type": "function", "function": {"name": "find", "arguments": '{"colour": "blue", "size": 3}'}}
TURN: list[dict[str, Any]] = [
    {"role": "user", "content": "How many blue mugs are left? " * 5},
    {"role": "assistant", "content": "", "tool_calls": [CALL]},
    {"role": "tool", "content": '{"found": 12}' * 10, "tool_call_id": "call_1"},
    {"role": "assistant", "content": "There are twelve of them left. " * 10},
]
MESSAGES = TURN * (COUNT // len(TURN))


def dumped(number: int) -> bytes:
    """The document as the standard library writes it."""
    document = {"key": KEY, "messages": MESSAGES, "summary": str(number)}
    return json.dumps(document, indent=2, ensure_ascii=False).encode()


def write(directory: Path, data: bytes) -> None:
    """Replace the document durably."""
    temporary = directory / "document.tmp"
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(directory / "document.json")
    descriptor = os.open(directory, os.O_RDONLY)
    os.fsync(descriptor)
    os.close(descriptor)


def filled(directory: Path) -> SessionManager:
    """A manager whose session is saved."""
    manager = SessionManager(directory)
    manager.set_history(KEY, MESSAGES)
    manager.save(KEY)
    return manager


def changing(manager: SessionManager) -> Callable[[], object]:
    """Changes the session a little with each call."""
    numbers = itertools.count()
    return lambda: manager.set_summary(KEY, str(next(numbers)))


def saves(root: Path, rounds: int) -> dict[str, Figures]:
    """What a save takes, the waiting for the disk included."""
    numbers, manager, theirs = itertools.count(), filled(root / "ours"), root / "theirs"
    theirs.mkdir()
    contenders = {
        "SessionManager.save": timed(lambda: manager.save(KEY), after=changing(manager)),
        "json.dumps(indent=2), to the same durability": timed(lambda: write(theirs, dumped(next(numbers)))),
    }
    return interleave(contenders, rounds=rounds, calls=5)


def computed(root: Path, rounds: int) -> dict[str, Figures]:
    """The part of it that is the processor's."""
    numbers, manager, idle = itertools.count(), filled(root / "changed"), filled(root / "unchanged")
    contenders = {
        "SessionManager.save": computing(lambda: manager.save(KEY), after=changing(manager)),
        "json.dumps(indent=2), nothing written": computing(lambda: dumped(next(numbers))),
        "SessionManager.save, nothing changed": computing(lambda: idle.save(KEY)),
    }
    return interleave(contenders, rounds=rounds, calls=5)


def main() -> None:
    """Print both tables, and whether the target is met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--fast", action="store_true", help="rough figures in a few seconds")
    rounds = 20 if parser.parse_args().fast else 100
    print(f"Python {platform.python_version()}, {platform.system()} {platform.release()}")
    with tempfile.TemporaryDirectory(prefix="sessionkit-bench-") as root:
        waited = saves(Path(root), rounds)
        show(f"a save of {COUNT:,} messages", waited, unit="ms")
        ours, theirs = waited.values()
        verdict("saves, against json.dumps", theirs.ratio(ours), TARGET, at_least=True, unit="times faster")
        show("time of the processor", computed(Path(root), rounds))


if __name__ == "__main__":
    main()
