"""The jsonl backend against what it is compared with, and against its targets, on one file system.

What is compared takes turns. Everything is written to a temporary directory (see TMPDIR), and removed.
"""

from __future__ import annotations

import argparse
import platform
import tempfile
from pathlib import Path
from typing import Final

import attrs
import jsonl_appends
import jsonl_reads
import msgspec
from jsonl_stores import Sizes

MEASUREMENTS: Final = {
    "appends": jsonl_appends.appends,
    "layers": jsonl_appends.layers_of_an_append,
    "real": jsonl_appends.appends_of_real_messages,
    "saves": jsonl_appends.saves,
    "unsynced": jsonl_appends.appends_without_sync,
    "threads": jsonl_appends.appends_in_threads,
    "long": jsonl_appends.appends_to_long_sessions,
    "histories": jsonl_reads.histories,
    "ends": jsonl_reads.ends,
    "listing": jsonl_reads.listing,
    "export": jsonl_reads.exporting,
}
FAST: Final = Sizes(rounds=20, long=10_000, read=2_000, sessions=1_000, export_mb=50)
FULL: Final = Sizes(rounds=100, long=100_000, read=10_000, sessions=10_000, export_mb=1_000)


def main() -> None:
    """Measure what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("only", nargs="*", metavar="WHAT", help=f"what to measure: {', '.join(MEASUREMENTS)}; all")
    parser.add_argument("--fast", action="store_true", help="rough figures of smaller sessions")
    parser.add_argument("--export-mb", type=int, help="the size of the session that is exported, in MB")
    arguments = parser.parse_args()
    unknown = {*arguments.only} - {*MEASUREMENTS}
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}; there are {', '.join(MEASUREMENTS)}")
    sizes = FAST if arguments.fast else FULL
    if arguments.export_mb:
        sizes = attrs.evolve(sizes, export_mb=arguments.export_mb)
    print(
        f"Python {platform.python_version()}, {platform.system()} {platform.release()}, msgspec {msgspec.__version__}"
    )
    for name in arguments.only or MEASUREMENTS:
        with tempfile.TemporaryDirectory(prefix="sessionkit-bench-") as root:
            MEASUREMENTS[name](Path(root), sizes)


if __name__ == "__main__":
    main()
