"""``Source``: what conversations are read from."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, islice
from pathlib import Path
from typing import Self

from sessionkit.transfer.values import Value, read_values

_LOOKED_AT = 20
"""So many values may be damaged before nobody knows the format of a file any more."""


class Source:
    """A file, a directory, or a stream such as standard input.

    Attributes:
        name: what errors call it.
        path: where it is; None for a stream.
        is_directory: whether it is a directory, which has no lines.
    """

    def __init__(self, name: str, lines: Iterable[bytes] = (), *, path: Path | None = None) -> None:
        """A file or stream that is open already: its lines are taken when they are asked for."""
        self.name = name
        self.path = path
        self.is_directory = path is not None and path.is_dir()
        self._lines = iter(lines)
        self._looked: list[Value | None] = []

    @classmethod
    @contextmanager
    def opened(cls, path: str | os.PathLike[str]) -> Iterator[Self]:
        """Open a file, or look at a directory.

        Raises:
            OSError: there is none, or it cannot be read.
        """
        path = Path(path)
        if path.is_dir():
            yield cls(str(path), path=path)
            return
        with path.open("rb") as file:
            yield cls(str(path), file, path=path)

    @property
    def stem(self) -> str:
        """The name of the file without its suffix, for keys; ``""`` for a stream."""
        return "" if self.path is None else self.path.stem

    def lines(self) -> Iterator[bytes]:
        """The lines, from the first one on. They can be taken once."""
        return self._lines

    def begins_with(self, magic: bytes) -> bool:
        """Whether the first line begins with these bytes."""
        first = list(islice(self._lines, 1))
        self._lines = chain(first, self._lines)
        return bool(first) and first[0].startswith(magic)

    def first_value(self) -> Value | None:
        """The first JSON value that can be read, to tell formats apart; None when there is none near the beginning.

        The lines that were looked at are still there for :meth:`lines`.
        """
        if not self._looked:
            taken: list[bytes] = []
            values = islice(read_values(_recorded(self._lines, taken)), _LOOKED_AT)
            self._looked.append(next((value for value in values if isinstance(value, Value)), None))
            self._lines = chain(taken, self._lines)
        return self._looked[0]


def _recorded(lines: Iterable[bytes], taken: list[bytes]) -> Iterator[bytes]:
    for line in lines:
        taken.append(line)
        yield line
