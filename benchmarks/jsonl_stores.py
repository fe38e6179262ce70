"""What the measurements of the jsonl backend share: stores, messages, sizes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import attrs
from interleaved import Contender, timed

from sessionkit import Message, SessionStore, open_store

KEY: Final = "bench:jsonl"
OURS: Final = "sessionkit"
CONVERSATIONS: Final = Path(__file__).resolve().parents[2] / "shared" / "data" / "airline-conversations.jsonl"

MESSAGE: Final = Message.simple("user", "x" * (1023 - len(Message.simple("user", "").to_json())))
LINE: Final = MESSAGE.to_json() + b"\n"
"""1 KB."""


@attrs.frozen
class Sizes:
    """How much is measured."""

    rounds: int
    long: int
    read: int
    sessions: int
    export_mb: int


def opened(directory: Path, **options: Any) -> SessionStore:
    """A store that raises what fails."""
    settings = {"path": str(directory), **options}
    return open_store({"backend": "jsonl", "on_write_error": "raise", "backends": {"jsonl": settings}})


def filled(directory: Path, count: int, *, at_once: int = 1000) -> Path:
    """A directory with one session of so many messages, written some at once."""
    with opened(directory, durability="os") as store:
        for first in range(0, count, at_once):
            store.add_messages(KEY, [MESSAGE] * min(at_once, count - first))
    return directory


def crowded(directory: Path, count: int) -> Path:
    """A directory with so many sessions: one that the backend made, and copies of its files."""
    with opened(directory) as store:
        store.add_message("telegram:0", "user", "hello")
    first = directory / "telegram_0.jsonl"
    log, document = first.read_bytes(), first.with_suffix(".meta.json").read_bytes()
    for number in range(1, count):
        path = directory / f"telegram_{number}.jsonl"
        path.write_bytes(log)
        path.with_suffix(".meta.json").write_bytes(document.replace(b'"telegram:0"', b'"telegram:%d"' % number))
    return directory


def adding(store: SessionStore) -> Contender:
    """Appends 1 KB."""
    return timed(lambda: store.add_full_message(KEY, MESSAGE))


def real_messages() -> list[Message]:
    """The messages of real conversations, where they are."""
    if not CONVERSATIONS.is_file():
        return []
    with CONVERSATIONS.open(encoding="utf-8") as lines:
        return [Message.from_dict(value) for line in lines for value in json.loads(line)["messages"]]
