"""``sessionkit compact``."""

from __future__ import annotations

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.targets import Keys, check_targets, progress, targets


@click.command(
    "compact",
    cls=Command,
    epilog=examples("sessionkit compact", "sessionkit compact telegram:42", "sessionkit compact --json"),
)
@targets
@store_option
@json_option
@click.pass_context
def command(ctx: click.Context, keys: tuple[str, ...], prefix: str | None, url: str | None, as_json: bool) -> None:
    """Give back the space that truncated messages still take.

    All sessions are compacted, or those of KEY (a key or an alias) or --prefix. What a session is does not change. A
    store that keeps no such space has nothing to win. The status is 1 when a listing leaves out what cannot be read.
    """
    from sessionkit.cli.show import resolved
    from sessionkit.sizes import size

    check_targets(keys, prefix)
    sessions = smaller = won = 0
    with opened_store(url) as store, progress("Compacting") as advance:
        found = Keys(store, keys, prefix)
        for key in found:
            saved = store.compact(resolved(store, key) if keys else key)
            sessions += 1
            smaller += saved > 0
            won += saved
            if advance is not None:
                advance(1)
    if as_json:
        print_json({"sessions": sessions, "smaller": smaller, "bytes_won": won})
    else:
        click.echo(f"Compacted {plural(sessions, 'session')}: {plural(smaller, 'session')} smaller, {size(won)} won.")
    if not found.complete:
        ctx.exit(FAILED)
