"""A session in a console: a transcript on a terminal, and plain lines, as long as they are, everywhere else."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from sessionkit.cli.neutral import visible, visible_lines
from sessionkit.cli.parts import Part, parts_of
from sessionkit.cli.transcript import HeadView, MessageView, head_rows, heading

if TYPE_CHECKING:
    from rich.console import Console

    from sessionkit.messages import Message
    from sessionkit.sessions import SessionInfo

_INDENT: Final = 4


def print_head(console: Console, info: SessionInfo, shown: int) -> None:
    """Print what is known of a session, of which so many messages follow."""
    from rich.text import Text

    if console.is_terminal:
        console.print(HeadView(info, shown), soft_wrap=False)
        return
    for row in head_rows(info, shown):
        console.print(row)
    if info.summary:
        console.print(Text("Summary", "dim"))
        _print_lines(console, visible_lines(info.summary))


def print_message(console: Console, message: Message, number: int, *, full: bool = False) -> None:
    """Print one message below an empty line; with ``full``, nothing in it is shortened."""
    console.print()
    if console.is_terminal:
        console.print(MessageView(message, number, full), soft_wrap=False)
        return
    console.print(heading(message, number))
    for part in parts_of(message):
        _print_part(console, part, full)


def _print_part(console: Console, part: Part, full: bool) -> None:
    lines = part.lines(full=full)
    if part.kind == "reasoning":
        _print_lines(console, ["thinks:", *lines])
    elif part.kind == "call":
        note = f" ({visible(part.note)})" if part.note else ""
        _print_lines(console, [f"calls {visible(part.title) or '(no name)'}{note}"])
        _print_lines(console, lines, _INDENT + 2)
    elif part.title:
        _print_lines(console, [f"{visible(part.title)}: {line}" for line in lines])
    else:
        _print_lines(console, lines)


def _print_lines(console: Console, lines: Iterable[str], indent: int = _INDENT) -> None:
    from rich.text import Text

    for line in lines:
        console.print(Text(f"{' ' * indent}{line}" if line else ""))
