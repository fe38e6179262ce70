"""A process that is killed, before any of the calls that an operation makes."""

from __future__ import annotations

import functools
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import pytest
from sessionkit_jsonl import JSONLBackend, JSONLOptions
from sessionkit_jsonl.files import TEMPORARY_PREFIX, Files

from sessionkit.memory import MemoryBackend
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED, Session

Operation: TypeAlias = Callable[[Any], object]

CHANGES = (
    "make_directory",
    "create",
    "open_lock",
    "temporary",
    "write",
    "overwrite",
    "truncate",
    "set_modified",
    "sync_data",
    "sync",
    "sync_directory",
    "rename",
    "publish",
    "keep",
    "remove",
)


class KilledError(BaseException):
    """Stands for the end of the process."""


class DyingFiles:
    """The files of a process that is killed before a certain call."""

    def __init__(self, survived: int) -> None:
        self.survived = survived
        self._files = Files()

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._files, name)
        if name not in CHANGES:
            return call

        @functools.wraps(call)
        def counted(*args: Any) -> Any:
            if self.survived <= 0:
                raise KilledError(name)
            self.survived -= 1
            return call(*args)

        return counted


def _user(text: str) -> Message:
    return Message.simple("user", text)


def _update(messages: Any = UNCHANGED, summary: Any = UNCHANGED, key: str = "k") -> Operation:
    return lambda backend: backend.sessionkit_update_session(
        key, messages, summary, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, None, ""
    )


def _truncate(keep_last: int, summary: Any = UNCHANGED) -> Operation:
    return lambda backend: backend.sessionkit_truncate_history("k", keep_last, None, summary, None, None, "")


def _append(*texts: str, key: str = "k") -> Operation:
    return lambda backend: backend.sessionkit_add_messages(key, [_user(text) for text in texts], "")


def _save(backend: Any) -> object:
    return isinstance(backend, MemoryBackend) or backend.sessionkit_save("k")


def _delete(backend: Any) -> object:
    return backend.sessionkit_delete_session("k", None)


GIVEN = [_append("1", "2", "3"), _append("4"), _append("5", "6"), _append("of another", key="a")]

OPERATIONS: dict[str, tuple[list[Operation], Operation]] = {
    "append": (GIVEN, _append("new")),
    "append a batch": (GIVEN, _append("new", "newer")),
    "create": ([], _append("new", "newer")),
    "create with a summary": ([], _update([_user("new")], "s")),
    "create without messages": ([], _update(summary="s")),
    "append the first message": ([_update(summary="s")], _append("new")),
    "truncate": (GIVEN, _truncate(2)),
    "truncate and summarise": (GIVEN, _truncate(2, "s")),
    "truncate all": (GIVEN, _truncate(0)),
    "replace the history": (GIVEN, _update([_user("new")])),
    "replace a truncated history": ([*GIVEN, _truncate(2)], _update([_user("new")])),
    "replace history and summary": ([*GIVEN, _truncate(2)], _update([_user("new")], "s")),
    "replace a long history": ([_append(*map(str, range(2100))), _truncate(1)], _update([_user("new")], "s")),
    "compact": ([*GIVEN, _truncate(2, "s")], _save),
    "compact nothing": ([*GIVEN, _truncate(0, "s")], _save),
    "delete": (GIVEN, _delete),
    "delete without messages": ([_update(summary="s")], _delete),
    "append after a deletion": ([*GIVEN, _delete], _append("new")),
}


def _open(path: Path, files: Any = None) -> JSONLBackend:
    return JSONLBackend(JSONLOptions(path=path, compact_threshold=0, durability="always"), files)


def _view(backend: Any) -> tuple[Any, ...]:
    session: Session = backend.sessionkit_get_session("k", None)
    listed = [info.key for info in backend.sessionkit_list_sessions("", None, 10).sessions]
    return session.exists, [message.text for message in session.messages], session.summary, listed


@pytest.mark.parametrize(("given", "operation"), OPERATIONS.values(), ids=OPERATIONS)
def test_a_session_is_what_it_was_or_what_it_should_become(
    tmp_path: Path, given: list[Operation], operation: Operation
) -> None:
    model = MemoryBackend()
    template = tmp_path / "template"
    for step in given:
        step(model)
        step(_open(template))
    _open(template)
    before = _view(model)
    operation(model)
    after = _view(model)
    moved = False
    for survived in itertools.count(1):
        directory = tmp_path / str(survived)
        shutil.copytree(template, directory)
        try:
            operation(_open(directory, DyingFiles(survived)))
        except KilledError:
            view = _view(_open(directory))
            assert view in ((after,) if moved else (before, after))
            moved = moved or (view == after != before)
            _append("one more")(_open(directory))
            assert _view(_open(directory))[1] == [*view[1], "one more"]
        else:
            assert _view(_open(directory)) == after
            assert not [path.name for path in directory.iterdir() if path.name.startswith(TEMPORARY_PREFIX)]
            return


WRITER = """
import sys
from pathlib import Path
from sessionkit import open_store
store = open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": {"path": sys.argv[1]}}})
for number in range(4):
    store.add_message("k", "user", str(number))
    print(len(store.get_history("k")), flush=True)
store.truncate_history("k", 2, summary="s")
print("truncated", flush=True)
store.set_history("k", [{"role": "user", "content": "new"}])
print("replaced", flush=True)
store.delete_session("k")
print("deleted", flush=True)
"""

STATES = [
    (False, [], ""),
    *[(True, [str(number) for number in range(count)], "") for count in (1, 2, 3, 4)],
    (True, ["2", "3"], "s"),
    (True, ["new"], "s"),
    (False, [], ""),
]


def strace(*arguments: str, log: Path) -> list[str]:
    """The beginning of a command line that runs a program with faults injected."""
    program = shutil.which("strace")
    if program is None:
        pytest.skip("strace is not installed")
    command = [program, "-f", "-qq", "-o", str(log), *arguments]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("strace may not trace here, or does not know these arguments")
    return command


@pytest.mark.parametrize(
    ("call", "when"),
    [
        ("fdatasync", 2),
        ("renameat,rename,renameat2", 1),
        ("renameat,rename,renameat2", 2),
        ("link,linkat", 1),
        ("unlink,unlinkat", 3),
    ],
)
def test_a_real_kill_at_a_system_call_leaves_a_state_in_between(tmp_path: Path, call: str, when: int) -> None:
    directory = tmp_path / "sessions"
    command = strace("-e", f"inject={call}:signal=KILL:error=EIO:when={when}", log=tmp_path / "log")
    done = subprocess.run(
        [*command, sys.executable, "-c", WRITER, str(directory)],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert done.returncode in (-signal.SIGKILL, 128 + signal.SIGKILL), done.stderr
    acknowledged = len(done.stdout.split())
    session = _open(directory).sessionkit_get_session("k", None)
    state = (session.exists, [message.text for message in session.messages], session.summary)
    assert state in STATES[acknowledged : acknowledged + 2], json.dumps([state, acknowledged])
    _append("one more")(_open(directory))
