"""What the conformance suite runs in other processes: ``python -m sessionkit.testing.child SOURCE COMMAND …``."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from typing import Final

from sessionkit.store import SessionStore, open_store


def append(store: SessionStore, key: str, writer: str, count: str) -> None:
    """Append numbered messages, and print each number when its write was acknowledged."""
    for number in range(int(count)):
        store.add_message(key, writer, str(number))
        print(number, flush=True)
    store.save(key)


def append_batches(store: SessionStore, key: str, writer: str, count: str) -> None:
    """Append batches of three with the same number."""
    for number in range(int(count)):
        store.add_messages(key, [{"role": writer, "content": str(number)}] * 3)
        print(number, flush=True)
    store.save(key)


def read(store: SessionStore, key: str) -> None:
    """Print a session as one JSON object."""
    session = store.get_session(key)
    print(json.dumps({"messages": [m.to_dict() for m in session.messages], "summary": session.summary}))


def edit(store: SessionStore, key: str) -> None:
    """Change a session in every way, and delete another one; then wait to be killed."""
    store.add_message("gone", "user", "x")
    store.add_message(key, "user", "old")
    store.set_history(key, [{"role": "user", "content": text} for text in "abc"])
    store.truncate_history(key, 1)
    store.set_summary(key, "a, b")
    store.update_session(key, metadata={"m": 1}, aliases=["nick"])
    store.delete_session("gone")
    _wait_to_be_killed()


def save_and_go_on(store: SessionStore, key: str) -> None:
    """Save twice and write on; then wait to be killed."""
    for text in ("saved", "saved again"):
        store.add_message(key, "user", text)
        store.save(key)
    store.add_message(key, "user", "not saved")
    _wait_to_be_killed()


def _wait_to_be_killed() -> None:
    print("done", flush=True)
    threading.Event().wait()


COMMANDS: Final[dict[str, Callable[..., None]]] = {
    "append": append,
    "append-batches": append_batches,
    "read": read,
    "edit": edit,
    "save-and-go-on": save_and_go_on,
}


def main(source: str, command: str, *arguments: str) -> None:
    """Open the source and run a command."""
    with open_store(json.loads(source), on_write_error="raise") as store:
        COMMANDS[command](store, *arguments)


if __name__ == "__main__":
    main(*sys.argv[1:])
