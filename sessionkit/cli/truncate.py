"""``sessionkit truncate``."""

from __future__ import annotations

import click

from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.show import resolved


@click.command(
    "truncate",
    cls=Command,
    epilog=examples(
        "sessionkit truncate telegram:42 --keep 20",
        "sessionkit truncate telegram:42 --keep 20 --whole-turns --summary 'They asked for mugs.'",
    ),
)
@click.argument("key")
@store_option
@click.option("--keep", type=click.IntRange(min=0), required=True, metavar="N", help="How many messages stay.")
@click.option("--whole-turns", is_flag=True, help="Keep more, so that no tool result loses its call.")
@click.option("--summary", metavar="TEXT", help="Becomes the summary in the same step.")
@json_option
def command(key: str, url: str | None, keep: int, whole_turns: bool, summary: str | None, as_json: bool) -> None:
    """Remove the oldest messages of a session.

    KEY is a session's key or an alias. A store may keep what is removed, such as jsonl with the option archive.
    """
    with opened_store(url) as store:
        session = store.get_session(resolved(store, key), limit=0)
        store.truncate_history(session.key, keep, summary=summary, whole_turns=whole_turns, if_version=session.version)
        store.save(session.key)
        kept = store.get_session(session.key, limit=0).count
    removed = max(session.count - kept, 0)
    if as_json:
        print_json({"key": session.key, "removed": removed, "kept": kept})
    else:
        click.echo(f"{visible(session.key)}: removed {plural(removed, 'message')}, kept {kept:,}.")
