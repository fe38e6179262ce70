"""How many syncs an append makes, counted by strace: in the worker, or in the server where that keeps the messages."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

SYNCS: Final = ("fsync", "fdatasync", "msync", "sync_file_range", "syncfs", "sync")
_MARKS: Final = ("access", "faccessat", "faccessat2")
_FILTER: Final = "trace=" + ",".join(f"?{name}" for name in (*SYNCS, *_MARKS))


def syncs(command: Sequence[str], env: Mapping[str, str], timeout: float, server: int | None) -> dict[str, int] | None:
    """Run a worker that makes marked appends: the syncs between the marks by name, or all of the server's meanwhile.

    None where there is no strace, or it may not trace.
    """
    strace = shutil.which("strace")
    if strace is None:
        return None
    with tempfile.TemporaryDirectory() as directory:
        log = Path(directory, "log")
        tracing = [strace, "-f", "-o", str(log), "-e", _FILTER]
        if server is None:
            done = subprocess.run(
                [*tracing, "--", *command], env=env, capture_output=True, timeout=timeout, check=False
            )
            return _between_marks(log.read_text(errors="replace")) if done.returncode == 0 else None
        with subprocess.Popen([*tracing, "-p", str(server)], stderr=subprocess.PIPE, text=True) as tracer:
            assert tracer.stderr is not None
            attached = "attached" in tracer.stderr.readline()
            try:
                done = subprocess.run(command, env=env, capture_output=True, timeout=timeout, check=False)
            finally:
                tracer.send_signal(signal.SIGINT)
            tracer.wait()
        return _counted(log.read_text(errors="replace")) if attached and done.returncode == 0 else None


def _between_marks(text: str) -> dict[str, int] | None:
    begin, end = text.find('"/begin"'), text.find('"/end"')
    return None if begin < 0 or end < begin else _counted(text[begin:end])


def _counted(text: str) -> dict[str, int]:
    names = re.findall(rf"^\d+ +({'|'.join(SYNCS)})\(", text, re.MULTILINE)
    return {name: names.count(name) for name in SYNCS if name in names}
