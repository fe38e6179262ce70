"""What the command takes on large stores: until ``list`` prints its first line, to search a gigabyte, to show one.

And how long after a write ``show --follow`` prints it, which is about the time between two looks.

Each run is a process of its own, as for a person who types it; what it prints goes into a pipe. The conversations are
those of a file as ``sessionkit import`` reads it, repeated until they are large enough, or made up without one. That a
search has to look at each of many small sessions costs more than their bytes: it is measured on both. Everything is
written to a temporary directory (see TMPDIR), and removed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import random
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from itertools import count, cycle, islice
from pathlib import Path
from statistics import median
from time import perf_counter, sleep
from typing import Final

import attrs
from interleaved import verdict
from jsonl_stores import CONVERSATIONS, crowded

from sessionkit import Message, open_store

NOWHERE: Final = "zyzzyva"
FOLLOWED: Final = ("json:", "jsonl:", "redis+embedded://")
WORDS: Final = ("order", "mug", "blue", "refund", "delivery", "please", "thank", "address", "arrive", "number", "today")

_PROGRAM: Final = """
import atexit, sys
def report():
    sys.path.insert(0, {here!r})
    from export_memory import megabytes
    with open({report!r}, "w") as file:
        file.write(str(megabytes()))
atexit.register(report)
from sessionkit.__main__ import main
main()
"""


@attrs.frozen
class Run:
    """What one run of the command took.

    Attributes:
        first: seconds until it had printed something; all of it when it printed nothing.
        seconds: all of it.
        megabytes: the most memory that it had.
        lines: how many lines it printed.
    """

    first: float
    seconds: float
    megabytes: float
    lines: int


def run(*arguments: str) -> Run:
    """Run the command, and read what it prints."""
    with tempfile.TemporaryDirectory() as directory:
        report = Path(directory) / "megabytes"
        program = _PROGRAM.format(here=str(Path(__file__).parent), report=str(report))
        begin = perf_counter()
        with subprocess.Popen([sys.executable, "-c", program, *arguments], stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            lines = os.read(process.stdout.fileno(), 1 << 16).count(b"\n")
            first = perf_counter() - begin
            while data := os.read(process.stdout.fileno(), 1 << 16):
                lines += data.count(b"\n")
        if process.returncode not in (0, 1):  # 1: nothing was found
            raise SystemExit(f"sessionkit {' '.join(arguments)} ended with {process.returncode}")
        return Run(first, perf_counter() - begin, float(report.read_text()), lines)


def conversations(path: Path | None) -> list[list[Message]]:
    """Those of the file; else 200 made up ones, of 8 to 44 messages."""
    if path is not None:
        with path.open(encoding="utf-8") as file:
            return [[Message.from_dict(item) for item in json.loads(line)["messages"]] for line in file]
    chance = random.Random(7)
    return [
        [
            Message.simple(role, " ".join(chance.choices(WORDS, k=chance.randint(20, 180))))
            for role in ("user", "assistant") * chance.randint(4, 22)
        ]
        for _ in range(200)
    ]


def repeated(directory: Path, texts: Sequence[Sequence[Message]], megabytes: int, keys: Iterator[str]) -> str:
    """A store into which conversations are written again and again, each time to the next key."""
    url = f"jsonl:{directory}?durability=os"
    written = 0
    with open_store(url) as store:
        for messages in cycle(texts):
            store.add_messages(next(keys), messages)
            written += sum(len(message.to_json()) for message in messages)
            if written >= megabytes * 1_000_000:
                return url
    raise AssertionError("there are no conversations")


def bytes_of(directory: Path) -> int:
    """How much the files of a store are."""
    return sum(entry.stat().st_size for entry in os.scandir(directory) if entry.is_file())


def measure_list(root: Path, sessions: int, rounds: int) -> None:
    """The first line of a long listing."""
    crowded(root / "many", sessions)
    run("list", "--store", f"jsonl:{root / 'many'}", "--limit", "1")  # the interpreter compiles what it imports
    runs = [run("list", "--store", f"jsonl:{root / 'many'}") for _ in range(rounds)]
    print(f"\nlist, {sessions:,} sessions of one message")
    first, seconds = median(one.first for one in runs) * 1000, median(one.seconds for one in runs)
    verdict("until the first line, the start of Python included", first, 300, unit="ms")
    print(f"  all {runs[0].lines - 1:,} of them: {seconds:.2f} s, {runs[0].megabytes:.0f} MB")


def measure_search(directory: Path, url: str, words: Sequence[str], rounds: int, what: str) -> None:
    """How fast a search is."""
    size = bytes_of(directory) / 1e6
    print(f"\nsearch in {size:,.0f} MB, {what}")
    for word in words:
        runs = [run("search", "--store", url, word, "--json") for _ in range(rounds)]
        memory = max(one.megabytes for one in runs)
        text = f"{word!r}, {runs[0].lines:,} matches, {memory:.0f} MB of memory"
        verdict(text, size / median(one.seconds for one in runs), 200, at_least=True, unit="MB/s")


def measure_show(root: Path, texts: Sequence[Sequence[Message]], megabytes: int) -> None:
    """The memory that it takes to show a session as large as that, and its end alone."""
    url = repeated(root / "one", texts, megabytes, cycle(["bench:long"]))
    print(f"\none session of {bytes_of(root / 'one') / 1e6:,.0f} MB")
    asked: dict[str, tuple[str, ...]] = {
        "show --raw": ("--raw",),
        "show --tail 20": ("--tail", "20"),
    }
    for name, options in asked.items():
        one = run("show", "bench:long", "--store", url, *options)
        print(f"  {name:<16} {one.seconds:8.2f} s {one.lines:10,} lines {one.megabytes:6.0f} MB of memory")


def measure_searches(root: Path, texts: Sequence[Sequence[Message]], megabytes: int, rounds: int, rare: str) -> None:
    """Searches in the same bytes, as long sessions and as short ones."""
    long = repeated(root / "long", texts, megabytes, cycle([f"bench:{number}" for number in range(len(texts))]))
    measure_search(root / "long", long, (NOWHERE, rare), rounds, f"in {len(texts)} sessions")
    short = repeated(root / "short", texts, megabytes // 10, (f"bench:{number}" for number in count()))
    sessions = len(list((root / "short").glob("*.jsonl")))
    measure_search(root / "short", short, (NOWHERE,), rounds, f"a session for each of {sessions:,} conversations")


def measure_follow(root: Path, rounds: int) -> None:
    """From before a message is written by one process until the line with it comes out of another."""
    print("\nshow --follow, from before a write until it is printed")
    for backend in FOLLOWED:
        with tempfile.TemporaryDirectory(dir=root) as directory:  # short: the path of a socket may have 100 bytes
            delays = follow_delays(f"{backend}{directory}", 10 * rounds)
        verdict(f"{backend.partition(':')[0]}, the longest", max(delays) * 1000, 200, unit="ms")
        print(f"  {'median':>10} {median(delays) * 1000:.0f} ms")


def follow_delays(url: str, messages: int) -> list[float]:
    """The delay of each of some messages, written at moments that have nothing to do with the looks."""
    chance = random.Random(7)
    delays = []
    with open_store(url, on_write_error="raise") as store:
        store.add_message("bench:live", "user", "the first")
        store.save("bench:live")
        command = [sys.executable, "-m", "sessionkit", "show", "bench:live", "--follow", "--raw", "--store", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as follower:
            try:
                assert follower.stdout is not None
                follower.stdout.readline()
                for _ in range(messages):
                    sleep(chance.uniform(0.1, 0.5))
                    begin = perf_counter()
                    store.add_message("bench:live", "user", "the next")
                    store.save("bench:live")
                    if not follower.stdout.readline():
                        raise SystemExit(f"the follower of {url} ended")
                    delays.append(perf_counter() - begin)
            finally:
                follower.kill()
    return delays


def rare_word(texts: Sequence[Sequence[Message]]) -> str:
    """A word that the fewest conversations have."""
    everything = [" ".join(message.text for message in messages) for messages in texts]
    candidates = sorted(
        {word for text in everything[len(everything) // 2 :] for word in text.split() if word.isalnum()}
    )
    return min(islice(candidates, 2000), key=lambda word: sum(word in text for text in everything))


def main() -> None:
    """Measure, print, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "only", nargs="*", choices=[[], "list", "search", "show", "follow"], help="what to measure; else all"
    )
    parser.add_argument("--conversations", type=Path, default=CONVERSATIONS if CONVERSATIONS.exists() else None)
    parser.add_argument("--mb", type=int, default=1000, help="how many megabytes are searched and shown")
    parser.add_argument("--fast", action="store_true", help="rough figures of smaller stores")
    chosen = parser.parse_args()
    megabytes, rounds = (50, 1) if chosen.fast else (chosen.mb, 3)
    texts = conversations(chosen.conversations)
    source = chosen.conversations or "made up"
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; conversations: {source}")
    measurements: dict[str, Callable[[Path], None]] = {
        "list": lambda root: measure_list(root, 1_000 if chosen.fast else 10_000, rounds),
        "search": lambda root: measure_searches(root, texts, megabytes, rounds, rare_word(texts)),
        "show": lambda root: measure_show(root, texts, megabytes),
        "follow": lambda root: measure_follow(root, rounds),
    }
    for name, measurement in measurements.items():
        if not chosen.only or name in chosen.only:
            with tempfile.TemporaryDirectory() as directory:
                measurement(Path(directory))


if __name__ == "__main__":
    main()
