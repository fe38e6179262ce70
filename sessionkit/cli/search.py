"""``sessionkit search``."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, print_error, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.since import is_since, since_option
from sessionkit.cli.targets import progress

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from sessionkit.store.searching import Match

_BEFORE: Final = 60
_LINE: Final = 240
"""How much of a long line is shown, and how much of that stands before what was found."""

_INDENT: Final = "    "


@click.command(
    "search",
    cls=Command,
    epilog=examples(
        "sessionkit search refund",
        "sessionkit search -i --role user 'my order' --since 2d",
        "sessionkit search --regex 'order [0-9]+' --key telegram: --context 2",
        "sessionkit search refund --json | jq -r .key | uniq",
    ),
)
@click.argument("text")
@store_option
@click.option("--regex", "-e", is_flag=True, help="TEXT is a regular expression (of Python).")
@click.option("--ignore-case", "-i", is_flag=True, help="Upper and lower case are the same.")
@click.option("--role", metavar="ROLE", help="Only messages of this role, such as user or tool.")
@click.option("--key", "prefix", default="", metavar="PREFIX", help="Only sessions whose key begins with this.")
@since_option
@click.option("--limit", type=click.IntRange(min=1), help="At most so many matches.")
@click.option("--context", "-C", type=click.IntRange(min=0), default=0, metavar="N", help="N lines around each line.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    text: str,
    url: str | None,
    regex: bool,
    ignore_case: bool,
    role: str | None,
    prefix: str,
    since: datetime | None,
    limit: int | None,
    context: int,
    as_json: bool,
) -> None:
    """Look for TEXT in keys, summaries, messages, and names and arguments of tool calls.

    What is found is printed at once. The status is 0 when something was found, and 1 when nothing was.
    """
    with opened_store(url) as store, progress("Searching") as advance:
        try:
            matches = store.search(
                text,
                regex=regex,
                ignore_case=ignore_case,
                role=role,
                prefix=prefix,
                chosen=None if since is None else lambda info: is_since(info, since),
                on_session=None if advance is None else lambda key: advance(1),
                on_unreadable=print_error,
            )
        except ValueError as error:
            raise click.UsageError(str(error)) from None
        console = make_console()
        is_found = False
        for match in islice(matches, limit):
            is_found = True
            if as_json:
                print_json(describe(match))
            else:
                print_match(console, match, context)
    if not is_found:
        ctx.exit(FAILED)


def describe(match: Match) -> dict[str, Any]:
    """A match as a JSON object; positions in the text are counted in characters."""
    return {
        "key": match.key,
        "position": match.position,
        "role": match.role,
        "place": match.place,
        "text": match.text,
        "spans": [list(span) for span in match.spans],
    }


def print_match(console: Console, match: Match, context: int) -> None:
    """Print where something was found, and the lines that it was found in, with lines around them."""
    from rich.text import Text

    head = Text(visible(match.key), "cyan")
    if match.position is not None:
        head.append(f" [{match.position + 1}]", "dim").append(f" {visible(match.role)}", "bold")
    console.print(head.append(f" {match.place}", "dim"))
    for line in _lines(match, context):
        console.print(line)


def _lines(match: Match, context: int) -> Iterator[Text]:
    """The lines to show, each with what was found in it highlighted."""
    from rich.text import Text

    lines = match.text.split("\n")
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line) + 1)
    found: dict[int, list[tuple[int, int]]] = {}
    number = 0
    for first, last in match.spans:
        while starts[number + 1] <= first:
            number += 1
        at = number
        while at < len(lines) and starts[at] < last:
            found.setdefault(at, []).append((max(first - starts[at], 0), min(last - starts[at], len(lines[at]))))
            at += 1
    shown = sorted({near for at in found for near in range(max(at - context, 0), min(at + context + 1, len(lines)))})
    before = -1
    for at in shown:
        if before >= 0 and at > before + 1:
            yield Text(f"{_INDENT}…", "dim")
        yield _highlighted(lines[at], found[at]) if at in found else Text(_INDENT + visible(lines[at][:_LINE]), "dim")
        before = at


def _highlighted(line: str, spans: list[tuple[int, int]]) -> Text:
    from rich.text import Text

    begin = max(spans[0][0] - _BEFORE, 0) if len(line) > _LINE else 0
    end = min(begin + _LINE, len(line))
    shown = Text(_INDENT + ("…" if begin else ""))
    at = begin
    for first, last in spans:
        if first >= end:
            break
        shown.append(visible(line[at : max(first, at)])).append(
            visible(line[max(first, at) : min(last, end)]), "bold red"
        )
        at = max(min(last, end), at)
    return shown.append(visible(line[at:end])).append("…" if end < len(line) else "")
