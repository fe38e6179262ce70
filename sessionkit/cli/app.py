"""The command ``sessionkit`` and its subcommands."""

from __future__ import annotations

from typing import Final

import click

from sessionkit.cli.options import examples
from sessionkit.cli.plugged import PluggedGroup

_MODULES: Final = {
    "backends": "backends",
    "browse": "browse.command",
    "compact": "compact",
    "completion": "completion",
    "config": "config",
    "copy": "copying",
    "delete": "delete",
    "demo": "demo.command",
    "doctor": "doctor",
    "export": "exporting",
    "fork": "fork",
    "import": "importing",
    "list": "list",
    "new-backend": "new_backend",
    "repair": "repair",
    "search": "search",
    "show": "show",
    "stats": "stats",
    "summary": "summary",
    "truncate": "truncate",
    "verify": "verify",
}
"""Where each command is defined, as ``command``. Only that of the one that runs is imported: it has to be quick."""


def _print_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    import importlib_metadata

    click.echo(f"sessionkit {importlib_metadata.version('sessionkit-core')}")
    ctx.exit()


@click.group(
    cls=PluggedGroup,
    modules={name: f"sessionkit.cli.{module}" for name, module in _MODULES.items()},
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=examples(
        "sessionkit demo",
        "sessionkit import conversations.jsonl",
        "sessionkit list --store jsonl:sessions",
        "sessionkit show telegram:42 --tail 6",
    ),
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def cli() -> None:
    """Look into the conversations that agents keep, and move them.

    Which store a command opens is said by --store URL, else by the configuration (environment, sessionkit.toml).
    """
