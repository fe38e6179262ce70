"""What is known of a data file: how many messages it has and where they stand, so that nothing is read twice.

The first look reads the file from its beginning; later ones read what was appended. A checkpoint every so many
bytes tells where to begin to read for the last messages, or for any others.
"""

from __future__ import annotations

import errno
from array import array
from bisect import bisect_right
from collections.abc import Iterator
from typing import Any, Final

import attrs
from msgspec import Struct

from sessionkit.sieve import Sieve
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.lines import Line, parse, split
from sessionkit_jsonl.stretch import STRIDE, Last, Stretch

_BLOCK: Final = 32 * 1024
"""How much is read at first, in bytes: for a few messages that is enough."""

_LARGE_BLOCK: Final = 256 * 1024
"""How much is read at once where much is read: more would not stay in the processor's cache."""

_SKIP_BLOCK: Final = 256 * 1024


class Place(Struct, frozen=True):
    """Where a message stands.

    Attributes:
        offset: where its line begins.
        line: how many counted lines stand before its line.
        whole: whether it is the first of its line, so that ``skip`` can begin with it.
    """

    offset: int
    line: int
    whole: bool


class _Piece(Struct, frozen=True):
    """What was read at once: where it begins, and whether inside a batch; the rest, at the end of the file."""

    start: int
    inside: bool
    settled: Stretch
    rest: Stretch | None


