"""The memory that exporting one long session takes: the most that the process ever had."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

WAYS = {
    "export_text, which the command uses": """
import json
from sessionkit.transfer import export_text
pieces, _ = export_text(store, key, json.dumps)
for piece in pieces:
    sink.write(piece)
""",
    "iter_history, message by message": """
for message in store.iter_history(key):
    sink.write(message.to_json())
""",
}

_PROGRAM = """
import sys
from sessionkit import open_store
sys.path.insert(0, {here!r})
from export_memory import megabytes
key = {key!r}
with open_store({url!r}) as store, open("/dev/null", "wb") as sink:
{work}
print(megabytes())
"""


def peaks(directory: Path, key: str) -> Iterator[tuple[str, float]]:
    """The megabytes of each way to export the session, each in a process of its own."""
    for way, work in WAYS.items():
        lines = "".join(f"    {line}\n" for line in work.strip().splitlines())
        program = _PROGRAM.format(here=str(Path(__file__).parent), key=key, url=f"jsonl:{directory}", work=lines)
        done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
        yield way, float(done.stdout)


def megabytes() -> float:
    """The most memory that this process had. On Linux ru_maxrss would count what its parent had, too."""
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) * 1024 / 1e6
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used / 1e6 if sys.platform == "darwin" else used * 1024 / 1e6
