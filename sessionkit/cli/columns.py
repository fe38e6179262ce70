"""Aligned columns that are printed as they come: a listing of a million rows is never in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from rich.console import Console

_ROWS_AT_ONCE = 100
_GAP = "  "


@attrs.frozen
class Column:
    """A column: its heading, its style, and whether it is aligned to the right."""

    heading: str
    style: str = ""
    right: bool = False


def print_columns(console: Console, columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> int:
    """Print rows under their headings. The last column is not padded, and on a terminal cut to fit its line.

    The rows that are printed together share their widths; later ones may widen a column, never narrow it. The
    cells must be harmless (see :mod:`sessionkit.cli.neutral`).

    Returns:
        How many rows there were; when there was none, nothing is printed.
    """
    from rich.cells import cell_len

    widths = [len(column.heading) for column in columns]
    printed = 0
    for chunk in _chunks(rows):
        for row in chunk:
            widths = [max(width, cell_len(cell)) for width, cell in zip(widths, row, strict=True)]
        if not printed:
            _print_row(console, [Column(column.heading, "bold", column.right) for column in columns], widths)
        for row in chunk:
            cells = [Column(cell, column.style, column.right) for column, cell in zip(columns, row, strict=True)]
            _print_row(console, cells, widths)
        printed += len(chunk)
    return printed


def _chunks(rows: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    iterator = iter(rows)
    while chunk := list(islice(iterator, _ROWS_AT_ONCE)):
        yield chunk


def _print_row(console: Console, cells: Sequence[Column], widths: Sequence[int]) -> None:
    from rich.cells import cell_len
    from rich.text import Text

    line = Text()
    for index, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        padding = " " * (width - cell_len(cell.heading))
        before = padding if cell.right else ""
        after = "" if cell.right or index == len(cells) - 1 else padding
        line.append(_GAP if index else "").append(before).append(cell.heading, cell.style).append(after)
    line.rstrip()
    if console.is_terminal and sum(widths[:-1]) + len(_GAP) * (len(widths) - 1) < console.width:
        line.truncate(console.width, overflow="ellipsis")
    console.print(line)