@attrs.define  # each append assigns to it, which takes twice as long with a Struct
class Index:
    """What is known of one data file, from the line on that ``skip`` names.

    Attributes:
        skip: how many counted lines at the beginning are truncated.
        end: up to where the file is known; what follows is read again at every look.
        lines: how many counted lines stand before ``end``.
        seen: how many messages were found.
        hidden: how many of them are truncated by now.
        last: where the last of them ends.
        dead: how many dead lines were found; waste: how many bytes without message.
    """

    skip: int
    end: int = 0
    lines: int = 0
    seen: int = 0
    hidden: int = 0
    last: Last | None = None
    dead: int = 0
    waste: int = 0
    _hides: int = attrs.field(init=False)
    _origin: int = -1
    _ordinals: array[int] = attrs.field(factory=lambda: array("q"), repr=False)
    _offsets: array[int] = attrs.field(factory=lambda: array("q"), repr=False)
    _lines_before: array[int] = attrs.field(factory=lambda: array("q"), repr=False)
    _inside: array[int] = attrs.field(factory=lambda: array("b"), repr=False)

    def __attrs_post_init__(self) -> None:
        self._hides = self.skip

    def advance(self, file: OpenFile, size: int, collect: list[dict[str, Any]] | None = None) -> Stretch:
        """Take in what was appended.

        Args:
            file: the data file.
            size: how long it is.
            collect: gets the messages that are found on the way.

        Returns:
            The rest, which the next append may change the meaning of. It is not part of the index.
        """
        if self._origin < 0:
            hidden = self._skip_lines(file, size)
            if self._origin < 0:
                return hidden
        for piece in self._pieces(file, self.end, size, decode=collect is not None):
            if piece.settled.size:
                self._note(piece)
                if collect is not None:
                    collect.extend(piece.settled.values)
            if piece.rest is not None:
                return piece.rest
        return Stretch()

    def note_append(self, start: int, size: int, count: int, last: Last) -> bool:
        """Take in what this process appended, so many lines, a message each; False when that was done already."""
        if self._origin < 0 or self.end != start:
            return False
        self._checkpoint(start, self.lines, self.seen, inside=False)
        self.end += size
        self.lines += count
        self.seen += count
        self.last = last
        return True

    def _note(self, piece: _Piece) -> None:
        offset, stretch = piece.start, piece.settled
        self._checkpoint(offset, self.lines, self.seen, inside=piece.inside)
        for position, lines, values, inside in stretch.points:
            self._checkpoint(offset + position, self.lines + lines, self.seen + values, inside=inside)
        self.end = offset + stretch.size
        self.lines += stretch.lines
        self.seen += stretch.count
        self.dead += stretch.dead
        self.waste += stretch.waste
        if stretch.last is not None:
            self.last = Last(offset + stretch.last.end, stretch.last.checksum)

    def _checkpoint(self, offset: int, lines: int, ordinal: int, *, inside: bool) -> None:
        if self._offsets and offset - self._offsets[-1] < STRIDE // 2:
            return
        self._ordinals.append(ordinal)
        self._offsets.append(offset)
        self._lines_before.append(lines)
        self._inside.append(inside)

    def _pieces(
        self, file: OpenFile, start: int, end: int, *, inside: bool | None = None, decode: bool = True
    ) -> Iterator[_Piece]:
        """Read on from where a line begins; ``inside``: whether that may be inside a batch that is under way."""
        wanted = _BLOCK
        inside = start == self._origin > 0 if inside is None else inside
        while start < end:
            buffer = file.read(start, min(wanted, end - start))
            final = len(buffer) < wanted or start + len(buffer) == end
            settled, rest = parse(buffer, final=final, orphans=inside, decode=decode)
            if final:
                yield _Piece(start, inside, settled, rest)
                return
            if settled.size == 0:  # a line or a batch that is longer
                wanted = max(2 * wanted, settled.wanted)
                continue
            yield _Piece(start, inside, settled, None)
            start += settled.size
            inside = inside and settled.orphaned
            wanted = min(2 * wanted, _LARGE_BLOCK)

    def _begins_inside(self, checkpoint: int) -> bool:
        """Whether a batch may be under way at a checkpoint: at the first visible line, or inside a whole batch."""
        return self._offsets[checkpoint] == self._origin > 0 or bool(self._inside[checkpoint])

    def _skip_lines(self, file: OpenFile, size: int) -> Stretch:
        """Pass over truncated lines without decoding them."""
        while self.lines < self.skip and self.end < size:
            block = file.read(self.end, min(_SKIP_BLOCK, size - self.end))
            used = _skip_in(block, self.skip - self.lines)
            while used is None and self.end + len(block) < size:  # a line longer than the block
                longer = file.read(self.end, min(2 * len(block), size - self.end))
                if len(longer) == len(block):
                    break
                block = longer
                used = _skip_in(block, self.skip - self.lines)
            if used is None:
                return Stretch(size=len(block), lines=int(block not in (b"", b"\r")))
            self.end += used[0]
            self.lines += used[1]
        if self.lines == self.skip:
            self._origin = self.end
        return Stretch()

    def following(self, file: OpenFile, skip: int) -> Index:
        """The index for another ``skip``: this one where it will do, else one that has to advance first."""
        if skip == self._hides:
            return self
        if self._origin >= 0 and self.skip <= skip <= self.lines:
            self.hidden = self._ordinal_of_line(file, skip)
            self._hides = skip
            return self
        return Index(skip, end=self.end, lines=self.lines) if skip >= self.lines else Index(skip)

    def _ordinal_of_line(self, file: OpenFile, number: int) -> int:
        if number >= self.lines:
            return self.seen
        at = bisect_right(self._lines_before, number) - 1
        ordinal, passed = self._ordinals[at], self._lines_before[at]
        for _, line in self._lines_from(file, at):
            if passed >= number:
                return ordinal
            passed += line.counted
            ordinal += len(line.records)
        return ordinal

    def place(self, file: OpenFile, ordinal: int) -> Place:
        """Where a message stands that is in the index."""
        at = bisect_right(self._ordinals, ordinal) - 1
        before, passed = self._ordinals[at], self._lines_before[at]
        for offset, line in self._lines_from(file, at):
            if before + len(line.records) > ordinal:
                return Place(offset, passed, before == ordinal)
            passed += line.counted
            before += len(line.records)
        raise OSError(errno.ESTALE, "another program cut the file short", file.path)

    def checkpoint(self, ordinal: int) -> tuple[int, int]:
        """The last known place to begin at before a message: the first message there, and the position."""
        at = bisect_right(self._ordinals, ordinal) - 1
        return self._ordinals[at], self._offsets[at]

    def bound(self, ordinal: int) -> int:
        """A position behind which the line of a message does not begin, told without reading."""
        after = bisect_right(self._ordinals, ordinal)
        return self._offsets[after] if after < len(self._offsets) else self.end

    def values(self, file: OpenFile, first: int, last: int) -> list[dict[str, Any]]:
        """The messages from one position up to before another one, decoded."""
        if first >= last:
            return []
        at = bisect_right(self._ordinals, first) - 1
        before = self._ordinals[at]
        found: list[dict[str, Any]] = []
        for piece in self._pieces(file, self._offsets[at], self.end, inside=self._begins_inside(at)):
            found += piece.settled.values
            if before + len(found) >= last:
                break
        return found[first - before : last - before]

    def sift(self, file: OpenFile, first: int, sieve: Sieve, most: int) -> tuple[list[tuple[int, int]], int]:
        """Which messages a sieve lets pass, told from the bytes between two places where reading may begin.

        Args:
            file: the data file.
            first: the first message that is asked about.
            sieve: what they must pass.
            most: after how many bytes to stop, about.

        Returns:
            Their positions, first and behind the last of each run; and up to where it looked.
        """
        spans: list[tuple[int, int]] = []
        at = bisect_right(self._ordinals, first) - 1
        while first < self.seen and most > 0:
            start, is_last = self._offsets[at], at + 1 == len(self._offsets)
            size = (self.end if is_last else self._offsets[at + 1]) - start
            last = self.seen if is_last else self._ordinals[at + 1]
            if last > first and sieve.passes(file.read(start, size)):
                begin = spans.pop()[0] if spans and spans[-1][1] == first else first
                spans.append((begin, last))
            first, at, most = max(first, last), at + 1, most - size
        return spans, first

    def new_values(self, file: OpenFile, position: int) -> list[dict[str, Any]]:
        """The messages, decoded, that were found since the index ended at a position."""
        return [value for piece in self._pieces(file, position, self.end) for value in piece.settled.values]

    def records(self, file: OpenFile, first: int) -> Iterator[bytes]:
        """The messages from a position on, as bytes."""
        if first >= self.seen:
            return
        at = bisect_right(self._ordinals, first) - 1
        before = self._ordinals[at]
        for _, line in self._lines_from(file, at):
            for record, _ in line.records:
                if before >= first:
                    yield record
                before += 1

    def damage(self, file: OpenFile, start: int = 0) -> Iterator[bytes]:
        """The dead lines from a position on, as bytes, with their newlines."""
        if not self.dead:
            return
        for offset, line in self._lines_from(file, 0):
            if line.dead and offset >= start:
                yield file.read(offset, line.end - line.start)

    def _lines_from(self, file: OpenFile, checkpoint: int) -> Iterator[tuple[int, Line]]:
        """The settled lines from a checkpoint on, with their positions."""
        start = self._offsets[checkpoint]
        return read_lines(file, start, self.end, inside=self._begins_inside(checkpoint))


