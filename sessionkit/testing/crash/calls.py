"""The calls that change a directory, as the recorder tells them and the model of a disk takes them.

Files and directories have numbers; 0 is the directory that is watched.
"""

from __future__ import annotations

from typing import Final, Literal, TypeAlias

import attrs

ROOT: Final = 0


@attrs.frozen
class Wrote:
    """Bytes were written into a file."""

    file: int
    name: str
    offset: int
    data: bytes

    def __str__(self) -> str:
        return f"write of {len(self.data)} bytes at {self.offset} of {self.name}"

    def apply(self, content: bytes) -> bytes:
        """The file's content after the call."""
        return content[: self.offset].ljust(self.offset, b"\0") + self.data + content[self.offset + len(self.data) :]


@attrs.frozen
class Resized:
    """A file got another length."""

    file: int
    name: str
    size: int

    def __str__(self) -> str:
        return f"change of {self.name} to {self.size} bytes"

    def apply(self, content: bytes) -> bytes:
        """The file's content after the call."""
        return content[: self.size].ljust(self.size, b"\0")


@attrs.frozen
class Entry:
    """A name in a directory."""

    directory: int
    name: str


@attrs.frozen
class Renamed:
    """The entries of directories changed, all in one step.

    Attributes:
        what: the call, for people.
        removed: the entries that went.
        added: the entries that came, and what they name.
        new: what the call made: a file, a directory or nothing.
    """

    what: str
    removed: tuple[Entry, ...] = ()
    added: tuple[tuple[Entry, int], ...] = ()
    new: Literal["file", "directory"] | None = None

    def __str__(self) -> str:
        return self.what

    @property
    def directories(self) -> frozenset[int]:
        """The directories whose entries changed."""
        return frozenset(entry.directory for entry in (*self.removed, *(entry for entry, _ in self.added)))

    def apply(self, tree: dict[int, dict[str, int]]) -> None:
        """Change the entries of directories."""
        for entry in self.removed:
            tree[entry.directory].pop(entry.name, None)
        for entry, number in self.added:
            tree[entry.directory][entry.name] = number


@attrs.frozen
class Synced:
    """A file's content or a directory's entries were made durable."""

    number: int
    name: str

    def __str__(self) -> str:
        return f"sync of {self.name}"


DataCall: TypeAlias = Wrote | Resized
Call: TypeAlias = Wrote | Resized | Renamed | Synced
