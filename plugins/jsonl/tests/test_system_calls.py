"""A real process that is killed, or told of a failure, at each system call of each operation.

A sample of the calls by default, drawn with a seed; all of them with ``SESSIONKIT_SYSTEM_CALLS=all``. The processes
are forked by this file, run as a program, so that each takes a few milliseconds.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

import attrs
import pytest

from sessionkit import SessionStore, open_store

Operation: TypeAlias = Callable[[SessionStore], object]

SAMPLE: Final = 2
"""So many calls of each operation and fault, unless all are asked for."""

KEYS: Final = ("k", "a:b", "fork")


def user(*texts: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text} for text in texts]


def given(store: SessionStore) -> None:
    store.add_messages("k", user("1", "2", "3"))
    store.add_message("k", "user", "4")
    store.add_messages("k", user("5", "6"))
    store.add_message("a:b", "user", "of another")


def cut(store: SessionStore) -> None:
    given(store)
    store.truncate_history("k", 2, summary="s")


def cut_of_many(store: SessionStore) -> None:
    store.add_messages("k", user(*map(str, range(2100))))
    store.truncate_history("k", 1)


def summarised(store: SessionStore) -> None:
    store.set_summary("k", "s")


def nothing(store: SessionStore) -> None:
    pass


def deleted(store: SessionStore) -> None:
    given(store)
    store.delete_session("k")


OPERATIONS: Final[dict[str, tuple[Operation, Operation]]] = {
    "append": (given, lambda store: store.add_message("k", "user", "new")),
    "append a batch": (given, lambda store: store.add_messages("k", user("new", "newer"))),
    "append the first message": (nothing, lambda store: store.add_message("k", "user", "new")),
    "append the first to a document": (summarised, lambda store: store.add_message("k", "user", "new")),
    "append the first of a colliding key": (given, lambda store: store.add_message("a/b", "user", "new")),
    "append after a deletion": (deleted, lambda store: store.add_message("k", "user", "new")),
    "truncate": (given, lambda store: store.truncate_history("k", 2)),
    "truncate and summarise": (given, lambda store: store.truncate_history("k", 2, summary="s")),
    "set the summary": (given, lambda store: store.set_summary("k", "s")),
    "set the history": (cut, lambda store: store.set_history("k", user("new"))),
    "set history and summary": (cut, lambda store: store.update_session("k", messages=user("new"), summary="t")),
    "set a history and fold": (cut_of_many, lambda store: store.set_history("k", user("new"))),
    "compact": (cut, lambda store: store.save("k")),
    "delete": (cut, lambda store: store.delete_session("k")),
    "delete a document": (summarised, lambda store: store.delete_session("k")),
    "fork": (cut, lambda store: store.fork_session("k", "fork")),
}


def open_jsonl(path: Path, *, archive: bool) -> SessionStore:
    options = {"path": str(path), "compact_threshold": 0, "archive": archive}
    return open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": options}})


def view(store: SessionStore) -> list[Any]:
    seen: list[Any] = []
    for key in (*KEYS, "a/b"):
        session = store.get_session(key)
        seen.append([session.exists, [message.text for message in session.messages], session.summary])
    return [*seen, sorted(info.key for info in store.list_sessions())]


def view_of(path: Path, *, archive: bool) -> list[Any]:
    with open_jsonl(path, archive=archive) as store:
        return view(store)


# --- the program


def serve() -> None:
    """For each line of orders: fork a process that gets ready, waits for the next line, and does it."""
    for line in sys.stdin:
        name, path, archive = json.loads(line)
        going, go = os.pipe()
        is_ready, ready = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                act(name, Path(path), going, ready, archive=archive)
            except BaseException:  # it is told to whoever reads the output of the tests
                traceback.print_exc()
            finally:
                os._exit(1)
        os.close(ready)
        print(child if os.read(is_ready, 1) else "it ended before it was ready", flush=True)
        sys.stdin.readline()
        os.write(go, b"x")
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        for descriptor in (going, go, is_ready):
            os.close(descriptor)


def act(name: str, path: Path, going: int, ready: int, *, archive: bool) -> None:
    store = open_jsonl(path, archive=archive)
    view(store)
    os.write(ready, b"x")
    os.read(going, 1)
    outcome = "stored"
    try:
        OPERATIONS[name][1](store)
    except Exception as error:  # whatever it is, it is told
        outcome = type(error).__name__
    after = path.with_name(f"{path.name}.told")
    after.write_text(outcome)
    store.add_message("k", "user", "one more")
    os._exit(0)  # without closing anything, as who is killed


# --- the tests


@attrs.frozen
class Server:
    """The program, and who traces what it forks."""

    process: subprocess.Popen[str]
    strace: str
    room: Path

    def order(self, line: str) -> str:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def perform(self, name: str, path: Path, *arguments: str, archive: bool) -> int:
        """Let a process do an operation, traced with these arguments. Returns its exit code."""
        child = self.order(json.dumps([name, str(path), archive]))
        assert child.isdecimal(), child
        tracer = subprocess.Popen(
            [self.strace, "-f", "-o", str(self.room / "log"), *arguments, "-p", child],
            stderr=subprocess.PIPE,
            text=True,
        )
        assert tracer.stderr is not None
        told = tracer.stderr.readline()
        if "attached" not in told:
            self.order("")
            pytest.skip(f"strace may not trace here: {told.strip()}")
        code = int(self.order(""))
        tracer.communicate()
        return code


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("strace is not installed")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SESSIONKIT_")}
    process = subprocess.Popen(
        [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment
    )
    try:
        yield Server(process, strace, tmp_path_factory.mktemp("traced"))
    finally:
        process.communicate()
        assert process.returncode == 0


ALL: Final = os.environ.get("SESSIONKIT_SYSTEM_CALLS") == "all"

ARCHIVING: Final = (
    "append after a deletion",
    "set the history",
    "set history and summary",
    "set a history and fold",
    "compact",
    "delete",
)

SETTINGS: Final = [(name, False) for name in OPERATIONS] + [(name, True) for name in ARCHIVING]

ERRORS: Final = {
    "fdatasync": "EIO",
    "fsync": "EIO",
    "ftruncate": "EIO",
    "link": "ENOSPC",
    "newfstatat": "EIO",
    "openat": "EMFILE",
    "pread64": "EIO",
    "pwrite64": "ENOSPC",
    "rename": "EIO",
    "unlink": "EIO",
    "utimensat": "EIO",
    "write": "ENOSPC",
}


@attrs.frozen
class Setting:
    """An operation: the directory before, what is seen before and after, and its calls."""

    name: str
    archive: bool
    template: Path
    before: list[Any]
    after: list[Any]
    calls: list[tuple[str, int]]

    def drawn(self, calls: list[tuple[str, int]]) -> list[tuple[str, int]]:
        if ALL or len(calls) <= SAMPLE:
            return calls
        places = sorted(Random(self.name).sample(range(len(calls)), SAMPLE))
        return [calls[place] for place in places]


def calls_of(server: Server, name: str, path: Path, *, archive: bool) -> list[tuple[str, int]]:
    """The calls of an operation, in their order, and which of its name each is."""
    counts: Counter[str] = Counter()
    calls: list[tuple[str, int]] = []
    server.perform(name, path, archive=archive)
    for line in (server.room / "log").read_text(errors="replace").splitlines():
        match = re.match(r"\d+ +([a-z0-9_]+)\(", line)
        if match is None:
            continue
        counts[match[1]] += 1
        if ".told" in line:
            break
        calls.append((match[1], counts[match[1]]))
    return calls


@pytest.fixture(
    params=SETTINGS if ALL else Random(1).sample(SETTINGS, 5),
    ids=lambda param: param[0] + (" with archive" if param[1] else ""),
)
def setting(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Setting:
    name, archive = request.param
    template = tmp_path / "template"
    with open_jsonl(template, archive=archive) as store:
        OPERATIONS[name][0](store)
        before = view(store)
    shutil.copytree(template, tmp_path / "whole")
    calls = calls_of(server, name, tmp_path / "whole", archive=archive)
    shutil.rmtree(tmp_path / "whole")
    shutil.copytree(template, tmp_path / "whole")
    with open_jsonl(tmp_path / "whole", archive=archive) as store:
        OPERATIONS[name][1](store)
        after = view(store)
    return Setting(name, archive, template, before, after, calls)


def with_one_more(seen: list[Any]) -> list[Any]:
    first = [True, [*seen[0][1], "one more"], seen[0][2]]
    return [first, *seen[1:-1], sorted({*seen[-1], "k"})]


def test_who_is_killed_leaves_what_was_or_what_should_be(server: Server, tmp_path: Path, setting: Setting) -> None:
    calls = setting.drawn([call for call in setting.calls if call[0] != "read"])  # which is how it waits to begin
    moved = False
    path = tmp_path / "sessions"
    for call, when in calls:
        shutil.copytree(setting.template, path)
        fault = f"inject={call}:signal=KILL:when={when}"
        code = server.perform(setting.name, path, "-e", f"trace={call}", "-e", fault, archive=setting.archive)
        assert code == -signal.SIGKILL, fault
        seen = view_of(path, archive=setting.archive)
        assert seen in ([setting.after] if moved else [setting.before, setting.after]), fault
        moved = moved or seen == setting.after != setting.before
        with open_jsonl(path, archive=setting.archive) as store:
            store.add_message("k", "user", "one more")
        assert view_of(path, archive=setting.archive) == with_one_more(seen), fault
        shutil.rmtree(path)
    print(f"{setting.name}: killed at {len(calls)} of {len(setting.calls)} calls")


def test_who_is_told_of_a_failure_tells_what_became_of_it(server: Server, tmp_path: Path, setting: Setting) -> None:
    """The process goes on afterwards: what it writes then, when the cause is gone, is stored."""
    calls = setting.drawn([call for call in setting.calls if call[0] in ERRORS])
    told: Counter[str] = Counter()
    wrong: list[str] = []
    path = tmp_path / "sessions"
    for call, when in calls:
        shutil.copytree(setting.template, path)
        fault = f"inject={call}:error={ERRORS[call]}:when={when}"
        code = server.perform(setting.name, path, "-e", f"trace={call}", "-e", fault, archive=setting.archive)
        assert code == 0, fault
        outcome = path.with_name("sessions.told").read_text()
        told[outcome] += 1
        possible = {
            "stored": [setting.after],
            "BackendUnavailableError": [setting.before],
            "CorruptSessionError": [setting.before],
            "OutcomeUnknownError": [setting.before, setting.after],
        }
        if view_of(path, archive=setting.archive) not in map(with_one_more, possible.get(outcome, [])):
            wrong.append(f"{fault}: {outcome}")
        shutil.rmtree(path)
    print(f"{setting.name}: {len(calls)} failures: {dict(told)}")
    assert not wrong


if __name__ == "__main__":
    serve()
