"""``sessionkit summary``."""

from __future__ import annotations

import sys

import click

from sessionkit.cli.neutral import visible, visible_lines
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import print_json
from sessionkit.cli.rich_help import Command, Group
from sessionkit.cli.show import resolved


@click.group(
    "summary",
    cls=Group,
    epilog=examples(
        "sessionkit summary get telegram:42",
        "sessionkit summary set telegram:42 'They asked for mugs.'",
        "summarise | sessionkit summary set telegram:42 -",
    ),
)
def command() -> None:
    """Show or set the summary of a session."""


@click.command("get", cls=Command, epilog=examples("sessionkit summary get telegram:42"))
@click.argument("key")
@store_option
@json_option
def get(key: str, url: str | None, as_json: bool) -> None:
    """Print the summary of a session.

    KEY is a session's key or an alias. Control characters in it are shown as escapes.
    """
    with opened_store(url) as store:
        session = store.get_session(resolved(store, key), limit=0)
    if as_json:
        print_json({"key": session.key, "summary": session.summary})
    elif session.summary:
        click.echo("\n".join(visible_lines(session.summary)))
    else:
        click.echo(f"{visible(session.key)} has no summary.", err=True)


@click.command(
    "set",
    cls=Command,
    epilog=examples(
        "sessionkit summary set telegram:42 'They asked for mugs.'", "summarise | sessionkit summary set telegram:42 -"
    ),
)
@click.argument("key")
@click.argument("text")
@store_option
@json_option
def put(key: str, text: str, url: str | None, as_json: bool) -> None:
    """Set the summary of a session to TEXT.

    KEY is a session's key or an alias. With - as TEXT it is read from standard input, without the newline at its
    end. An empty TEXT removes the summary.
    """
    if text == "-":
        text = _standard_input()
    with opened_store(url) as store:
        source = resolved(store, key)
        store.set_summary(source, text)
        store.save(source)
    if as_json:
        print_json({"key": source, "summary": text})
    else:
        click.echo(f"{visible(source)}: the summary is {'set' if text else 'removed'}.")


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8").removesuffix("\n")
    except UnicodeDecodeError:
        raise click.UsageError("what comes from standard input is not UTF-8") from None


command.add_command(get)
command.add_command(put)
