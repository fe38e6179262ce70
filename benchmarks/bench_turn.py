"""A whole turn of an agent on the jsonl backend beside the same on another store that syncs, and without any store.

A turn reads the last 20 messages, stores four (user, assistant, tool, assistant), each synced before the next, and
saves. Each store does it in a process of its own, and they take turns of some turns each, so that a disk that is busy
with something else slows all of them alike; the median of the ratios of the rounds counts. The other store is installed
where ``bench_peers.py`` does so.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from statistics import median
from typing import Final

from interleaved import verdict
from peers.environments import python, variables

OURS: Final = "sessionkit:jsonl-always"
BARE: Final = "bare:sync"
LENGTHS: Final = (10, 10_000)
TURNS: Final = 10


class Worker:
    """A process that does turns on one store."""

    def __init__(self, interpreter: Path, adapter: str, place: Path, length: int) -> None:
        place.mkdir()
        command = [str(interpreter), "-m", "peers.turns", adapter, str(place), str(length)]
        self._process = subprocess.Popen(
            command, env=variables(), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def turns(self, number: int) -> list[float]:
        """The seconds of each."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{number}\n")
        self._process.stdin.flush()
        taken: list[float] = json.loads(self._process.stdout.readline())
        return taken

    def close(self) -> None:
        """Let it end."""
        self._process.communicate(timeout=60)


def rounds_of(length: int, adapters: Sequence[str], envs: Path, rounds: int) -> list[dict[str, float]]:
    """The median turn of each store, for each round."""
    with tempfile.TemporaryDirectory() as root:
        workers: dict[str, Worker] = {}
        try:
            for number, adapter in enumerate(adapters):
                module = adapter.partition(":")[0]
                interpreter = Path(sys.executable) if adapter == BARE else python(envs, module)
                workers[adapter] = Worker(interpreter, adapter, Path(root, str(number)), length)
            for worker in workers.values():
                worker.turns(TURNS)  # the first ones load what the others have
            return [{name: median(worker.turns(TURNS)) for name, worker in workers.items()} for _ in range(rounds)]
        finally:
            for worker in workers.values():
                worker.close()


def main() -> None:
    """Measure, print, and say which targets are met."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--envs", type=Path, required=True, help="where the environments of the peers are kept")
    parser.add_argument("--peer", default="openai_agents:sqlite", help="the other store; see peers/catalogue.py")
    parser.add_argument("--rounds", type=int, default=60)
    chosen = parser.parse_args()
    print(f"Python {platform.python_version()}, {os.cpu_count()} cores; {chosen.rounds} rounds of {TURNS} turns each")
    ours: dict[int, float] = {}
    for length in LENGTHS:
        found = rounds_of(length, (OURS, chosen.peer, BARE), chosen.envs.resolve(), chosen.rounds)
        print(f"\na turn at {length:,} messages")
        for name in (OURS, chosen.peer, BARE):
            print(f"  {name:<30}{median(one[name] for one in found) * 1000:8.3f} ms")
        ours[length] = median(one[OURS] for one in found)
        verdict(chosen.peer, median(one[chosen.peer] / one[OURS] for one in found), 2, at_least=True, unit="times ours")
        print(f"         ours is {median(one[OURS] / one[BARE] for one in found):.2f} times four writes and syncs")
    shortest, longest = LENGTHS
    print()
    verdict(f"a turn at {longest:,} messages", ours[longest] / ours[shortest], 3, unit=f"times that at {shortest}")


if __name__ == "__main__":
    main()
