"""The command ``sessionkit`` and its subcommands."""

from __future__ import annotations

import rich_click as click

from sessionkit.cli import (
    backends,
    compact,
    completion,
    config,
    copying,
    delete,
    doctor,
    exporting,
    fork,
    importing,
    new_backend,
    repair,
    search,
    show,
    stats,
    summary,
    truncate,
    verify,
)
from sessionkit.cli import list as listing
from sessionkit.cli.browse import command as browse
from sessionkit.cli.demo import command as demo
from sessionkit.cli.options import examples
from sessionkit.cli.plugged import PluggedGroup


def _print_version(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    import importlib_metadata

    click.echo(f"sessionkit {importlib_metadata.version('sessionkit-core')}")
    ctx.exit()


@click.group(
    cls=PluggedGroup,
    context_settings={
        "help_option_names": ["-h", "--help"],
        "rich_help_config": {"theme": "default-nu", "text_paragraph_linebreaks": "\n\n"},
    },
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


for _command in (
    demo.command,
    listing.command,
    show.command,
    browse.command,
    search.command,
    stats.command,
    importing.command,
    exporting.command,
    copying.command,
    fork.command,
    truncate.command,
    summary.command,
    delete.command,
    compact.command,
    verify.command,
    repair.command,
    doctor.command,
    backends.command,
    config.command,
    new_backend.command,
    completion.command,
):
    cli.add_command(_command)
