"""Which sessions a command is for: those that are named, those with a prefix, or all."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs
import click

from sessionkit.cli.output import make_console, print_error

if TYPE_CHECKING:
    from sessionkit.store import SessionStore

_F = TypeVar("_F", bound=Callable[..., Any])


def targets(function: _F) -> _F:
    """Add ``KEY…`` and ``--prefix TEXT``."""
    prefix = click.option("--prefix", metavar="TEXT", help="Every session whose key begins with this.")
    return click.argument("keys", metavar="[KEY]...", nargs=-1)(prefix(function))


def check_targets(keys: tuple[str, ...], prefix: str | None) -> None:
    """Refuse what says two things, and a prefix that an unset variable may have left empty."""
    if keys and prefix is not None:
        raise click.UsageError("give KEY or --prefix, not both")
    if prefix == "":
        raise click.UsageError("--prefix needs a text: an empty one would mean every session")


@attrs.define
class Keys:
    """The keys that are meant: as they were given, or from the listing.

    Attributes:
        complete: whether the listing left none out, of those that were gone through. What it leaves out is told.
    """

    store: SessionStore
    keys: tuple[str, ...]
    prefix: str | None
    complete: bool = True

    def __iter__(self) -> Iterator[str]:
        if self.keys:
            yield from self.keys
            return
        for info in self.store.list_sessions(self.prefix or "", on_unreadable=self._tell):
            yield info.key

    def _tell(self, line: str) -> None:
        self.complete = False
        print_error(line)


@contextmanager
def progress(what: str) -> Iterator[Callable[[int], None] | None]:
    """Counts sessions that are done with on stderr, when that is a terminal."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import Progress, SpinnerColumn, TextColumn

    columns = SpinnerColumn(), TextColumn(what), TextColumn("{task.completed:,} sessions")
    # On a terminal results stand above the count; anywhere else they must not be drawn into its stream.
    is_shown = sys.stdout is not None and sys.stdout.isatty()
    with Progress(*columns, console=console, transient=True, redirect_stdout=is_shown) as shown:
        task = shown.add_task(what, total=None)
        yield lambda sessions: shown.advance(task, sessions)
