"""``sessionkit config``."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from sessionkit.cli.columns import Column, print_columns
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, store_option
from sessionkit.cli.output import print_json
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from sessionkit.config import Setting

_COLUMNS = (Column("SETTING", "cyan"), Column("VALUE"), Column("SAID IN", "dim"))


@click.command("config", cls=Command, epilog=examples("sessionkit config", "SESSIONKIT_BACKEND=json sessionkit config"))
@store_option
@json_option
def command(url: str | None, as_json: bool) -> None:
    """Show the settings in force, and where each was said.

    Nothing is opened. Values of secret options are masked.
    """
    from sessionkit.config import resolve

    settings = resolve(url).settings
    if not as_json:
        rows = ((visible(item.name), visible(item.shown), visible(item.where)) for item in settings)
        print_columns(_COLUMNS, rows)
        return
    for item in settings:
        print_json({"name": item.name, "value": _plain(item), "where": item.where, "secret": item.secret})


def _plain(setting: Setting) -> Any:
    """The value as JSON; what is secret or no JSON value as people are shown it."""
    value = setting.value
    if setting.secret:
        return None if value is None else setting.shown
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, (list, tuple)):
        return [str(item) for item in value]
    return value if value is None or isinstance(value, (str, bool, int, float)) else setting.shown
