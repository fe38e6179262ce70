"""``sessionkit show``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import rich_click as click

from sessionkit.cli.list import describe
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, print_json
from sessionkit.cli.render import print_session

if TYPE_CHECKING:
    from sessionkit.store import SessionStore


@click.command("show", epilog=examples("sessionkit show telegram:42", "sessionkit show telegram:42 --tail 6 | less"))
@click.argument("key")
@store_option
@click.option("--tail", type=click.IntRange(min=0), metavar="N", help="Only the last N messages.")
@json_option
def command(key: str, url: str | None, tail: int | None, as_json: bool) -> None:
    """Show a session: its summary and its messages, with tool calls and their results.

    KEY is the session's key, or an alias of it. Control characters and terminal escapes inside are shown as
    escapes; they never reach the terminal.
    """
    with opened_store(url) as store:
        session = store.get_session(resolved(store, key), limit=tail)
    if as_json:
        print_json(describe(session) | {"messages": [message.to_dict() for message in session.messages]})
        return
    print_session(make_console(), session)


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
