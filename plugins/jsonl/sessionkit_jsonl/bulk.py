"""Decoding in bulk: for runs of good lines, in which nothing needs a closer look.

It takes what is regular and gives up on anything else; :mod:`sessionkit_jsonl.lines` knows how to read that.
"""

from __future__ import annotations

import zlib
from typing import Any

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError
from sessionkit_jsonl import marks
from sessionkit_jsonl.stretch import PADDING, STRIDE, Last, Stretch


def parse(buffer: bytes, *, orphans: bool = False) -> Stretch | None:
    """Decode the lines of a buffer up to its last newline, or up to a batch that goes on behind it.

    Args:
        buffer: bytes of a data file, from the beginning of a line.
        orphans: whether it may begin inside a batch.

    Returns:
        None when some line is not one object, or some batch not whole.
    """
    size = buffer.rfind(b"\n") + 1
    marked = _Marked()
    if marks.PREFIX in buffer:
        if not marked.read(buffer, size, orphans=orphans):
            return None
        size = marked.size
    body = buffer[:size]
    lines = body.count(b"\n")
    # No value goes on over a line that ends with a brace into one that begins with a brace: as many values as
    # lines is one in each then. Otherwise two in one line could make up for one that is torn over two.
    if not lines or body[:1] != b"{" or body[-2:] != b"}\n" or body.count(b"}\n{") != lines - 1:
        return None
    values = _decode(marks.without_marks(body, marked.spans) if marked.spans else body, lines)
    if values is None:
        return None
    text = body[body.rfind(b"\n", 0, size - 1) + 1 : size - 1]
    last = Last(size - 1, zlib.crc32(marks.unmarked(text, marks.read_mark(text)).strip(PADDING)))
    return Stretch(size, lines, values, last, points=tuple(marked.points), orphaned=marked.orphans == lines)


def _decode(body: bytes, lines: int) -> list[dict[str, Any]] | None:
    try:
        values = codec.decode_lines(body)
    except DecodeError:
        return None
    return values if len(values) == lines and set(map(type, values)) == {dict} else None


@attrs.define
class _Marked:
    """What the marks of a buffer say.

    Attributes:
        spans: where they stand.
        size: up to where every batch is whole.
        orphans: how many lines at the beginning belong to a batch that began before.
        points: see :class:`Stretch`.
    """

    spans: list[tuple[int, int]] = attrs.Factory(list)
    size: int = 0
    orphans: int = 0
    points: list[tuple[int, int, int]] = attrs.Factory(list)
    _batch: bytes | None = None
    _remaining: int = 0
    _end: int = 0
    _line: int = 0
    _position: int = 0

    def read(self, buffer: bytes, size: int, *, orphans: bool) -> bool:
        """Follow the marks up to ``size``. False when some batch is not whole."""
        self.size = size
        for mark in marks.find_marks(buffer, size):
            line = self._line + buffer.count(b"\n", self._position, mark.start)
            if mark.batch is not None and not self._follow(buffer, mark, line, orphans=orphans):
                return False
            if self.size != size:
                return self._remaining == 0
            self.spans.append((mark.start, mark.end))
            self._line, self._position = line, mark.start
        return self._remaining == 0

    def _follow(self, buffer: bytes, mark: marks.FoundMark, line: int, *, orphans: bool) -> bool:
        if mark.lines:
            return self._begin(buffer, mark)
        if self._remaining:
            if mark.batch != self._batch or line != self._line + 1:
                return False
            self._remaining -= 1
            whole = self._remaining > 0 or buffer.find(b"\n", mark.start) + 1 == self._end
        else:
            whole = orphans and self.orphans == line
            self.orphans += 1
        if mark.start - (self.points[-1][0] if self.points else 0) >= STRIDE:
            self.points.append((mark.start, line, line))
        return whole

    def _begin(self, buffer: bytes, mark: marks.FoundMark) -> bool:
        if self._remaining:
            return False
        if mark.start + mark.size > self.size:
            self.size = mark.start  # it may go on behind the buffer
            return True
        self._batch, self._remaining, self._end = mark.batch, mark.lines - 1, mark.start + mark.size
        return self._remaining > 0 or buffer.find(b"\n", mark.start) + 1 == self._end
