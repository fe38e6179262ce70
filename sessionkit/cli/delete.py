"""``sessionkit delete``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs
import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_error, print_json
from sessionkit.cli.rich_help import Command
from sessionkit.cli.targets import Keys, check_targets, targets

if TYPE_CHECKING:
    from sessionkit.sessions import Version
    from sessionkit.store import SessionStore

_LINES = 10


@click.command(
    "delete",
    cls=Command,
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
    can be asked, --yes is needed. Who answers yes deletes what was shown: a session that was changed since then stays.
    A KEY that no session has is told, and the status is 1.
    """
    check_targets(keys, prefix)
    if not keys and prefix is None:
        raise click.UsageError("give at least one KEY, or --prefix")
    with opened_store(url) as store:
        meant = Keys(store, keys, prefix)
        found = {key: _look_up(store, key) for key in meant}
        wanted = {key: shown for key, shown in found.items() if shown is not None}
        missing = [key for key in found if key not in wanted]
        if wanted and not yes:
            _ask(wanted)
        changed = [key for key, shown in wanted.items() if not _delete(store, key, None if yes else shown.version)]
    deleted = [key for key in wanted if key not in changed]
    if as_json:
        print_json({"deleted": deleted, "missing": missing, "changed": changed})
    else:
        click.echo(f"Deleted {plural(len(deleted), 'session')}.")
        for key in missing:
            print_error(f"no session has the key {key!r}")
        for key in changed:
            print_error(f"session {key!r} was changed since it was shown, and is not deleted")
    if missing or changed or not meant.complete:
        ctx.exit(FAILED)


@attrs.frozen
class _Shown:
    """What people are told of a session, and its version then; None when it cannot be read."""

    what: str
    version: Version | None


def _look_up(store: SessionStore, key: str) -> _Shown | None:
    """A session as it is now; None when there is none."""
    from sessionkit.errors import CorruptSessionError

    try:
        session = store.get_session(key, limit=0)
    except CorruptSessionError:
        return _Shown("cannot be read", None)
    return _Shown(plural(session.count, "message"), session.version) if session.exists else None


def _ask(wanted: Mapping[str, _Shown]) -> None:
    for key, shown in list(wanted.items())[:_LINES]:
        click.echo(f"  {visible(key)} ({shown.what})", err=True)
    if len(wanted) > _LINES:
        click.echo(f"  and {plural(len(wanted) - _LINES, 'other session')}", err=True)
    if not sys.stdin.isatty():
        raise click.UsageError("nobody can be asked here: give --yes to delete without asking")
    click.confirm(f"Delete {plural(len(wanted), 'session')}?", abort=True, err=True)


def _delete(store: SessionStore, key: str, version: Version | None) -> bool:
    """Delete a session; False when it is another one than people were shown."""
    from sessionkit.errors import UnsupportedOperationError, VersionConflict

    try:
        store.delete_session(key, if_version=version)
    except VersionConflict:
        return False
    except UnsupportedOperationError:  # a backend of an earlier version of the plugin API
        store.delete_session(key)
    return True
