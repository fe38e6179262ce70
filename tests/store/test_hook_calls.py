"""How often an operation calls the backend: the table in the docs, row by row."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import pytest

from sessionkit import SessionStore

from .backends import FlakyBackend, store_on

PAGE: Final = Path(__file__).parents[2] / "docs/explanation/performance.md"
KEY: Final = "k"

OPERATIONS: Final[dict[str, Callable[[SessionStore], object]]] = {
    "add_message": lambda store: store.add_message(KEY, "user", "x"),
    "add_full_message": lambda store: store.add_full_message(KEY, {"role": "user"}),
    "add_messages": lambda store: store.add_messages(KEY, [{"role": "user"}] * 3),
    "get_history": lambda store: store.get_history(KEY, 2),
    "get_history_page": lambda store: store.get_history_page(KEY, 0, 2),
    "get_session": lambda store: store.get_session(KEY),
    "get_summary": lambda store: store.get_summary(KEY),
    "set_summary": lambda store: store.set_summary(KEY, "s"),
    "set_history": lambda store: store.set_history(KEY, [{"role": "user"}]),
    "update_session": lambda store: store.update_session(KEY, metadata={"m": 1}),
    "truncate_history": lambda store: store.truncate_history(KEY, 1),
    "truncate_history with whole_turns": lambda store: store.truncate_history(KEY, 1, whole_turns=True),
    "pop_messages": lambda store: store.pop_messages(KEY),
    "fork_session": lambda store: store.fork_session(KEY, "fork"),
    "delete_session": lambda store: store.delete_session(KEY),
    "save": lambda store: store.save(KEY),
}


HOOKS: Final = (
    "add_messages",
    "get_history",
    "get_session",
    "update_session",
    "truncate_history",
    "delete_session",
    "save",
)


def documented() -> list[tuple[str, list[str]]]:
    """The rows of the table: an operation, and the hooks that it calls."""
    rows = []
    for line in PAGE.read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) != 2 or not re.fullmatch(r"(`\w+`(, | with )?)+", cells[0]):
            continue
        operations, hooks = cells[0].replace("`", "").split(", "), re.findall(r"`(\w+)`", cells[1])
        rows += [(operation, hooks) for operation in operations if set(hooks) <= set(HOOKS)]
    return rows


def test_the_table_has_every_operation_that_is_counted() -> None:
    assert {operation for operation, _ in documented()} - {"summarize"} == set(OPERATIONS)


@pytest.mark.parametrize(("operation", "hooks"), [row for row in documented() if row[0] in OPERATIONS])
def test_an_operation_calls_the_hooks_that_the_docs_tell(operation: str, hooks: list[str]) -> None:
    assert called_by(OPERATIONS[operation]) == hooks


def test_a_summary_calls_the_hook_that_the_docs_tell() -> None:
    def summarize(store: SessionStore) -> None:
        session = store.get_session(KEY)
        store.summarize(KEY, session, 1, "s")

    assert called_by(summarize)[1:] == dict(documented())["summarize"]


def called_by(operation: Callable[[SessionStore], object]) -> list[str]:
    """The hooks that an operation calls on a session of three turns."""
    backend = FlakyBackend()
    with store_on(backend) as store:
        store.add_messages(KEY, [{"role": role} for role in ("user", "assistant") * 3])
        called: list[str] = []
        hooks = store._open_runtime().hooks
        for name in HOOKS:
            _note(hooks, name, called)
        operation(store)
    return called


def _note(hooks: Any, name: str, called: list[str]) -> None:
    call = getattr(hooks, f"_{name}")

    def noted(*arguments: Any, **keywords: Any) -> Any:
        called.append(name)
        return call(*arguments, **keywords)

    setattr(hooks, f"_{name}", noted)
