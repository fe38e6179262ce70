"""Runs the commands of recorded.md on the real conversations, and writes there what they print.

    python docs/reference/record.py CONVERSATIONS.jsonl

Look at the page before it is committed: no text of the conversations may stand in it, and what differs from run to run
is written as ``...`` by hand.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).with_name("recorded.md")
_BLOCK: Final = re.compile(r"(?<=^```console real\n).*?(?=^```$)", re.DOTALL | re.MULTILINE)


def main() -> None:
    """Run all commands of the page, and write down what they print."""
    if len(sys.argv) != 2:
        raise SystemExit(f"usage: python {sys.argv[0]} CONVERSATIONS.jsonl")
    with tempfile.TemporaryDirectory() as directory:
        environment = os.environ | {"CONVERSATIONS": str(Path(sys.argv[1]).resolve()), "NO_COLOR": "1"}

        def record(block: re.Match[str]) -> str:
            commands = [line for line in block[0].splitlines() if line.startswith("$ ")]
            return "".join(f"{command}\n{_run(command[2:], directory, environment)}" for command in commands)

        PAGE.write_text(_BLOCK.sub(record, PAGE.read_text("utf-8")), "utf-8")


def _run(command: str, directory: str, environment: dict[str, str]) -> str:
    """What a command prints. One that fails ends the recording."""
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
    )
    return done.stdout


if __name__ == "__main__":
    main()
