"""Subcommands that are imported when they run, and those that plugins bring.

Plugins bring them as entry points of the group ``sessionkit.commands``, each a click command.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Any, Final

import click

from sessionkit.cli.errors import ReportingGroup
from sessionkit.cli.rich_help import Command
from sessionkit.errors import DuplicatePluginError, PluginLoadError

_NOT_IMPORTED: Final = click.Command(None)
"""Stands for a command of which only the name is known yet."""


class PluggedGroup(ReportingGroup):
    """A group of commands that are imported when they are asked for, or when all are listed for help.

    It also has the commands of installed plugins. Its own come first, and hide theirs. A broken plugin stays in the
    list and tells what is wrong when it is run; the others are none the worse for it.

    Args:
        modules: the module of each command of its own, which has it as ``command``.
    """

    def __init__(self, *arguments: Any, modules: Mapping[str, str], **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._modules = modules
        self.commands.update(dict.fromkeys(modules, _NOT_IMPORTED))  # click takes what it suggests from there

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        from sessionkit.plugins.installed import installed_commands

        return sorted({*super().list_commands(ctx), *(plugin.name for plugin in installed_commands())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None when there is none."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            return _find(cmd_name)
        if command is _NOT_IMPORTED:
            command = self.commands[cmd_name] = import_module(self._modules[cmd_name]).command
        return command


def _find(name: str) -> click.Command | None:
    from sessionkit.plugins.installed import installed_commands

    offers = [plugin for plugin in installed_commands() if plugin.name == name]
    if not offers:
        return None
    if len({(plugin.distribution, plugin.value) for plugin in offers}) > 1:
        packages = " and ".join(map(str, offers))
        return _broken(name, DuplicatePluginError(f"the command {name!r} comes with {packages}; uninstall one of them"))
    plugin = offers[0]
    where = f"the command {name!r} cannot be loaded: the entry point {name} = {plugin.value} of {plugin}"
    try:
        command = plugin.entry_point.load()
    except (Exception, SystemExit) as error:  # whatever a module may raise, and a script that ends the program
        cause = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
        return _broken(name, PluginLoadError(f"{where} raised {cause}; reinstall or upgrade {plugin.distribution}"))
    if not isinstance(command, click.Command):
        kind = type(command).__name__
        return _broken(name, PluginLoadError(f"{where} names a {kind}, not a click command; upgrade it"))
    return command


def _broken(name: str, error: Exception) -> click.Command:
    """A command that is there to tell why it is not."""

    @click.command(
        name, cls=Command, short_help="(cannot be loaded)", context_settings={"ignore_unknown_options": True}
    )
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        raise error

    return command
