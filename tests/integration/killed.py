"""A program in a process of its own that kills itself (kill -9) before a certain call that changes a file."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

_RUNNER = """
import functools, os, signal, sys

survived, counted, program = int(sys.argv.pop(1)), sys.argv.pop(1), sys.argv.pop(1)
calls = 0

def killing(call):
    @functools.wraps(call)
    def counting(*arguments, **named):
        global calls
        calls += 1
        if calls == survived:
            os.kill(os.getpid(), signal.SIGKILL)
        return call(*arguments, **named)
    return counting

for name in ("open", "write", "pwrite", "fsync", "fdatasync", "rename", "replace", "link", "unlink", "ftruncate"):
    setattr(os, name, killing(getattr(os, name)))
exec(program)
if counted:
    with open(counted, "w") as file:
        file.write(str(calls))
"""


def count_calls(place: Path, program: str, *arguments: str) -> int:
    """Run a program to its end, and count the calls that change files."""
    assert _run(0, str(place), program, arguments) == 0
    return int(place.read_text())


def run_until_killed(survived: int, program: str, *arguments: str) -> bool:
    """Run a program; whether it was killed before it ended."""
    return _run(survived, "", program, arguments) != 0


def _run(survived: int, counted: str, program: str, arguments: tuple[str, ...]) -> int:
    done = subprocess.run(
        [sys.executable, "-c", _RUNNER, str(survived), counted, program, *arguments],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode in {0, -signal.SIGKILL}, done.stderr
    return done.returncode
