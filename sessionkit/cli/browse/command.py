"""``sessionkit browse``."""

from __future__ import annotations

import sys

import click

from sessionkit.cli.options import examples, opened_store, store_option
from sessionkit.cli.rich_help import Command


@click.command(
    "browse", cls=Command, epilog=examples("sessionkit browse", "sessionkit browse telegram:42 --store jsonl:sessions")
)
@click.argument("key", required=False)
@store_option
def command(key: str | None, url: str | None) -> None:
    """Look through sessions, full-screen: a list with a filter, transcripts with search, what others write as it comes.

    KEY is the session to begin with, or an alias of it. Nothing is changed. The key ? shows all keys, q ends.
    """
    try:
        from sessionkit.cli.browse.app import BrowseApp
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] != "textual":
            raise
        raise click.UsageError(
            'browse needs the extra "browse". Install it with: pip install "sessionkit-core[browse]"'
        ) from None
    from sessionkit.cli.show import resolved

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise click.UsageError("browse needs a terminal; `sessionkit show` prints to pipes and files")
    with opened_store(url) as store:
        BrowseApp(store, None if key is None else resolved(store, key)).run()
