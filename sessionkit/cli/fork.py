"""``sessionkit fork``."""

from __future__ import annotations

import click

from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.show import resolved


@click.command(
    "fork",
    cls=Command,
    epilog=examples("sessionkit fork telegram:42 try:1", "sessionkit fork telegram:42 try:2 --keep-first 10"),
)
@click.argument("key")
@click.argument("new_key", metavar="NEW_KEY")
@store_option
@click.option("--keep-first", type=click.IntRange(min=0), metavar="N", help="Copy only the first N messages.")
@json_option
def command(key: str, new_key: str, url: str | None, keep_first: int | None, as_json: bool) -> None:
    """Copy a session to a new key of the same store, to go on from there in another way.

    KEY is a session's key or an alias; there must be no session NEW_KEY. Summary and metadata go over, aliases stay.
    """
    with opened_store(url) as store:
        source = resolved(store, key)
        store.fork_session(source, new_key, keep_first=keep_first)
        store.save(new_key)
        count = store.get_session(new_key, limit=0).count
    if as_json:
        print_json({"key": source, "new_key": new_key, "count": count})
    else:
        click.echo(f"Forked {visible(source)} to {visible(new_key)} ({plural(count, 'message')}).")
