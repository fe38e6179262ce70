"""``sessionkit import``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING, Any

import attrs
import rich_click as click
from click import open_file

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store, store_option
from sessionkit.cli.output import make_console, plural, print_error, print_json

if TYPE_CHECKING:
    from sessionkit.transfer import TransferReport


@click.command(
    "import",
    epilog=examples(
        "sessionkit import conversations.jsonl",
        "sessionkit import conversations.jsonl --store jsonl:sessions",
        "zcat backup.jsonl.gz | sessionkit import -",
    ),
)
@click.argument("path", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@store_option
@click.option("--replace", is_flag=True, help="Give existing sessions of other content the content of the file.")
@json_option
@click.pass_context
def command(ctx: click.Context, path: str, url: str | None, replace: bool, as_json: bool) -> None:
    """Import conversations from a file; - reads from standard input.

    The file is JSON Lines, one conversation a line, or one JSON document. A conversation is an object with
    "key" (or "id") and "messages", and perhaps "summary", "metadata", "aliases", "created" and "updated".

    A session that exists is never doubled or overwritten: importing a file again does nothing. Whatever can be
    read is imported; what cannot is reported at the end, and the status is 1.
    """
    from sessionkit.transfer import TransferReport, import_sessions, read_documents

    report = TransferReport()
    try:
        with open_file(path, "rb") as file, opened_store(url) as store, _progress(file) as lines:
            documents = read_documents(lines, "standard input" if path == "-" else path)
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
    if report.unreadable:
        print_error(f"{plural(len(report.unreadable), 'conversation')} not imported:")
        for problem in report.unreadable:
            click.echo(f"  {visible(str(problem))}", err=True)
