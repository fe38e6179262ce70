"""A disk as it may be: what is on it for certain, and what was asked of it and is not known to be on it."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final, TypeAlias

import attrs

from sessionkit.testing.crash.calls import ROOT, Call, DataCall, Renamed, Resized, Synced, Wrote

_AGE_SECONDS: Final = 3600
"""How old files are when they are found after a power cut: no backend may take them for those of a living process."""

Tree: TypeAlias = dict[int, dict[str, int]]
"""The entries of each directory."""


@attrs.frozen
class State:
    """Everything below a directory, by value.

    Attributes:
        names: each path with the number of its content, None for a directory; in order. Two names of one file
            have one number.
        contents: the contents, by number.
    """

    names: tuple[tuple[str, int | None], ...] = ()
    contents: tuple[bytes, ...] = ()

    @classmethod
    def of(cls, tree: Mapping[int, Mapping[str, int]], contents: Mapping[int, bytes]) -> State:
        """The state of a tree; what no name leads to is not in it."""
        numbers: dict[int, int] = {}
        names = [
            (path, None if number in tree else numbers.setdefault(number, len(numbers)))
            for path, number in _walk(tree, ROOT, "")
        ]
        return cls(tuple(names), tuple(contents[number] for number in numbers))

    @classmethod
    def scan(cls, root: Path) -> State:
        """The state of a real directory."""
        names: list[tuple[str, int | None]] = []
        contents: list[bytes] = []
        inodes: dict[int, int] = {}

        def look(directory: str, prefix: str) -> None:
            with os.scandir(directory) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
            for entry in found:
                if entry.is_dir(follow_symlinks=False):
                    names.append((prefix + entry.name, None))
                    look(entry.path, f"{prefix}{entry.name}/")
                    continue
                if entry.inode() not in inodes:
                    inodes[entry.inode()] = len(contents)
                    contents.append(Path(entry.path).read_bytes())
                names.append((prefix + entry.name, inodes[entry.inode()]))

        look(str(root), "")
        return cls(tuple(names), tuple(contents))

    def materialise(self, root: Path) -> None:
        """Make a real directory of it. Its files look old."""
        root.mkdir()
        moment = time.time() - _AGE_SECONDS
        paths: dict[int, str] = {}
        for name, number in self.names:
            path = os.path.join(root, name)
            if number is None:
                os.mkdir(path)
            elif number in paths:
                os.link(paths[number], path)
            else:
                paths[number] = path
                with open(path, "wb", buffering=0) as file:
                    file.write(self.contents[number])
                os.utime(path, (moment, moment))

    def __str__(self) -> str:
        shown = [
            f"{name}/" if number is None else f"{name} ({len(self.contents[number])} bytes)"
            for name, number in self.names
        ]
        return ", ".join(shown) or "an empty directory"


def _walk(tree: Mapping[int, Mapping[str, int]], directory: int, prefix: str) -> Iterator[tuple[str, int]]:
    for name, number in sorted(tree[directory].items()):
        yield prefix + name, number
        if number in tree:
            yield from _walk(tree, number, f"{prefix}{name}/")


class Disk:
    """What calls have done to a disk that held a state.

    Attributes:
        tree: the entries that are durable. A directory that no entry leads to is there all the same.
        contents: the contents that are durable, of every file that ever was.
        renames: the changes of entries that are pending, oldest first.
        writes: the changes of each file that are pending, oldest first.
    """

    def __init__(self, start: State) -> None:
        self.tree: Tree = {ROOT: {}}
        self.contents: dict[int, bytes] = {}
        self.renames: list[Renamed] = []
        self.writes: dict[int, list[DataCall]] = {}
        self._load(start)

    def _load(self, start: State) -> None:
        first = len(start.names) + 1  # numbers of files, after those of directories
        directories = {"": ROOT}
        for position, (path, number) in enumerate(start.names, 1):
            parent, _, name = path.rpartition("/")
            if number is None:
                directories[path] = position
                self.tree[position] = {}
            else:
                self.contents[first + number] = start.contents[number]
            self.tree[directories[parent]][name] = position if number is None else first + number

    @property
    def unused(self) -> int:
        """A number from which on none is used."""
        return max([*self.tree, *self.contents]) + 1

    def take(self, call: Call) -> None:
        """Let a call be made: what it changes is pending until it is synced."""
        match call:
            case Renamed():
                self._know(call)
                self.renames.append(call)
            case Synced():
                self._sync(call.number)
            case _:
                self.writes.setdefault(call.file, []).append(call)

    def take_durably(self, call: Call) -> None:
        """Let a call be made, and be on disk at once."""
        match call:
            case Renamed():
                self._know(call)
                call.apply(self.tree)
            case Wrote() | Resized():
                self.contents[call.file] = call.apply(self.contents[call.file])

    def state(self) -> State:
        """What is durable."""
        return State.of(self.tree, self.contents)

    def _know(self, call: Renamed) -> None:
        for _, number in call.added:
            if call.new == "directory":
                self.tree[number] = {}
            elif call.new == "file":
                self.contents[number] = b""

    def _sync(self, number: int) -> None:
        if number not in self.tree:
            for call in self.writes.pop(number, ()):
                self.contents[number] = call.apply(self.contents[number])
            return
        # A call that concerns two directories is one step: what it depends on in the other one goes with it.
        directories = {number}
        done = []
        for rename in reversed(self.renames):
            if rename.directories & directories:
                directories |= rename.directories
                done.append(rename)
        for rename in reversed(done):
            rename.apply(self.tree)
        self.renames = [rename for rename in self.renames if rename not in done]
