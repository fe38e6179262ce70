"""The same work on sessionkit and on what else keeps conversations; and the page that tells what was found.

python benchmarks/bench_peers.py run --envs DIRECTORY --fast -o results.json
python benchmarks/bench_peers.py page results.json
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from peers.catalogue import CONTENDERS
from peers.page import write
from peers.runner import Run

DOCS = Path(__file__).resolve().parents[1] / "docs" / "explanation"
MINUTES = {"tiny": 5.0, "fast": 12.0, "full": 40.0}


def run(arguments: argparse.Namespace) -> None:
    """Measure, and keep the results in a file."""
    size = "tiny" if arguments.tiny else "fast" if arguments.fast else "full"
    chosen = [one for one in CONTENDERS if any(part in one.adapter for part in arguments.only.split(","))]
    arguments.envs.mkdir(parents=True, exist_ok=True)
    results = Run(arguments.envs.resolve(), size, 60 * (arguments.minutes or MINUTES[size])).all(chosen)
    arguments.output.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")


def page(arguments: argparse.Namespace) -> None:
    """Write the page and its plots."""
    write(json.loads(arguments.results.read_text(encoding="utf-8")), arguments.directory)


def main() -> None:
    """Do what the arguments say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    measuring = commands.add_parser("run", help="measure")
    measuring.add_argument("--envs", type=Path, required=True, help="where the environments of the peers are kept")
    measuring.add_argument("--fast", action="store_true", help="fewer repetitions: at most 12 minutes, not 40")
    measuring.add_argument("--tiny", action="store_true", help="only to see that everything runs")
    measuring.add_argument("--minutes", type=float, help="another limit; installing is not counted")
    measuring.add_argument("--only", default="", help="parts of adapters' names, with commas: sessionkit,langchain:sql")
    measuring.add_argument("-o", "--output", type=Path, required=True, help="the file for the results")
    measuring.set_defaults(call=run)
    writing = commands.add_parser("page", help="write the page from results")
    writing.add_argument("results", type=Path)
    writing.add_argument("--directory", type=Path, default=DOCS, help="where peers.md and its plots go")
    writing.set_defaults(call=page)
    arguments = parser.parse_args()
    arguments.call(arguments)


if __name__ == "__main__":
    main()
