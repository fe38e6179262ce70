"""Aligned columns that are printed as they come: a listing of a million rows is never in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from sessionkit.cli.output import make_console, may_be_a_terminal

_ROWS_AT_FIRST = 50
"""As many as the first page of a listing has: nobody waits for more than that until something is printed."""

_ROWS_AT_ONCE = 200
_GAP = "  "

_Piece: TypeAlias = tuple[str, str]
"""Text, and its style."""


class Column(Struct, frozen=True):
    """A column: its heading, its style, and whether it is aligned to the right."""

    heading: str
    style: str = ""
    right: bool = False


def print_columns(columns: Sequence[Column], rows: Iterable[Sequence[str]]) -> int:
    """Print rows under their headings. The last column is not padded, and on a terminal cut to fit its line.

    The rows that are printed together share their widths; later ones may widen a column, never narrow it. The
    cells must be harmless (see :mod:`sessionkit.cli.neutral`).

    Returns:
        How many rows there were; when there was none, nothing is printed.
    """
    widths = [len(column.heading) for column in columns]
    printed = 0
    for chunk in _chunks(rows):
        for row in chunk:
            widths = [max(width, _width(cell)) for width, cell in zip(widths, row, strict=True)]
        lines = [_line(columns, row, widths) for row in chunk]
        if not printed:
            headings = [column.heading for column in columns]
            lines.insert(0, _line([replace(column, style="bold") for column in columns], headings, widths))
        _print(lines, sum(widths[:-1]) + len(_GAP) * (len(widths) - 1))
        printed += len(chunk)
    return printed


def _chunks(rows: Iterable[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    iterator = iter(rows)
    size = _ROWS_AT_FIRST
    while chunk := list(islice(iterator, size)):
        yield chunk
        size = _ROWS_AT_ONCE


def _width(cell: str) -> int:
    """How many columns of a terminal a text takes. What is ASCII, as nearly all is, needs rich for nothing."""
    if cell.isascii():
        return len(cell)
    from rich.cells import cell_len

    return cell_len(cell)


def _line(columns: Sequence[Column], cells: Sequence[str], widths: Sequence[int]) -> list[_Piece]:
    pieces: list[_Piece] = []
    for index, (column, cell, width) in enumerate(zip(columns, cells, widths, strict=True)):
        padding = " " * (width - _width(cell))
        before = padding if column.right else ""
        after = "" if column.right or index == len(cells) - 1 else padding
        pieces += [(_GAP if index else "", ""), (before, ""), (cell, column.style), (after, "")]
    return pieces


def _print(lines: Sequence[Sequence[_Piece]], last_column: int) -> None:
    if not may_be_a_terminal():
        # as rich does, and not as click: what the encoding of the stream cannot hold is escaped
        print("\n".join("".join(text for text, _ in line).rstrip() for line in lines), flush=True)
        return
    from rich.text import Text

    console = make_console()
    texts = [Text.assemble(*line) for line in lines]
    for text in texts:
        text.rstrip()
        if console.is_terminal and last_column < console.width:
            text.truncate(console.width, overflow="ellipsis")
    console.print(Text("\n").join(texts))
