"""``sessionkit stats``."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Final

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, print_error, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.since import is_since, since_option
from sessionkit.cli.targets import progress
from sessionkit.errors import StoreError

if TYPE_CHECKING:
    from collections import Counter

    from rich.console import Console

    from sessionkit.cli.tally import Tally

_ROWS: Final = 12
"""How many roles or tools are shown; with --json all are."""

_PLOT: Final = 40
"""How many bars the plot has at most."""

_BAR: Final = 24
_LEVELS: Final = "▁▂▃▄▅▆▇█"


@click.command(
    "stats",
    cls=Command,
    epilog=examples(
        "sessionkit stats", "sessionkit stats --prefix telegram: --since 1w", "sessionkit stats --json | jq .tool_calls"
    ),
)
@store_option
@click.option("--prefix", default="", metavar="TEXT", help="Only sessions whose key begins with this.")
@since_option
@json_option
@click.pass_context
def command(ctx: click.Context, url: str | None, prefix: str, since: datetime | None, as_json: bool) -> None:
    """Count sessions, messages by role, tool calls, bytes, and how the sessions became more.

    Every message is read. A session that cannot be read is told on standard error, and the status is 1 then.
    """
    from sessionkit.cli.tally import Tally

    tally, failed = Tally(), False

    def leave_out(line: str) -> None:
        nonlocal failed
        failed = True
        print_error(line)

    with opened_store(url) as store, progress("Counting") as advance:
        for info in store.list_sessions(prefix, on_unreadable=leave_out):
            if is_since(info, since):
                tally.session(info)
                try:
                    for message in store.iter_history(info.key):
                        tally.message(message)
                except StoreError as error:
                    leave_out(str(error))
            if advance is not None:
                advance(1)
    if as_json:
        print_json(tally.describe())
    else:
        _print(make_console(), tally)
    if failed:
        ctx.exit(FAILED)


def _print(console: Console, tally: Tally) -> None:
    from rich.filesize import decimal
    from rich.text import Text

    count, key = tally.longest
    rows = [
        ("sessions", f"{tally.sessions:,}"),
        ("messages", f"{tally.messages.total():,}"),
        ("tool calls", f"{tally.calls.total():,}"),
        ("bytes", f"{tally.bytes:,} ({decimal(tally.bytes)})"),
        *([("longest", f"{count:,} messages: {visible(key)}")] if count else []),
    ]
    for name, value in rows:
        console.print(Text(f"{name:<12}", "bold").append(value, "not bold"))
    _print_counts(console, "messages by role", tally.messages)
    _print_counts(console, "tool calls", tally.calls)
    _print_growth(console, tally)


def _print_counts(console: Console, title: str, counts: Counter[str]) -> None:
    """Print the names that were counted most, each with a bar."""
    from rich.cells import cell_len
    from rich.text import Text

    if not counts:
        return
    console.print(Text(f"\n{title}", "bold"))
    shown = [(visible(name) or "(none)", count) for name, count in counts.most_common(_ROWS)]
    width = max(cell_len(name) for name, _ in shown)
    digits = len(f"{shown[0][1]:,}")
    for name, count in shown:
        bar = "█" * max(round(count * _BAR / shown[0][1]), 1)
        line = Text(f"  {name}{' ' * (width - cell_len(name))}  {count:>{digits},}  ").append(bar, "cyan")
        console.print(line, no_wrap=True, overflow="ellipsis")
    if len(counts) > len(shown):
        console.print(Text(f"  and {len(counts) - len(shown):,} more", "dim"))


def _print_growth(console: Console, tally: Tally) -> None:
    """Print how many sessions there were from the first day to the last."""
    from rich.text import Text

    from sessionkit.cli.tally import grown

    counts = grown(tally.begun, _PLOT)
    if len(counts) < 2:
        return
    first, last = min(tally.begun), max(tally.begun)
    console.print(Text("\nsessions over time", "bold"))
    bars = "".join(_LEVELS[(count * (len(_LEVELS) - 1)) // counts[-1]] for count in counts)
    console.print(Text("  ").append(bars, "cyan").append(f"  {counts[-1]:,}"))
    console.print(Text(f"  {first} to {last}", "dim"))
