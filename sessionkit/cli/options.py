"""Options that several commands share, and the store that they open."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from sessionkit.store import SessionStore

FORMATS = ("sessionkit", "openai", "sharegpt", "picoclaw", "nanobot", "openai-agents")
"""The formats of an import. They stand here too, so that no command has to load them for its help."""

WRITTEN_FORMATS = FORMATS[:3]
"""The formats of an export that programs read."""

PAGES = ("html", "markdown")
"""The formats of an export that people read."""

_F = TypeVar("_F", bound=Callable[..., Any])


def store_option(function: _F) -> _F:
    """Add ``--store URL``."""
    return click.option(
        "--store",
        "url",
        metavar="URL",
        help="The store, such as jsonl:sessions or redis://localhost. Without it: what the configuration says.",
    )(function)


def json_option(function: _F) -> _F:
    """Add ``--json``."""
    return click.option("--json", "as_json", is_flag=True, help="Print JSON, for programs.")(function)


@contextmanager
def opened_store(url: str | None) -> Iterator[SessionStore]:
    """The store of ``--store`` or of the configuration. Writes that fail raise, since nobody reads a log here."""
    from sessionkit.store import open_store

    with open_store(url, on_write_error="raise") as store:
        yield store


def examples(*lines: str) -> str:
    """The epilog of a command's help: examples that can be copied."""
    return "\n\n".join(["Examples:", *(f"$ {line}" for line in lines)])
