"""Where output goes: consoles that take content literally, and JSON for machines."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any

import click

from sessionkit.cli.neutral import visible, visible_json

if TYPE_CHECKING:
    from rich.console import Console

_UNLIMITED = 1_000_000


def make_console(*, stderr: bool = False) -> Console:
    """A console that interprets nothing in what it prints.

    Colour goes to terminals only, and to none when NO_COLOR is set. Where there is no terminal, lines are as
    long as they are.
    """
    from rich.console import Console

    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False, soft_wrap=True)
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


def may_be_a_terminal() -> bool:
    """Whether standard output may be one for a console. Where it cannot, rich is not loaded, which takes its time."""
    if sys.stdout is None:  # closed before the program began
        return False
    return sys.stdout.isatty() or "FORCE_COLOR" in os.environ or "TTY_COMPATIBLE" in os.environ


def print_json(value: Any) -> None:
    """Print a JSON value in one line, safe for a terminal too."""
    click.echo(visible_json(value))


def print_error(message: str) -> None:
    """Print one readable message to stderr."""
    from rich.text import Text

    make_console(stderr=True).print(Text.assemble(("Error: ", "bold red"), visible(message)))


def plural(count: int, noun: str) -> str:
    """A number with its noun.

    >>> plural(1, "session"), plural(5308, "message")
    ('1 session', '5,308 messages')
    """
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
