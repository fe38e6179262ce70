"""``sessionkit list``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, Final

import click

from sessionkit.cli.columns import Column, print_columns
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.since import is_since, since_option
from sessionkit.cli.times import moment_of, short_time
from sessionkit.sizes import size

if TYPE_CHECKING:
    from sessionkit.sessions import SessionInfo

_COLUMNS = (
    Column("KEY", "cyan"),
    Column("MESSAGES", right=True),
    Column("SIZE", right=True),
    Column("UPDATED", "dim"),
    Column("SUMMARY"),
)

_ORDERS: Final[dict[str, Callable[[SessionInfo], Any]]] = {
    "key": lambda info: info.key,
    "messages": lambda info: -info.count,
    "size": lambda info: -(info.size or 0),
    "created": lambda info: -moment_of(info.created),
    "updated": lambda info: -moment_of(info.updated),
}
"""Keys as in a dictionary; of everything else the most, the largest and the latest first."""


@click.command(
    "list",
    cls=Command,
    epilog=examples(
        "sessionkit list",
        "sessionkit list --prefix telegram: --limit 20",
        "sessionkit list --sort updated --since 2d",
        "sessionkit list --json | wc -l",
    ),
)
@store_option
@click.option("--prefix", default="", metavar="TEXT", help="Only sessions whose key begins with this.")
@since_option
@click.option("--sort", "order", type=click.Choice([*_ORDERS]), help="Else they come in the order of the store.")
@click.option("--limit", type=click.IntRange(min=1), help="At most so many.")
@json_option
def command(
    url: str | None, prefix: str, since: datetime | None, order: str | None, limit: int | None, as_json: bool
) -> None:
    """List the sessions of a store.

    They are printed as they are read, in the order of the store. With --sort all are read first: keys come as in a
    dictionary, else the most messages, the largest size or the latest time first.

    The size is what a session takes where it is stored; a backend that would have to count tells none.

    With --json each line is a session: key, count of messages, size, summary, times, metadata, aliases, version.
    """
    with opened_store(url) as store:
        since_then = (info for info in store.list_sessions(prefix) if is_since(info, since))
        sessions = _in_order(since_then, order, limit)
        if as_json:
            for info in sessions:
                print_json(describe(info))
        elif not print_columns(_COLUMNS, map(_row, sessions)):
            which = f" with the prefix {visible(prefix)}" if prefix else ""
            when = " that changed since then" if since is not None else ""
            click.echo(f"There are no sessions{which}{when}.", err=True)


def _in_order(sessions: Iterable[SessionInfo], order: str | None, limit: int | None) -> Iterator[SessionInfo]:
    if order is None:
        return islice(sessions, limit)
    from heapq import nsmallest

    by = _ORDERS[order]
    return iter(sorted(sessions, key=by) if limit is None else nsmallest(limit, sessions, key=by))


def describe(info: SessionInfo) -> dict[str, Any]:
    """What is known of a session without its messages, as a JSON object."""
    return {
        "key": info.key,
        "count": info.count,
        "size": info.size,
        "summary": info.summary,
        "created": info.created,
        "updated": info.updated,
        "metadata": info.metadata,
        "aliases": list(info.aliases),
        "version": info.version,
    }


def _row(info: SessionInfo) -> tuple[str, str, str, str, str]:
    first_line = info.summary.strip().partition("\n")[0]
    taken = "" if info.size is None else size(info.size)
    return visible(info.key), f"{info.count:,}", taken, short_time(info.updated), visible(first_line)
