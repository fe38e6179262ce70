"""``sessionkit export``."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import rich_click as click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible_json
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_error
from sessionkit.cli.show import resolved

if TYPE_CHECKING:
    from sessionkit.store import SessionStore


@click.command(
    "export",
    epilog=examples(
        "sessionkit export --all -o backup.jsonl",
        "sessionkit export telegram:42 | jq .messages",
        "sessionkit export --all --store jsonl:old | sessionkit import - --store json:new",
    ),
)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "everything", is_flag=True, help="Export every session.")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to; - is standard output, the default.")
@store_option
@json_option
@click.pass_context
def command(
    ctx: click.Context, keys: tuple[str, ...], everything: bool, output: str, url: str | None, as_json: bool
) -> None:
    """Export sessions as JSON Lines, one conversation a line, as `sessionkit import` reads them.

    A KEY is a session's key or an alias. FILE is written beside its place and moved there at the end, readable
    by its owner alone: an export that fails leaves the file as it was. How many were exported is told on
    standard error, with --json as JSON. A session that cannot be read is reported, and the status is 1.
    """
    if bool(keys) == everything:
        raise click.UsageError("say which sessions to export: their keys, or --all")
    with opened_store(url) as store, _opened_output(output) as stream:
        chosen = (info.key for info in store.list_sessions()) if everything else [resolved(store, k) for k in keys]
        sessions, messages, failures = _export(store, chosen, stream)
    if as_json:
        summary = {"sessions": sessions, "messages": messages, "failed": failures}
        click.echo(visible_json(summary), err=True)
    else:
        where = "" if output == "-" else f" to {output}"
        click.echo(f"Exported {plural(sessions, 'session')} ({plural(messages, 'message')}){where}.", err=True)
        for failure in failures:
            print_error(failure)
    if failures:
        ctx.exit(FAILED)


def _export(store: SessionStore, keys: Iterable[str], stream: BinaryIO) -> tuple[int, int, list[str]]:
    from sessionkit.errors import CorruptSessionError, SessionNotFoundError
    from sessionkit.transfer import export_session

    sessions, messages = 0, 0
    failures: list[str] = []
    for key in keys:
        try:
            document = export_session(store, key)
        except SessionNotFoundError:
            continue  # deleted since it was found
        except CorruptSessionError as error:
            failures.append(str(error))
            continue
        stream.write(visible_json(document).encode() + b"\n")
        sessions += 1
        messages += len(document["messages"])
    return sessions, messages, failures


@contextmanager
def _opened_output(output: str) -> Iterator[BinaryIO]:
    if output == "-":
        stream = sys.stdout.buffer
        yield stream
        stream.flush()
        return
    target = Path(output)
    if target.exists() and not target.is_file():  # a device or a pipe: there is nothing to put in its place
        with target.open("wb") as stream:
            yield stream
        return
    with _replacing(target.resolve()) as stream:
        yield stream


@contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    import tempfile

    descriptor, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        Path(name).replace(target)
    except BaseException:  # also Ctrl-C: the half of an export is none
        Path(name).unlink(missing_ok=True)
        raise
