"""``sessionkit list``."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any

import rich_click as click

from sessionkit.cli.columns import Column, print_columns
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, print_json
from sessionkit.cli.times import short_time

if TYPE_CHECKING:
    from sessionkit.sessions import SessionInfo

_COLUMNS = (Column("KEY", "cyan"), Column("MESSAGES", right=True), Column("UPDATED", "dim"), Column("SUMMARY"))


@click.command(
    "list",
    epilog=examples(
        "sessionkit list", "sessionkit list --prefix telegram: --limit 20", "sessionkit list --json | wc -l"
    ),
)
@store_option
@click.option("--prefix", default="", metavar="TEXT", help="Only sessions whose key begins with this.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@json_option
def command(url: str | None, prefix: str, limit: int | None, as_json: bool) -> None:
    """List the sessions of a store, in the order of the store.

    With --json each line is a session: key, count of messages, summary, times, metadata, aliases, version.
    """
    with opened_store(url) as store:
        sessions = islice(store.list_sessions(prefix), limit)
        if as_json:
            for info in sessions:
                print_json(describe(info))
        elif not print_columns(make_console(), _COLUMNS, map(_row, sessions)):
            which = f" with the prefix {visible(prefix)}" if prefix else ""
            click.echo(f"There are no sessions{which}.", err=True)


def describe(info: SessionInfo) -> dict[str, Any]:
    """What is known of a session without its messages, as a JSON object."""
    return {
        "key": info.key,
        "count": info.count,
        "summary": info.summary,
        "created": info.created,
        "updated": info.updated,
        "metadata": info.metadata,
        "aliases": list(info.aliases),
        "version": info.version,
    }


def _row(info: SessionInfo) -> tuple[str, str, str, str]:
    first_line = info.summary.strip().partition("\n")[0]
    return visible(info.key), f"{info.count:,}", short_time(info.updated), visible(first_line)
