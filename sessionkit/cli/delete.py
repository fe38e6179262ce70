"""``sessionkit delete``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import rich_click as click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_error, print_json
from sessionkit.cli.targets import Keys, check_targets, targets

if TYPE_CHECKING:
    from sessionkit.store import SessionStore

_SHOWN = 10


@click.command(
    "delete",
    epilog=examples("sessionkit delete telegram:42", "sessionkit delete --prefix test: --yes"),
)
@targets
@store_option
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, keys: tuple[str, ...], prefix: str | None, url: str | None, yes: bool, as_json: bool
) -> None:
    """Delete sessions, with everything that belongs to them.

    KEY is a session's key; aliases are not looked up. What is about to go is shown, and asked about; where nobody
    can be asked, --yes is needed. A KEY that no session has is told, and the status is 1.
    """
    check_targets(keys, prefix)
    if not keys and prefix is None:
        raise click.UsageError("give at least one KEY, or --prefix")
    with opened_store(url) as store:
        meant = Keys(store, keys, prefix)
        found = {key: _describe(store, key) for key in meant}
        missing = [key for key, messages in found.items() if messages is None]
        wanted = {key: messages for key, messages in found.items() if messages is not None}
        if wanted and not yes:
            _ask(wanted)
        deleted = [key for key in wanted if store.delete_session(key)]
    if as_json:
        print_json({"deleted": deleted, "missing": missing})
    else:
        click.echo(f"Deleted {plural(len(deleted), 'session')}.")
        for key in missing:
            print_error(f"no session has the key {key!r}")
    if missing or not meant.complete:
        ctx.exit(FAILED)


def _describe(store: SessionStore, key: str) -> str | None:
    """What a session has, for people; None when there is none."""
    from sessionkit.errors import CorruptSessionError

    try:
        session = store.get_session(key, limit=0)
    except CorruptSessionError:
        return "cannot be read"
    return plural(session.count, "message") if session.exists else None


def _ask(wanted: Mapping[str, str | None]) -> None:
    for key in list(wanted)[:_SHOWN]:
        click.echo(f"  {visible(key)} ({wanted[key]})", err=True)
    if len(wanted) > _SHOWN:
        click.echo(f"  and {plural(len(wanted) - _SHOWN, 'other session')}", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: give --yes to delete without asking")
    click.confirm(f"Delete {plural(len(wanted), 'session')}?", abort=True, err=True)
