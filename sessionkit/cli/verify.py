"""``sessionkit verify``."""

from __future__ import annotations

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.findings import check, print_damage
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.targets import check_targets, targets


@click.command(
    "verify",
    cls=Command,
    epilog=examples(
        "sessionkit verify", "sessionkit verify telegram:42", "sessionkit verify --prefix telegram: || mail admin"
    ),
)
@targets
@store_option
@json_option
@click.pass_context
def command(ctx: click.Context, keys: tuple[str, ...], prefix: str | None, url: str | None, as_json: bool) -> None:
    """Read sessions whole, and tell what is damaged. Nothing is changed.

    Every session is read, or those of KEY (keys, not aliases) or --prefix. When all are, what belongs to no session is
    looked at too. The status is 0 when all is sound, and 1 when something is damaged; notes do not count.
    """
    check_targets(keys, prefix)
    with opened_store(url) as store:
        checked = check(store, keys, prefix, repairs=False, told=None if as_json else print_damage)
    if as_json:
        print_json(checked.describe())
    else:
        click.echo(checked.summary("Verified"))
    if not checked.sound:
        ctx.exit(FAILED)
