"""``sessionkit repair``."""

from __future__ import annotations

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.findings import check, print_damage
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.targets import check_targets, targets


@click.command(
    "repair",
    cls=Command,
    epilog=examples("sessionkit repair --dry-run", "sessionkit repair", "sessionkit repair telegram:42"),
)
@targets
@store_option
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, keys: tuple[str, ...], prefix: str | None, url: str | None, dry_run: bool, as_json: bool
) -> None:
    """Mend what is damaged, and set aside what cannot be read.

    Every message that can be read stays, in its order; nothing is deleted. All sessions are repaired, and what belongs
    to none, or those of KEY (keys, not aliases) or --prefix. Others may use the store meanwhile. Repairing again
    changes nothing. The status is 1 when damage stays, or with --dry-run when there is any.
    """
    check_targets(keys, prefix)
    with opened_store(url) as store:
        checked = check(store, keys, prefix, repairs=not dry_run, told=None if as_json else print_damage)
    if as_json:
        print_json(checked.describe())
    else:
        click.echo(checked.summary("Looked at" if dry_run else "Repaired"))
    if not checked.sound:
        ctx.exit(FAILED)
