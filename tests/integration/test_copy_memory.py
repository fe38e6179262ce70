"""Copying a long session holds a batch of it, never the whole."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from sessionkit import open_store

pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")

pytestmark = pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs Linux, which tells the memory")

LENGTH = 20_000
WHOLE = 10_000_000  # bytes that as many messages take at least once they are decoded, see the second test
COPY = """
import sys
from sessionkit import open_store
from sessionkit.transfer import copy_sessions

def used():  # ru_maxrss would count what the parent had, too
    return int(open("/proc/self/status").read().partition("VmHWM:")[2].split()[0]) * 1024

with open_store(sys.argv[1]) as source, open_store(sys.argv[2]) as target:
    copy_sessions(source, target, ["short"])
    before = used()
    if sys.argv[3] == "whole":
        kept = source.get_history("long")
    else:
        assert copy_sessions(source, target, ["long"]).messages == int(sys.argv[4])
    print(used() - before)
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"jsonl:{tmp_path_factory.mktemp('source')}?durability=os"
    with open_store(url, on_write_error="raise") as store:
        for key, length in (("short", 3000), ("long", LENGTH)):
            for first in range(0, length, 1000):
                messages = [{"role": "user", "content": f"{n} {'x' * 200}", "x": {"n": n}} for n in range(1000)]
                store.add_messages(key, messages[: length - first])
    return url


def _grown(url: str, tmp_path: Path, what: str) -> int:
    command = [sys.executable, "-c", COPY, url, f"jsonl:{tmp_path}?durability=os", what, str(LENGTH)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def test_a_session_ten_times_as_long_takes_hardly_more_memory(url: str, tmp_path: Path) -> None:
    assert _grown(url, tmp_path, "copy") < WHOLE / 2


def test_the_whole_session_would_take_far_more(url: str, tmp_path: Path) -> None:
    assert _grown(url, tmp_path, "whole") > WHOLE
