"""``sessionkit copy``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

import attrs
import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, opened_store
from sessionkit.cli.output import make_console, plural, print_error, print_json
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from sessionkit.sessions import SessionInfo
    from sessionkit.store import SessionStore
    from sessionkit.transfer import CopyReport, Skipped, VerifyReport

_WILDCARDS = "*?["


@click.command(
    "copy",
    cls=Command,
    epilog=examples(
        "sessionkit copy json:old jsonl:sessions",
        "sessionkit copy jsonl:sessions redis://localhost --filter telegram: --verify",
        "sessionkit copy json:old jsonl:sessions --move",
    ),
)
@click.argument("source_url", metavar="SRC")
@click.argument("target_url", metavar="DST")
@click.option(
    "--filter", "pattern", default="", metavar="PATTERN", help="Only these: a prefix, or a pattern with * ? or [...]."
)
@click.option("--verify", is_flag=True, help="Read both sides again afterwards, and compare them by content.")
@click.option("--move", is_flag=True, help="Verify, and delete at SRC what DST holds and nobody changed since.")
@click.option("--replace", is_flag=True, help="Give existing sessions of other content the content of SRC.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    source_url: str,
    target_url: str,
    pattern: str,
    verify: bool,
    move: bool,
    replace: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Copy sessions from one store to another.

    SRC and DST are URLs, such as jsonl:sessions or redis://localhost. Everything arrives: messages with all
    their fields, summary, metadata, aliases and times.

    A session that exists is never doubled or overwritten: copying again does nothing, and a copy that broke off
    is completed by running it again. What is skipped is reported at the end, and the status is 1.
    """
    from sessionkit.transfer import CopyReport, copy_sessions, verify_sessions

    if dry_run and (verify or move):
        raise click.UsageError("--dry-run changes nothing, so that there is nothing to verify or move")
    _refuse_the_same(source_url, target_url)
    report = CopyReport()
    with opened_store(source_url) as source:
        try:
            with opened_store(target_url) as target, _progress(source, pattern, "Copying") as progress:
                keys = (info.key for info in _matching(source, pattern, report)) if pattern else None
                copy_sessions(source, target, keys, replace=replace, dry_run=dry_run, report=report, progress=progress)
        except BaseException:  # told, and raised again: what was copied so far is stored
            if report.copied or report.replaced:
                click.echo(f"Until then: {_counts(report, dry_run)}. Copy again to complete it.", err=True)
            raise
        verified = None
        if verify or move:
            skipped = {each.key for each in report.skipped}
            # Opened anew: what is stored is compared, not what an open store remembers.
            with opened_store(target_url) as target, _progress(source, pattern, "Verifying") as progress:
                keys = (info.key for info in _matching(source, pattern) if info.key not in skipped)
                verified = verify_sessions(source, target, keys, delete=move, progress=progress)
    if as_json:
        print_json(_describe(report, verified))
    else:
        _print(report, dry_run)
        _print_verified(verified, move)
    if not report.complete or (verified is not None and not verified.complete):
        ctx.exit(FAILED)


def _refuse_the_same(source_url: str, target_url: str) -> None:
    from sessionkit.config import resolve

    source, target = resolve(source_url), resolve(target_url)
    if source.plugin.name == target.plugin.name and source.options == target.options:
        raise click.UsageError("SRC and DST are the same store")


def _matching(store: SessionStore, pattern: str, report: CopyReport | None = None) -> Iterator[SessionInfo]:
    from sessionkit.transfer import Skipped

    def tell(reason: str) -> None:
        if report is not None:
            report.skipped.append(Skipped.unreadable(reason))

    place = next((place for place, character in enumerate(pattern) if character in _WILDCARDS), len(pattern))
    sessions = store.list_sessions(pattern[:place], on_unreadable=tell)
    return sessions if place == len(pattern) else (info for info in sessions if fnmatchcase(info.key, pattern))


@contextmanager
def _progress(store: SessionStore, pattern: str, what: str) -> Iterator[Callable[[int], None] | None]:
    """What is told of messages that are done with: a progress bar on stderr, when that is a terminal."""
    console = make_console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    total = sum(info.count for info in _matching(store, pattern))
    columns = TextColumn(what), BarColumn(), MofNCompleteColumn(), TextColumn("messages"), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda messages: progress.advance(task, messages)


def _describe(report: CopyReport, verified: VerifyReport | None) -> dict[str, Any]:
    described: dict[str, Any] = {
        "copied": report.copied,
        "resumed": report.resumed,
        "replaced": report.replaced,
        "already_there": report.already_there,
        "messages": report.messages,
        "changed": report.changed,
        "skipped": [attrs.asdict(skipped) for skipped in report.skipped],
    }
    if verified is not None:
        different = [attrs.asdict(each) for each in verified.different]
        described |= {"verified": verified.same, "deleted": verified.deleted, "different": different}
    return described


def _counts(report: CopyReport, dry_run: bool) -> str:
    replaced = f", {'replace' if dry_run else 'replaced'} {report.replaced:,}" if report.replaced else ""
    verb = "would copy" if dry_run else "copied"
    return f"{verb} {plural(report.copied, 'session')}{replaced} ({plural(report.messages, 'message')})"


def _print(report: CopyReport, dry_run: bool) -> None:
    click.echo(f"{_counts(report, dry_run).capitalize()}.")
    if report.resumed:
        click.echo(f"{plural(report.resumed, 'session')} of these had been begun before.")
    if report.already_there:
        click.echo(f"{plural(report.already_there, 'session')} already there, with the same content.")
    if report.skipped:
        _print_skipped(f"{plural(len(report.skipped), 'session')} not copied:", report.skipped)
    if report.changed:
        print_error(f"{plural(len(report.changed), 'session')} copied as of one moment, and changed at SRC since then:")
        for key in report.changed:
            click.echo(f"  {visible(key)}", err=True)


def _print_verified(report: VerifyReport | None, moved: bool) -> None:
    if report is None:
        return
    click.echo(f"Verified {plural(report.same, 'session')} ({plural(report.messages, 'message')}).")
    if moved:
        click.echo(f"Deleted {plural(report.deleted, 'session')} at SRC.")
    if report.different:
        _print_skipped(
            f"{plural(len(report.different), 'session')} not the same, or not to be compared or deleted:",
            report.different,
        )


def _print_skipped(heading: str, skipped: Iterable[Skipped]) -> None:
    print_error(heading)
    for each in skipped:
        click.echo(f"  {visible(str(each))}", err=True)
