"""``sessionkit completion``."""

from __future__ import annotations

import click

from sessionkit.cli.options import examples
from sessionkit.cli.rich_help import Command


@click.command(
    "completion",
    cls=Command,
    epilog=examples(
        'eval "$(sessionkit completion bash)"',
        'eval "$(sessionkit completion zsh)"',
        "sessionkit completion fish > ~/.config/fish/completions/sessionkit.fish",
    ),
)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print the script that makes a shell complete this command."""
    from click.shell_completion import get_completion_class

    completion = get_completion_class(shell)
    if completion is None:
        raise click.UsageError(f"there is no completion for {shell}")
    root = ctx.find_root()
    click.echo(completion(root.command, {}, "sessionkit", "_SESSIONKIT_COMPLETE").source())
