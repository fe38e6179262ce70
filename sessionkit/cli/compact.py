"""``sessionkit compact``."""

from __future__ import annotations

import rich_click as click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_json
from sessionkit.cli.targets import Keys, check_targets, progress, targets


@click.command(
    "compact", epilog=examples("sessionkit compact", "sessionkit compact telegram:42", "sessionkit compact --json")
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

    check_targets(keys, prefix)
    sessions = smaller = won = 0
    with opened_store(url) as store, progress("Compacting") as advance:
        found = Keys(store, keys, prefix)
        for key in found:
            size = store.compact(resolved(store, key) if keys else key)
            sessions += 1
            smaller += size > 0
            won += size
            if advance is not None:
                advance(1)
    if as_json:
        print_json({"sessions": sessions, "smaller": smaller, "bytes_won": won})
    else:
        click.echo(f"Compacted {plural(sessions, 'session')}: {plural(smaller, 'session')} smaller, {_size(won)} won.")
    if not found.complete:
        ctx.exit(FAILED)


def _size(count: int) -> str:
    """A number of bytes for people.

    >>> _size(17), _size(1_500), _size(2_345_678)
    ('17 bytes', '1.5 kB', '2.3 MB')
    """
    if count < 1000:
        return plural(count, "byte")
    unit = "kB"
    value = count / 1000
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 - the unit at which it ends is the one that is meant
        if value < 999.95:
            break
        value /= 1000
    return f"{value:.1f} {unit}"
