"""``sessionkit doctor``."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples, json_option, store_option
from sessionkit.cli.output import make_console, plural, print_json
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from sessionkit.doctor import Section
    from sessionkit.findings import Finding

_STYLES = {"ok": "green", "unknown": "dim", "warning": "yellow", "problem": "bold red"}
_LEVEL_WIDTH = max(map(len, _STYLES))
_INDENT = 2


@click.command(
    "doctor",
    cls=Command,
    epilog=examples("sessionkit doctor", "sessionkit doctor --store redis://localhost", "sessionkit doctor --json"),
)
@store_option
@json_option
@click.pass_context
def command(ctx: click.Context, url: str | None, as_json: bool) -> None:
    """Look at configuration, plugins and storage, and say what to do where something is wrong.

    The store is opened and tried, with a file or key of its own that is removed again; no session is changed. The
    status is 1 when there is a problem; warnings leave it at 0.
    """
    from sessionkit.doctor import examine

    console = make_console()
    levels: Counter[str] = Counter()
    for section in examine(url):
        levels.update(finding.level.value for finding in section.findings)
        if as_json:
            for finding in section.findings:
                print_json(_described(section, finding))
        else:
            _print_section(console, section)
    if not as_json:
        console.print(f"{plural(levels['problem'], 'problem')}, {plural(levels['warning'], 'warning')}.")
    if levels["problem"]:
        ctx.exit(FAILED)


def _described(section: Section, finding: Finding) -> dict[str, str]:
    return {
        "section": section.name,
        "level": finding.level.value,
        "check": finding.check,
        "found": finding.found,
        "advice": finding.advice,
    }


def _print_section(console: Console, section: Section) -> None:
    from rich.text import Text

    width = max((len(visible(finding.check)) for finding in section.findings), default=0)
    console.print(Text(section.name, "bold"))
    for finding in section.findings:
        head = Text.assemble(
            " " * _INDENT,
            (f"{finding.level:<{_LEVEL_WIDTH}}", _STYLES[finding.level]),
            f"  {visible(finding.check):<{width}}  ",
        )
        _print_hanging(console, head, Text(visible(finding.found)))
        if finding.advice:
            _print_hanging(console, Text(" " * head.cell_len), Text(f"→ {visible(finding.advice)}", "italic"))
    console.print()


def _print_hanging(console: Console, head: Text, text: Text) -> None:
    """Print a text behind its head; on a terminal the lines that it takes stand below each other."""
    width = max(console.width - head.cell_len, 20)
    for piece in text.wrap(console, width) if console.is_terminal else [text]:
        piece.rstrip()
        console.print(head + piece)
        head = type(head)(" " * head.cell_len)
