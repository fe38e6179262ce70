"""``sessionkit export``."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, TypeVar

import attrs
import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible, visible_json
from sessionkit.cli.options import PAGES, WRITTEN_FORMATS, examples, json_option, opened_store, store_option
from sessionkit.cli.output import plural, print_error
from sessionkit.cli.rich_help import Command
from sessionkit.cli.show import resolved

if TYPE_CHECKING:
    from sessionkit.store import SessionStore
    from sessionkit.transfer.formats import Losses

_T = TypeVar("_T")


@click.command(
    "export",
    cls=Command,
    epilog=examples(
        "sessionkit export --all -o backup.jsonl",
        "sessionkit export telegram:42 --format html -o conversation.html",
        "sessionkit export telegram:42 --format openai -o messages.json",
        "sessionkit export --all --store jsonl:old | sessionkit import - --store json:new",
    ),
)
@click.argument("keys", nargs=-1, metavar="[KEY]...")
@click.option("--all", "everything", is_flag=True, help="Export every session.")
@click.option("-o", "--output", metavar="FILE", default="-", help="Where to; - is standard output, the default.")
@click.option(
    "--format",
    "format_name",
    metavar="NAME",
    type=click.Choice(WRITTEN_FORMATS + PAGES),
    default=WRITTEN_FORMATS[0],
    show_default=True,
    help=f"What is written: {', '.join(WRITTEN_FORMATS + PAGES)}.",
)
@store_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    keys: tuple[str, ...],
    everything: bool,
    output: str,
    format_name: str,
    url: str | None,
    as_json: bool,
) -> None:
    """Export sessions, as `sessionkit import` or as people read them.

    sessionkit: JSON Lines, one conversation a line, with everything that a session holds.

    openai: the array of the session's chat messages; of several sessions, {"messages": [...]} a line. It has no place
    for keys, summaries, metadata, aliases, times, nor for fields of messages that OpenAI's API refuses.

    sharegpt: an array of {"id": …, "conversations": [{"from": …, "value": …}, …]}. It has no place for summaries,
    metadata, aliases, times, ids of tool calls, names, nor for contents other than text.

    html: a page for a browser, on a phone too. It needs and loads nothing else, and runs no scripts. Tool calls and
    long results are folded.

    markdown: a file for whatever shows Markdown. Every message is a quotation.

    FILE is written beside its place and moved there at the end, readable by its owner alone: an export that fails
    leaves the file as it was. What was exported, and what was left out, is told on standard error, with --json as
    JSON. A session that cannot be read is reported, and the status is 1.
    """
    from sessionkit.transfer.formats import Losses

    if bool(keys) == everything:
        raise click.UsageError("say which sessions to export: their keys, or --all")
    report = _Exported(losses=Losses())
    with opened_store(url) as store, _opened_output(output) as stream:
        listed = (info.key for info in store.list_sessions(on_unreadable=report.failures.append))
        chosen = listed if everything else [resolved(store, key) for key in keys]
        if format_name in PAGES:
            _write_page(store, chosen, format_name, stream, report)
        elif format_name == WRITTEN_FORMATS[0]:
            _write_lines(store, chosen, stream, report)
        else:
            _write_documents(store, chosen, format_name, stream, report, alone=len(keys) == 1)
    if as_json:
        click.echo(visible_json(report.describe()), err=True)
    else:
        report.print(format_name, output)
    if report.failures:
        ctx.exit(FAILED)


@attrs.define
class _Exported:
    """What an export did."""

    losses: Losses
    sessions: int = 0
    messages: int = 0
    failures: list[str] = attrs.Factory(list)

    def attempt(self, export: Callable[..., _T], *arguments: object) -> _T | None:
        """Export one session; None when it is gone by now, or cannot be read, which is noted."""
        from sessionkit.errors import CorruptSessionError, SessionNotFoundError, VersionConflict

        try:
            return export(*arguments)
        except SessionNotFoundError:
            return None  # deleted since it was found
        except (CorruptSessionError, VersionConflict) as error:
            self.failures.append(str(error))
            return None

    def count(self, messages: int) -> None:
        """Note a session of so many messages as exported."""
        self.sessions += 1
        self.messages += messages

    def describe(self) -> dict[str, Any]:
        described: dict[str, Any] = {"sessions": self.sessions, "messages": self.messages, "failed": self.failures}
        if self.losses:
            described["left_out"] = {
                "sessions": dict(self.losses.sessions),
                "messages": dict(self.losses.messages),
            }
        return described

    def print(self, format_name: str, output: str) -> None:
        where = "" if output == "-" else f" to {output}"
        counts = f"{plural(self.sessions, 'session')} ({plural(self.messages, 'message')})"
        click.echo(f"Exported {counts}{where}.", err=True)
        if self.losses:
            fields = [*_lost(self.losses.sessions, "session"), *_lost(self.losses.messages, "message")]
            click.echo(f"Left out, because {format_name} has no place for it: {', '.join(fields)}.", err=True)
        for failure in self.failures:
            print_error(failure)


def _lost(fields: Counter[str], noun: str) -> list[str]:
    return [f"{visible(name)} (in {plural(count, noun)})" for name, count in fields.most_common()]


def _write_lines(store: SessionStore, keys: Iterable[str], stream: BinaryIO, report: _Exported) -> None:
    """Write sessions in our own format, in bounded memory."""
    from sessionkit.transfer import export_text

    for key in keys:
        exported = report.attempt(export_text, store, key, visible_json)
        if exported is not None:
            report.count(_write_pieces(*exported, stream))
            stream.write(b"\n")


def _write_page(store: SessionStore, keys: Iterable[str], name: str, stream: BinaryIO, report: _Exported) -> None:
    """Write sessions as one page, in bounded memory."""
    from sessionkit.cli.pages import make_page
    from sessionkit.transfer import export_pieces

    page = make_page(name)
    title = keys[0] if isinstance(keys, list) and len(keys) == 1 else "Conversations"
    stream.write(page.begin(title).encode())
    for key in keys:
        exported = report.attempt(export_pieces, store, key, page.conversation)
        if exported is not None:
            report.count(_write_pieces(*exported, stream))
    stream.write(page.end().encode())


def _write_pieces(pieces: Iterable[bytes], messages: int, stream: BinaryIO) -> int:
    for piece in pieces:
        stream.write(piece)
    return messages


def _write_documents(
    store: SessionStore, keys: Iterable[str], name: str, stream: BinaryIO, report: _Exported, *, alone: bool
) -> None:
    """Write sessions for another program."""
    from sessionkit.transfer.formats import find_format

    writer = find_format(name).writer
    assert writer is not None, "only formats that are written can be chosen"
    documents = _documents(store, keys, report)
    for text in writer.write(documents, dump=visible_json, losses=report.losses, alone=alone):
        stream.write(text.encode())


def _documents(store: SessionStore, keys: Iterable[str], report: _Exported) -> Iterator[dict[str, Any]]:
    from sessionkit.transfer import export_session

    for key in keys:
        document = report.attempt(export_session, store, key)
        if document is None:
            continue
        report.count(len(document["messages"]))
        yield document


@contextmanager
def _opened_output(output: str) -> Iterator[BinaryIO]:
    if output == "-":
        if sys.stdout is None:
            raise click.UsageError("standard output is closed; say with --output where to export to")
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
