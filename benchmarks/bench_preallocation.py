"""What appending into space that was filled ahead would gain, and what a reader without locks would see of it.

The jsonl backend does not do so; docs/explanation/jsonl-format.md says why, with the figures of this program.

    python benchmarks/bench_preallocation.py [--fast] [DIRECTORY]
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
from collections import Counter
from collections.abc import Callable
from itertools import count
from pathlib import Path
from typing import Final, TypeAlias

from interleaved import interleave, show, timed

RECORD: Final = b'{"role":"user","content":"' + b"x" * 995 + b'"}\n'
BEGINNING, END = RECORD[:1], RECORD[-3:]
APPENDED, FILLED = "at the end of the file", "into space filled with newlines"

Write: TypeAlias = Callable[[], object]


def durable_writes(directory: Path, name: str, records: int) -> Write:
    """Writes one record after another, and syncs each."""
    path = directory / f"{name}.jsonl"
    if name == APPENDED:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)

        def append() -> None:
            os.write(descriptor, RECORD)
            os.fdatasync(descriptor)

        return append

    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    os.write(descriptor, b"\n" * len(RECORD) * records)
    os.fsync(descriptor)
    places = count(0, len(RECORD))

    def overwrite() -> None:
        os.pwrite(descriptor, RECORD, next(places))
        os.fdatasync(descriptor)

    return overwrite


def views(directory: Path, name: str, records: int) -> Counter[str]:
    """What another process, which takes no lock, sees of the records while they are written."""
    write = durable_writes(directory, name, records)
    context = multiprocessing.get_context("fork")

    def work() -> None:
        for _ in range(records):
            write()

    writer = context.Process(target=work)
    seen: Counter[str] = Counter()
    descriptor = os.open(directory / f"{name}.jsonl", os.O_RDONLY)
    writer.start()
    position = 0
    while position < len(RECORD) * records:
        if writer.exitcode:
            raise SystemExit(f"the writer ended with status {writer.exitcode}")
        view = os.pread(descriptor, len(RECORD), position)
        if view == RECORD:
            seen["whole"] += 1
            position += len(RECORD)
        elif view.strip(b"\n"):
            seen["the end without the beginning" if view[:1] != BEGINNING else "the beginning, or with a hole"] += 1
        else:
            seen["nothing yet"] += 1
    os.close(descriptor)
    writer.join()
    return seen


def main() -> None:
    """Print both."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("directory", nargs="?", help="where to write (a directory on the disk that is meant)")
    parser.add_argument("--fast", action="store_true", help="a tenth of it")
    arguments = parser.parse_args()
    rounds = 40 if arguments.fast else 400
    with tempfile.TemporaryDirectory(dir=arguments.directory) as path:
        timing, watching = Path(path, "timing"), Path(path, "watching")
        timing.mkdir()
        watching.mkdir()
        writes = {name: timed(durable_writes(timing, name, 5 * rounds + 1)) for name in (APPENDED, FILLED)}
        show("a record of 1 KB, written and synced", interleave(writes, rounds=rounds, calls=5))
        for name in (APPENDED, FILLED):
            seen = views(watching, name, 30 * rounds)
            print(f"\nwhat a reader sees of {30 * rounds:,} records that are written {name}")
            for view, times in sorted(seen.items()):
                print(f"  {times:10,}  {view}")


if __name__ == "__main__":
    main()
