"""``sessionkit show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sessionkit.cli.list import describe
from sessionkit.cli.neutral import visible_json
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, print_json
from sessionkit.cli.render import print_head, print_message
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from sessionkit.sessions import SessionInfo
    from sessionkit.store import SessionStore


@click.command(
    "show",
    cls=Command,
    epilog=examples(
        "sessionkit show telegram:42",
        "sessionkit show telegram:42 --tail 6 --full | less",
        "sessionkit show telegram:42 --follow",
        "sessionkit show telegram:42 --raw | jq .role",
    ),
)
@click.argument("key")
@store_option
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N messages.")
@click.option("--follow", "-f", is_flag=True, help="Go on with what others write, until Ctrl-C.")
@click.option("--full", is_flag=True, help="Shorten nothing: neither results nor reasoning.")
@click.option("--raw", is_flag=True, help="The stored messages alone, as JSON, one a line.")
@json_option
def command(key: str, url: str | None, tail: int | None, follow: bool, full: bool, raw: bool, as_json: bool) -> None:
    """Show a session: its summary and its messages, with tool calls and their results.

    KEY is the session's key, or an alias of it. On a terminal Markdown is rendered, and tool calls and results stand in
    panels. Control characters and terminal escapes inside are shown as escapes; they never reach the terminal.
    """
    if as_json and (raw or follow):
        raise click.UsageError("--json is one document; for a message a line, and for what follows, use --raw")
    with opened_store(url) as store:
        key = resolved(store, key)
        if follow:
            from sessionkit.cli.following import follow_session

            follow_session(store, key, tail, raw=raw, full=full)
            return
        session = store.get_session(key, limit=0)
        shown = session.count if tail is None else min(tail, session.count)
        if as_json:
            _print_document(store, session, shown)
        elif raw:
            for message in store.iter_history(key, -shown) if shown else ():
                print_json(message.to_dict())
        else:
            _print_transcript(store, session, shown, full=full)


def _print_transcript(store: SessionStore, session: SessionInfo, shown: int, *, full: bool) -> None:
    console = make_console()
    print_head(console, session, shown)
    first = session.count - shown
    for number, message in enumerate(store.iter_history(session.key, first) if shown else (), start=first + 1):
        print_message(console, message, number, full=full)


def _print_document(store: SessionStore, session: SessionInfo, shown: int) -> None:
    """One JSON document, written as it is read: the messages are never together in memory."""
    click.echo(visible_json(describe(session)).removesuffix("}") + ',"messages":[', nl=False)
    messages = store.iter_history(session.key, session.count - shown) if shown else ()
    for number, message in enumerate(messages):
        click.echo(("," if number else "") + visible_json(message.to_dict()), nl=False)
    click.echo("]}")


def resolved(store: SessionStore, name: str) -> str:
    """The key of the session of this key or alias.

    Raises:
        SessionNotFoundError: there is none.
    """
    from sessionkit.errors import SessionNotFoundError

    key = store.resolve(name)
    if key is None:
        raise SessionNotFoundError(f"no session has the key or alias {name!r}; `sessionkit list` shows what there is")
    return key
