"""``sessionkit migrate``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option
from sessionkit.cli.output import make_console, plural, print_error, print_json
from sessionkit.cli.rich_help import Command
from sessionkit_json.options import JsonOptions

if TYPE_CHECKING:
    from sessionkit_json.migration import MigrationReport


@click.command(
    "migrate",
    cls=Command,
    epilog=examples("sessionkit migrate sessions", "sessionkit migrate sessions --to redis://localhost"),
)
@click.argument("directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--to", "url", metavar="URL", help="The store that gets the sessions. Without it: jsonl, in DIR itself.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@json_option
@click.pass_context
def command(ctx: click.Context, directory: Path, url: str | None, dry_run: bool, as_json: bool) -> None:
    """Turn the json documents of a directory into sessions of the jsonl backend, in the same directory.

    Each document is renamed to *.json.migrated once its session is stored. A session that is there with other
    content is never overwritten. What cannot be migrated is left, and told at the end, and the status is 1.

    Stop whoever writes to the directory first. Migrating again completes what broke off.
    """
    from sessionkit.config import resolve
    from sessionkit.store.opening import open_configured
    from sessionkit_json.migration import MigrationReport, migrate_documents

    source = {"backend": "jsonl", "backends": {"jsonl": {"path": str(directory)}}} if url is None else url
    configuration = resolve(source, on_write_error="raise")
    if isinstance(configuration.options, JsonOptions) and configuration.options.path.resolve() == directory.resolve():
        raise click.UsageError("the documents of DIR are sessions of that store already")
    report = MigrationReport()
    try:
        with open_configured(configuration) as store, _progress(directory) as progress:
            migrate_documents(directory, store, dry_run=dry_run, report=report, progress=progress)
    except BaseException:  # told, and raised again: what was migrated so far is stored
        if report.migrated:
            click.echo(f"Until then: {_counts(report, dry_run)}. Migrate again to complete it.", err=True)
        raise
    if as_json:
        print_json(_describe(report))
    else:
        _print(report, dry_run)
    if not report.complete:
        ctx.exit(FAILED)


@contextmanager
def _progress(directory: Path) -> Iterator[Callable[[int], None] | None]:
    """A progress bar on stderr, when that is a terminal."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    from sessionkit_json.migration import document_files

    columns = TextColumn("Migrating"), BarColumn(), MofNCompleteColumn(), TextColumn("files")
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("migrate", total=len(document_files(directory)))
        yield lambda files: progress.advance(task, files)


def _describe(report: MigrationReport) -> dict[str, Any]:
    return {
        "migrated": report.migrated,
        "already_there": report.already_there,
        "messages": report.messages,
        "left": [attrs.asdict(left) for left in report.left],
        "other_files": report.other_files,
        "unknown_fields": dict(report.unknown_fields),
    }


def _counts(report: MigrationReport, dry_run: bool) -> str:
    verb = "would migrate" if dry_run else "migrated"
    return f"{verb} {plural(report.migrated, 'session')} ({plural(report.messages, 'message')})"


def _print(report: MigrationReport, dry_run: bool) -> None:
    click.echo(f"{_counts(report, dry_run).capitalize()}.")
    if report.already_there:
        click.echo(f"{plural(report.already_there, 'session')} already there.")
    if report.unknown_fields:
        fields = ", ".join(f"{visible(name)} (in {count:,})" for name, count in report.unknown_fields.most_common(10))
        click.echo(f"Only in the renamed documents, because sessions have no such field: {fields}.")
    if report.left:
        print_error(f"{plural(len(report.left), 'document')} not migrated:")
        for left in report.left:
            click.echo(f"  {visible(str(left))}", err=True)
