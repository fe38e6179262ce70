"""Help and wrong usage, as rich_click draws them.

It is imported when there is something to draw, and by no command that does its work: together with what it imports it
takes a tenth of the time that a command needs to start.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich_click import RichHelpConfiguration, RichHelpFormatter


class Context(click.Context):
    """A context from which commands of plugins that are made with rich_click take the look of their help."""

    @property
    def help_config(self) -> RichHelpConfiguration:
        """The look, under the name by which rich_click asks for it."""
        return _look()


class _DrawsHelp(click.Command):
    context_class = Context
    _help: click.Option | None = None

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        """The option ``--help``. click's own would look for a translation, and take the colour out for a pipe."""
        names = self.get_help_option_names(ctx)
        if not names or not self.add_help_option:
            return None
        if self._help is None:
            self._help = click.Option(
                names,
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_print_help,
                help="Show this message and exit.",
            )
        return self._help


class Command(_DrawsHelp):
    """A command whose help is drawn."""

    def get_help(self, ctx: click.Context) -> str:
        """The text of ``--help``."""
        from rich_click import RichCommand

        return _drawn(RichCommand(**_told(self)), ctx)


class Group(_DrawsHelp, click.Group):
    """A group whose help is drawn, and that of its commands."""

    command_class = Command

    def get_help(self, ctx: click.Context) -> str:
        """The text of ``--help``, with a line for each command."""
        from rich_click import RichGroup

        commands = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        known = {name: command for name, command in commands.items() if command is not None}
        return _drawn(RichGroup(commands=known, **_told(self)), ctx)


def _print_help(ctx: click.Context, parameter: click.Parameter, asked: bool) -> None:
    if asked and not ctx.resilient_parsing:
        print(ctx.get_help(), flush=True)
        ctx.exit()


def _told(command: click.Command) -> dict[str, Any]:
    """What the help of a command tells, for another one that draws it."""
    return {
        "name": command.name,
        "params": command.params,
        "help": command.help,
        "epilog": command.epilog,
        "options_metavar": command.options_metavar,
        "deprecated": command.deprecated,
    }


def _drawn(command: click.Command, ctx: click.Context) -> str:
    from rich_click import RichContext

    names = ctx.help_option_names
    drawing = RichContext(
        command, info_name=ctx.info_name, parent=ctx.parent, help_option_names=names, rich_help_config=_look()
    )
    return command.get_help(drawing)


def draw_error(error: click.ClickException) -> None:
    """Print to stderr what is wrong with the usage of a command."""
    formatter = _formatter()
    formatter.write_error(error)
    _print_to_stderr(formatter.getvalue())


def draw_abort() -> None:
    """Print to stderr that a question was not answered."""
    formatter = _formatter()
    formatter.write_abort()
    _print_to_stderr(formatter.getvalue())


def _formatter() -> RichHelpFormatter:
    from rich_click import RichHelpFormatter

    return RichHelpFormatter(config=_look())


def _look() -> RichHelpConfiguration:
    from rich_click import RichHelpConfiguration

    return RichHelpConfiguration.load_from_globals(theme="default-nu", text_paragraph_linebreaks="\n\n")


def _print_to_stderr(text: str) -> None:
    if sys.stderr is not None:  # closed before the program began: print would take standard output
        print(text, file=sys.stderr, end="")
