"""Subcommands that plugins bring: entry points of the group ``sessionkit.commands``, each a click command."""

from __future__ import annotations

import rich_click as click

from sessionkit.cli.errors import ReportingGroup
from sessionkit.errors import DuplicatePluginError, PluginLoadError


class PluggedGroup(ReportingGroup):
    """A group that also has the commands of installed plugins. Its own commands come first, and hide theirs.

    A plugin is imported when its command is asked for, or when all are listed for help. A broken one stays in the
    list and tells what is wrong when it is run; the others are none the worse for it.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        from sessionkit.plugins.installed import installed_commands

        return sorted({*super().list_commands(ctx), *(plugin.name for plugin in installed_commands())})

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name, None when there is none."""
        own = super().get_command(ctx, cmd_name)
        return own if own is not None else _find(cmd_name)


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

    @click.command(name, short_help="(cannot be loaded)", context_settings={"ignore_unknown_options": True})
    @click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
    def command(arguments: tuple[str, ...]) -> None:
        raise error

    return command
