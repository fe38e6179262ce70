"""How many system calls appends and turns of an agent make, whatever the length of the history."""

from __future__ import annotations

import collections
import shutil
import subprocess
import sys
import textwrap
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, platforms
from sessionkit_jsonl.files import Files, OpenFile

from sessionkit.messages import Message

OpenBackend: TypeAlias = Callable[..., JSONLBackend]

PROGRAM = """
    import ctypes, os, sys
    from sessionkit import open_store

    message = {"role": "user", "content": "x" * 1000}
    stores = {}
    for durability in ("always", "os"):
        url = f"jsonl:{sys.argv[1]}/{durability}?durability={durability}"
        store = stores[durability] = open_store(url, on_write_error="raise")
        for key, length in (("short", 1), ("long", 5000)):
            store.add_messages(key, [message] * length)
            for _ in range(50):
                store.add_full_message(key, message)
    ctypes.CDLL(None).prctl(0x59616D61, ctypes.c_ulong(-1), 0, 0, 0)  # whoever wants to may trace this
    print("ready", flush=True)
    sys.stdin.read()
    for durability, store in stores.items():
        for key in ("short", "long"):
            store.add_full_message(key, message)  # the making of files changed names: this one looks again
            os.access(f"/{durability} {key}", os.F_OK)
            for _ in range(20):
                store.add_full_message(key, message)
            os.access("/end", os.F_OK)
            store.get_history(key, 20)
            store.save(key)
            os.access(f"/{durability} {key}, turns", os.F_OK)
            for _ in range(20):
                store.get_history(key, 20)
                for _ in range(4):
                    store.add_full_message(key, message)
                store.save(key)
            os.access("/end", os.F_OK)
"""


@pytest.fixture
def traced(tmp_path: Path) -> dict[str, Counter[str]]:
    """The system calls by name, for each durability and length of the history, of twenty appends and turns."""
    if platforms.current != platforms.Platform() or shutil.which("strace") is None:
        pytest.skip("there is no strace")
    trace = tmp_path / "trace"
    command = [sys.executable, "-c", textwrap.dedent(PROGRAM), str(tmp_path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdin
        assert program.stdout
        assert program.stdout.readline() == "ready\n"
        attaching = ["strace", "-o", str(trace), "-p", str(program.pid)]
        with subprocess.Popen(attaching, stderr=subprocess.PIPE, text=True) as strace:
            assert strace.stderr
            attached = "attached" in strace.stderr.readline()
            program.stdin.close()
            assert program.wait(60) == 0
    if not attached:
        pytest.skip("strace may not trace here")
    found: dict[str, Counter[str]] = {}
    calls: Counter[str] = Counter()
    for line in trace.read_text().splitlines():
        name = line.partition("(")[0]
        if name in ("access", "faccessat", "faccessat2"):
            calls = found[line.split('"')[1]] = Counter()
        else:
            calls[name] += 1
    return found


def test_an_append_makes_the_same_few_calls_after_any_history(traced: dict[str, Counter[str]]) -> None:
    for durability in ("always", "os"):
        for length in ("short", "long"):
            calls = traced[f"/{durability} {length}"]
            looks = sum(calls.pop(name, 0) for name in ("stat", "newfstatat", "fstatat64", "statx"))
            expected = {"fcntl": 2, "ioctl": 1, "stat": 1, "write": 1, "fdatasync": 1}
            if durability == "os":
                del expected["fdatasync"]
            if not calls["ioctl"]:  # nobody tells of changed names here: then there are two more looks
                del calls["ioctl"], expected["ioctl"]
                expected["stat"] = 3
            assert {**calls, "stat": looks} == {name: 20 * number for name, number in expected.items()}


def test_a_turn_looks_reads_nothing_and_syncs_once_for_each_message(traced: dict[str, Counter[str]]) -> None:
    for length in ("short", "long"):
        calls = traced[f"/always {length}, turns"]
        looks = sum(calls.pop(name, 0) for name in ("stat", "newfstatat", "fstatat64", "statx"))
        expected = {"fcntl": 8, "ioctl": 5, "stat": 7, "write": 4, "fdatasync": 4}
        if not calls["ioctl"]:
            del calls["ioctl"], expected["ioctl"]
            expected["stat"] = 17
        assert {**calls, "stat": looks} == {name: 20 * number for name, number in expected.items()}


class Counting(Files):
    """Files that count their calls."""

    calls: Counter[str]

    def __init__(self) -> None:
        object.__setattr__(self, "calls", collections.Counter())

    def __getattribute__(self, name: str) -> object:
        if not name.startswith("_") and name != "calls":
            self.calls[name] += 1
        return super().__getattribute__(name)


def test_an_append_changes_nothing_but_the_end_of_the_log(
    open_backend: OpenBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = Counting()
    reads: list[int] = []
    backend = open_backend(files)
    read = OpenFile.read

    def noted(file: OpenFile, offset: int, size: int) -> bytes:
        reads.append(offset)
        return read(file, offset, size)

    monkeypatch.setattr(OpenFile, "read", noted)
    for length in (2, 500):
        backend.sessionkit_add_messages("k", [Message.simple("user", "x" * 1000)] * length, "")
        backend.sessionkit_add_messages("k", [Message.simple("user", "next")], "")
        backend.sessionkit_add_messages("k", [Message.simple("user", "next")], "")
        files.calls.clear()
        reads.clear()
        backend.sessionkit_add_messages("k", [Message.simple("user", "last")], "")
        assert files.calls == {"write": 1, "sync_data": 1}
        assert reads == []
