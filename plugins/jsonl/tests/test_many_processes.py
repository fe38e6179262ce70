"""Four processes append to five sessions, while one truncates, compacts and lists, and another one reads.

Each writer's messages are numbered. Whoever looks, at whatever moment, sees of each writer a run of numbers without
gap and without repetition; in the end the archive and the history have all of them. ``SESSIONKIT_PROCESS_MESSAGES``
says how many messages each writer appends to each session.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final, TypeAlias

from sessionkit_jsonl import read_archive

from sessionkit import SessionStore

Reopen: TypeAlias = Callable[..., SessionStore]

MESSAGES: Final = int(os.environ.get("SESSIONKIT_PROCESS_MESSAGES", "30"))
SESSIONS: Final = [f"telegram:{number}" for number in range(5)]
WRITERS: Final = "abcd"

PROGRAM: Final = """
import json, os, sys
from collections import Counter
from pathlib import Path
from sessionkit import open_store

path, task, messages, sessions = sys.argv[1], sys.argv[2], int(sys.argv[3]), json.loads(sys.argv[4])
options = {"path": path, "compact_threshold": 10_000, "archive": True}
store = open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": options}})
end = Path(path, "end")  # no session: nobody lists it
did = Counter()


def write(writer):
    for number in range(messages):
        for key in sessions:
            store.add_message(key, "user", f"{writer} {number} " + "x" * 200)
            did["appended"] += 1


def change():
    for key in sessions:
        store.truncate_history(key, 20, summary="so far")
        store.save(key)
        did["truncated"] += 1
    listed = [info.key for info in store.list_sessions()]
    assert listed == sorted(set(listed)), listed
    did["listed"] += 1


def look():
    for key in sessions:
        session = store.get_session(key)
        for texts in ([m.text for m in session.messages], [m.text for m in store.get_history(key, 10)]):
            expected = {}
            for text in texts:
                writer, number, _ = text.split(" ", 2)
                assert expected.get(writer, int(number)) == int(number), (key, text)
                expected[writer] = int(number) + 1
        assert session.count == len(session.messages)
        did["looked"] += 1


print("ready", flush=True)
sys.stdin.readline()
if task in ("change", "look"):
    while not end.exists():
        change() if task == "change" else look()
else:
    write(task)
print(json.dumps(did))
"""


def test_nothing_is_lost_doubled_or_out_of_order(directory: Path, reopen: Reopen) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SESSIONKIT_")}
    with reopen() as store:
        for key in SESSIONS:
            store.get_or_create(key)
    processes = {
        task: subprocess.Popen(
            [sys.executable, "-c", PROGRAM, str(directory), task, str(MESSAGES), json.dumps(SESSIONS)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for task in (*WRITERS, "change", "look")
    }
    try:
        for process in processes.values():
            assert process.stdout is not None
            process.stdout.readline()
        for process in processes.values():
            assert process.stdin is not None
            process.stdin.write("\n")
            process.stdin.flush()
        done = {writer: _ended(processes[writer]) for writer in WRITERS}
        (directory / "end").touch()
        others = _ended(processes["change"]) | _ended(processes["look"])
    finally:
        for process in processes.values():
            process.kill()
            process.wait()
    print(f"{done}, {others}")
    assert all(did == {"appended": MESSAGES * len(SESSIONS)} for did in done.values())
    assert min(others.values()) > 0

    with reopen() as store:
        for key in SESSIONS:
            archive = directory / f"{key.replace(':', '_')}.archive"
            with reopen(compact_threshold=0, archive=True) as compacting:
                compacting.save(key)
            archived = [message.text for message in read_archive(archive)] if archive.exists() else []
            kept = [message.text for message in store.get_history(key)]
            assert _numbers([*archived, *kept]) == {writer: [*range(MESSAGES)] for writer in WRITERS}


def _ended(process: subprocess.Popen[str]) -> dict[str, int]:
    output, errors = process.communicate()
    assert process.returncode == 0, errors
    did: dict[str, int] = json.loads(output)
    return did


def _numbers(texts: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = defaultdict(list)
    for text in texts:
        writer, number, _ = text.split(" ", 2)
        found[writer].append(int(number))
    return found