def read_lines(file: OpenFile, start: int, end: int, *, inside: bool = False) -> Iterator[tuple[int, Line]]:
    """The complete lines of a part of a file, with their positions.

    Args:
        file: a data file.
        start: where a line begins.
        end: where the part ends.
        inside: whether it may begin inside a batch.
    """
    wanted = _BLOCK
    while start < end:
        buffer = file.read(start, min(wanted, end - start))
        final = len(buffer) < wanted or start + len(buffer) == end
        lines, complete = split(buffer, orphans=inside)
        if not complete and not final:
            wanted *= 2
            continue
        for line in lines[:complete]:
            yield start + line.start, line
        if final:
            return
        start += lines[complete - 1].end
        inside = inside and all(line.inside for line in lines[:complete])
        wanted = _BLOCK


def _skip_in(block: bytes, wanted: int) -> tuple[int, int] | None:
    """Pass over up to so many counted lines: how many bytes, and how many lines; None when no line ends here."""
    size = block.rfind(b"\n") + 1
    if not size:
        return None
    lines = block.count(b"\n", 0, size)
    if lines <= wanted and b"\n\n" not in block and b"\n\r" not in block and block[:1] not in (b"\n", b"\r"):
        return size, lines
    position = passed = 0
    while position < size and passed < wanted:
        end = block.index(b"\n", position)
        passed += block[position:end] not in (b"", b"\r")
        position = end + 1
    return position, passed
