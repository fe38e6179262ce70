"""The memory that copying one long session takes: the most that the process ever had, for two lengths.

Each copy runs in a process of its own, so that one does not hide the other. With memory that is bounded, ten times
the messages take hardly more.
"""

from __future__ import annotations

import argparse
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from sessionkit import open_store
from sessionkit.transfer import copy_sessions

KEY = "bench:long"
TEXT = "x" * 900


def main() -> None:
    """Run the copies, or (with ``--copy``) be one of them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--messages", type=int, default=100_000, help="length of the longer session")
    parser.add_argument("--copy", nargs=2, metavar=("SRC", "DST"), help="only copy from one URL to the other")
    arguments = parser.parse_args()
    if arguments.copy:
        copy(*arguments.copy)
        return
    for count in (arguments.messages // 10, arguments.messages):
        with tempfile.TemporaryDirectory() as directory:
            source, target = (f"jsonl:{Path(directory) / name}" for name in ("source", "target"))
            size = fill(source, count)
            print(f"{count:,} messages ({size / 1e6:.0f} MB): ", end="", flush=True)
            subprocess.run([sys.executable, __file__, "--copy", source, target], check=True)


def fill(url: str, count: int) -> int:
    """Make the session; answer its bytes of JSON."""
    with open_store(url, on_write_error="raise") as store:
        for first in range(0, count, 1000):
            numbers = range(first, min(first + 1000, count))
            store.add_messages(KEY, [{"role": "user", "content": TEXT, "x-number": number} for number in numbers])
    return count * (len(TEXT) + 60)


def copy(source_url: str, target_url: str) -> None:
    """Copy, and print what it took."""
    with open_store(source_url) as source, open_store(target_url) as target:
        before, begun = _megabytes(), perf_counter()
        report = copy_sessions(source, target)
        took = perf_counter() - begun
    print(f"{_megabytes():.0f} MB at most ({before:.0f} MB before the copy), {took:.1f} s, {report.messages:,} copied")


def _megabytes() -> float:
    """The most memory that this process had. On Linux ru_maxrss would count what its parent had, too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6


if __name__ == "__main__":
    main()
