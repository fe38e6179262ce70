"""``sessionkit import``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import attrs
import click
from click import open_file

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import FORMATS, examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, plural, print_error, print_json
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from sessionkit.transfer import TransferReport, Unreadable
    from sessionkit.transfer.formats import Source


@click.command(
    "import",
    cls=Command,
    epilog=examples(
        "sessionkit import conversations.jsonl",
        "sessionkit import conversations.jsonl --store jsonl:sessions",
        "zcat backup.jsonl.gz | sessionkit import -",
        "sessionkit import messages.json --key support:7",
        "sessionkit import ~/.picoclaw/workspace/sessions",
        "sessionkit import agents.db --prefix old: --format openai-agents",
    ),
)
@click.argument("path", metavar="FILE|DIRECTORY", type=click.Path(exists=True, allow_dash=True))
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    type=click.Choice(FORMATS),
    help=f"What the file is: {', '.join(FORMATS)}. Without it, the content tells.",
)
@click.option(
    "--key", metavar="KEY", help="The key of the only conversation. Without it: what the file says, or its name."
)
@click.option("--prefix", metavar="TEXT", default="", help="Put in front of each key.")
@store_option
@click.option("--replace", is_flag=True, help="Give existing sessions of other content the content of the file.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    path: str,
    format_name: str | None,
    key: str | None,
    prefix: str,
    url: str | None,
    replace: bool,
    as_json: bool,
) -> None:
    """Import conversations from a file or directory; - reads from standard input.

    sessionkit: JSON Lines, one conversation a line, or one JSON document. A conversation is an object with "key" (or
    "id") and "messages", and perhaps "summary", "metadata", "aliases", "created" and "updated".

    openai: an array of chat messages, or {"messages": [...]} without a key; also one of these a line.

    sharegpt: {"conversations": [{"from": "human", "value": "…"}, …]}, in an array or one a line.

    picoclaw: a directory of its sessions, of either kind.

    nanobot: a session file, or a directory of them.

    openai-agents: the SQLite database of SQLiteSession.

    The source is left as it is. A session that exists is never doubled or overwritten: importing a file again does
    nothing. Whatever can be read is imported; what cannot is reported at the end, and the status is 1.
    """
    from sessionkit.transfer import TransferReport, import_sessions
    from sessionkit.transfer.formats import read_source

    report = TransferReport()
    try:
        with _opened(path) as source, opened_store(url) as store:
            documents = read_source(source, format_name, key=key, prefix=prefix)
            import_sessions(store, documents, replace=replace, report=report)
    except BaseException:  # told, and raised again: what was imported so far is stored
        if report.imported or report.replaced:
            click.echo(f"Until then: {_counts(report)}. Import the file again to complete it.", err=True)
        raise
    if as_json:
        print_json(_describe(report))
    else:
        _print(report)
    if not report.complete:
        ctx.exit(FAILED)


@contextmanager
def _opened(path: str) -> Iterator[Source]:
    from sessionkit.transfer.formats import Source

    if path == "-":
        with open_file(path, "rb") as file, _progress(file) as lines:
            yield Source("standard input", lines)
    elif Path(path).is_dir():
        yield Source(path, path=Path(path))
    else:
        with Path(path).open("rb") as file, _progress(file) as lines:
            yield Source(path, lines, path=Path(path))


@contextmanager
def _progress(file: IO[bytes]) -> Iterator[Iterable[bytes]]:
    """The lines of the file, with a progress bar on stderr when that is a terminal."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield file
        return
    import os
    import stat

    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn

    status = os.fstat(file.fileno())
    total = status.st_size if stat.S_ISREG(status.st_mode) else None
    with Progress(TextColumn("Importing"), BarColumn(), DownloadColumn(), console=console, transient=True) as progress:
        task = progress.add_task("import", total=total)

        def lines() -> Iterator[bytes]:
            for line in file:
                yield line
                progress.advance(task, len(line))

        yield lines()


def _describe(report: TransferReport) -> dict[str, Any]:
    return {
        "imported": report.imported,
        "replaced": report.replaced,
        "already_there": report.already_there,
        "messages": report.messages,
        "different": report.different,
        "unreadable": [attrs.asdict(problem) for problem in report.unreadable],
        "damaged": [attrs.asdict(problem) for problem in report.damaged],
        "unknown_fields": dict(report.unknown_fields),
    }


def _counts(report: TransferReport) -> str:
    replaced = f", replaced {report.replaced:,}" if report.replaced else ""
    return f"imported {plural(report.imported, 'session')}{replaced} ({plural(report.messages, 'message')})"


def _print(report: TransferReport) -> None:
    click.echo(f"{_counts(report).capitalize()}.")
    if report.already_there:
        click.echo(f"{plural(report.already_there, 'session')} already there, with the same content.")
    if report.unknown_fields:
        common = report.unknown_fields.most_common(10)
        fields = ", ".join(f"{visible(name)} (in {plural(count, 'conversation')})" for name, count in common)
        more = " and others" if len(report.unknown_fields) > 10 else ""
        click.echo(f"Not imported, because sessions have no such field: {fields}{more}.")
    if report.different:
        print_error(
            f"{plural(len(report.different), 'session')} already there with other content, left alone "
            "(--replace would overwrite):"
        )
        for key in report.different:
            click.echo(f"  {visible(key)}", err=True)
    _print_problems(f"{plural(len(report.unreadable), 'conversation')} not imported:", report.unreadable)
    _print_problems("places that cannot be read, without which conversations were imported:", report.damaged)


def _print_problems(heading: str, problems: list[Unreadable]) -> None:
    if not problems:
        return
    print_error(heading)
    for problem in problems:
        click.echo(f"  {visible(str(problem))}", err=True)
