"""``sessionkit backends``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from sessionkit.cli.columns import Column, print_columns
from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option
from sessionkit.cli.output import print_error, print_json
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from sessionkit.plugins.discovery import InstalledPlugin

_COLUMNS = (Column("BACKEND", "cyan"), Column("DISTRIBUTION"), Column("VERSION"), Column("PROMISES"))


@click.command("backends", cls=Command, epilog=examples("sessionkit backends", "sessionkit backends --json"))
@json_option
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the installed backends, and where each comes from.

    Every backend is imported. The status is 1 when one is broken; what is wrong with it is printed.
    """
    backends = _examine()
    if as_json:
        for backend in backends:
            print_json(backend)
    else:
        print_columns(_COLUMNS, map(_row, backends))
        for backend in backends:
            if backend["error"] is not None:
                print_error(backend["error"])
    if any(backend["error"] is not None for backend in backends):
        ctx.exit(FAILED)


def _examine() -> list[dict[str, Any]]:
    from sessionkit.plugins.discovery import installed_backends

    return [
        {
            "name": plugin.name,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "entry_point": plugin.value,
            **_state(plugin),
        }
        for plugin in installed_backends()
    ]


def _state(plugin: InstalledPlugin) -> dict[str, Any]:
    from sessionkit.plugins.descriptors import BackendPlugin
    from sessionkit.plugins.discovery import try_load

    loaded = try_load(plugin)
    if isinstance(loaded, Exception):
        return {"capabilities": [], "error": str(loaded)}
    descriptor = loaded.descriptor
    capabilities = sorted(descriptor.capabilities) if isinstance(descriptor, BackendPlugin) else []
    return {"capabilities": capabilities, "error": None}


def _row(backend: dict[str, Any]) -> tuple[str, str, str, str]:
    promises = "broken, see below" if backend["error"] is not None else ", ".join(backend["capabilities"])
    return visible(backend["name"]), visible(backend["distribution"]), visible(backend["version"]), promises
