"""What is done to a store while its power is cut."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeAlias

from sessionkit_jsonl import JSONLBackend, JSONLOptions
from sessionkit_jsonl.files import Files

from sessionkit.store import SessionStore

Operation: TypeAlias = Callable[[SessionStore], object]

KEY: Final = "direct"
OTHER: Final = "telegram"


def opened(path: Path, files: Files | None = None, **options: Any) -> JSONLBackend:
    """A backend that compacts at every save. What is mounted does not change, and need not be read for each state."""
    settings: dict[str, Any] = {"compact_threshold": 0, "network": True, **options}
    return JSONLBackend(JSONLOptions(path=path, **settings), files)


def user(text: str) -> dict[str, str]:
    """A message."""
    return {"role": "user", "content": text}


GIVEN: Final[list[Operation]] = [
    lambda store: store.add_message(KEY, "user", "one"),
    lambda store: store.add_message(KEY, "assistant", "two"),
    lambda store: store.add_message(OTHER, "user", "hello"),
]

SCENARIOS: Final[dict[str, list[Operation]]] = {
    "appending": [
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.add_messages(KEY, [user("four"), user("5" * 1500), user("six")]),
        lambda store: store.add_message(OTHER, "user", "there"),
        lambda store: store.add_message(KEY, "user", "seven"),
    ],
    "truncating": [
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.truncate_history(KEY, 2),
        lambda store: store.truncate_history(KEY, 1, summary="what was said"),
        lambda store: store.add_message(KEY, "user", "four"),
        lambda store: store.pop_messages(KEY),
    ],
    "describing": [
        lambda store: store.set_summary(KEY, "what was said"),
        lambda store: store.update_session(KEY, metadata={"chat": 17}, aliases=["direct"]),
        lambda store: store.add_message(KEY, "user", "three"),
    ],
    "beginning": [
        lambda store: store.set_summary("cli:new", "what was said"),
        lambda store: store.add_message("cli:new", "user", "one"),
        lambda store: store.get_or_create("cli/new"),
        lambda store: store.add_messages("cli/new", [user("one"), user("two")]),
    ],
    "replacing": [
        lambda store: store.set_history(KEY, [user("anew"), user("and more")]),
        lambda store: store.truncate_history(KEY, 1),
        lambda store: store.set_history(KEY, [user("anew again")]),
        lambda store: store.update_session(KEY, messages=[user("last")], summary="what was said"),
    ],
    "compacting": [
        lambda store: store.truncate_history(KEY, 1, summary="what was said"),
        lambda store: store.save(KEY),
        lambda store: store.add_message(KEY, "user", "three"),
        lambda store: store.truncate_history(KEY, 0),
        lambda store: store.save(KEY),
    ],
    "deleting": [
        lambda store: store.delete_session(KEY),
        lambda store: store.delete_session(OTHER),
    ],
    "making again": [
        lambda store: store.delete_session(KEY),
        lambda store: store.add_message(KEY, "user", "again"),
        lambda store: store.add_message(KEY, "user", "and on"),
    ],
    "forking": [
        lambda store: store.set_summary(KEY, "what was said"),
        lambda store: store.fork_session(KEY, "fork"),
        lambda store: store.add_message("fork", "user", "three"),
    ],
}

OF_PICOCLAW: Final[list[Operation]] = [
    lambda store: store.add_message("cli:direct", "user", "four"),
    lambda store: store.truncate_history("cli:direct", 2),
    lambda store: store.add_message("lost", "user", "three"),
    lambda store: store.set_history("cli:direct", [user("anew")]),
    lambda store: store.save("cli:direct"),
    lambda store: store.delete_session("lost"),
]


def make_picoclaws(directory: Path) -> Path:
    """A directory as picoclaw leaves it: one session with truncated messages, and one whose messages a crash lost."""
    directory.mkdir()
    for key, skip, count, texts in (("cli:direct", 1, 3, ("one", "two", "three")), ("lost", 2, 3, ("one",))):
        path = directory / key.replace(":", "_")
        lines = [json.dumps(user(text), separators=(",", ":")) + "\n" for text in texts]
        path.with_suffix(".jsonl").write_text("".join(lines))
        moment = "2026-01-31T12:00:00.123456789Z"
        meta = {"key": key, "summary": "", "skip": skip, "count": count, "created_at": moment, "updated_at": moment}
        path.with_suffix(".meta.json").write_text(json.dumps(meta, indent=2))
    return directory


def drawn(seed: int, length: int) -> list[Operation]:
    """A scenario by lot. What was written is numbered, so that no two messages are alike."""
    lot = random.Random(seed)
    keys = ["cli:direct", "cli_direct", "fork"]
    there: set[str] = set()
    operations: list[Operation] = []
    for number in range(length):
        key = lot.choice(sorted(there) if there and lot.random() < 0.8 else keys)
        texts = [f"{number}.{part} " + "x" * lot.choice((0, 40, 700)) for part in range(lot.choice((1, 1, 2, 3)))]
        kind = lot.randrange(11)
        free = sorted({*keys} - there)
        if key not in there or kind < 4 or (kind == 10 and not free):
            operations.append(_adding(key, texts))
        elif kind == 10:
            operations.append(_forking(key, free[0]))
            key = free[0]
        elif kind == 9:
            operations.append(_deleting(key))
            there.discard(key)
            continue
        else:
            operations.append(_changing(kind, key, texts, number))
        there.add(key)
    return operations


def _adding(key: str, texts: list[str]) -> Operation:
    return lambda store: store.add_messages(key, [user(text) for text in texts])


def _forking(key: str, new: str) -> Operation:
    return lambda store: store.fork_session(key, new)


def _deleting(key: str) -> Operation:
    return lambda store: store.delete_session(key)


def _changing(kind: int, key: str, texts: list[str], number: int) -> Operation:
    messages = [user(text) for text in texts]
    if kind == 4:
        return lambda store: store.truncate_history(key, number % 4, summary=f"before {number}")
    if kind == 5:
        return lambda store: store.set_history(key, messages)
    if kind == 6:
        return lambda store: store.update_session(key, messages=messages, metadata={"turn": number})
    if kind == 7:
        return lambda store: store.set_summary(key, f"at {number}")
    return lambda store: store.save(key)
