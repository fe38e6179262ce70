"""Recording what real code does to a directory.

The functions of :mod:`os` that change files are replaced while a recording runs, and so is ``open``: files below
the directory are opened by the library's own implementation in Python, which ends in those functions. What goes
past them (a C extension, another process, a name that was imported from :mod:`os` before) is noticed when the
directory is compared with what was recorded.
"""

from __future__ import annotations

import _pyio  # type: ignore[import-not-found]  # part of the library, without annotations
import builtins
import errno
import io
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final

import attrs

from sessionkit.testing.crash.calls import ROOT, Call, Entry, Renamed, Resized, Synced, Wrote
from sessionkit.testing.crash.disk import Disk, State

_SYNCHRONOUS: Final = os.O_SYNC | os.O_DSYNC


class UnrecordedChangeError(Exception):
    """Something changed the directory in a way that is not recorded, so that nothing can be said about it."""


@attrs.frozen
class _Descriptor:
    number: int
    name: str
    flags: int
    inode: tuple[int, int]


class Recorder:
    """Records the calls of this process that change what is below a directory.

    Args:
        root: the directory; it holds ``start``.
        start: what is in it.
    """

    def __init__(self, root: Path, start: State) -> None:
        self._root = os.path.realpath(root)
        self._live = Disk(start)
        self._unused = self._live.unused
        self._descriptors: dict[int, _Descriptor] = {}
        self._calls: list[Call] = []
        self._lock = threading.RLock()

    def taken(self) -> list[Call]:
        """The calls since the last time.

        Raises:
            UnrecordedChangeError: they do not explain what the directory holds.
        """
        with self._lock:
            calls, self._calls = self._calls, []
            found, expected = State.scan(Path(self._root)), self._live.state()
        if found != expected:
            raise UnrecordedChangeError(
                f"the directory holds {found}; by the recorded calls it would hold {expected}. Only changes by "
                "open() and the functions of the os module, called as os.NAME, are recorded"
            )
        return calls

    @contextmanager
    def recording(self) -> Iterator[None]:
        """Record what is called inside the block."""
        replaced = [(builtins, "open", self._open_file), (io, "open", self._open_file)]
        replaced += [(os, name, getattr(self, f"_{name}")) for name in _FUNCTIONS if hasattr(os, name)]
        real = [(module, name, getattr(module, name)) for module, name, _ in replaced]
        try:
            for (module, name, function), (_, _, original) in zip(replaced, real, strict=True):
                setattr(module, name, _bound(function, original))
            yield
        finally:
            for module, name, original in real:
                setattr(module, name, original)

    # --- paths and descriptors

    def _is_root(self, path: Any) -> bool:
        return not isinstance(path, int) and os.path.abspath(os.fsdecode(path)) == self._root

    def _entry(self, path: Any, directory: int | None = None) -> Entry | None:
        """The entry that a path names, None when it is not in the directory."""
        if isinstance(path, int):
            return None
        text = os.fsdecode(path)
        if directory is not None and not os.path.isabs(text):
            parent = self._descriptors.get(directory)
            if parent is None:
                return None
            return self._below(parent.number, text.split("/"))
        text = os.path.abspath(text)
        if not text.startswith(self._root + "/"):
            return None
        return self._below(ROOT, text[len(self._root) + 1 :].split("/"))

    def _below(self, directory: int, parts: Sequence[str]) -> Entry | None:
        for part in parts[:-1]:
            number = self._live.tree.get(directory, {}).get(part)
            if number is None:
                return None
            directory = number
        return Entry(directory, parts[-1]) if directory in self._live.tree else None

    def _number(self, entry: Entry) -> int | None:
        return self._live.tree[entry.directory].get(entry.name)

    def _descriptor(self, descriptor: Any) -> _Descriptor | None:
        if not isinstance(descriptor, int):
            if not hasattr(descriptor, "fileno"):
                return None
            descriptor = descriptor.fileno()
        found = self._descriptors.get(descriptor)
        if found is not None and _inode(descriptor) != found.inode:  # closed and opened again, out of sight
            del self._descriptors[descriptor]
            return None
        return found

    def _record(self, call: Call) -> None:
        self._live.take_durably(call)
        self._calls.append(call)

    # --- opening and closing

    def _open_file(self, real: Callable[..., IO[Any]], file: Any, *arguments: Any, **options: Any) -> IO[Any]:
        if isinstance(file, int):
            ours = self._descriptor(file) is not None
        else:  # tempfile opens a directory, with a function that opens a file in it
            ours = self._is_root(file) or self._entry(file) is not None
        opened: IO[Any] = (_pyio.open if ours else real)(file, *arguments, **options)
        return opened

    def _open(
        self, real: Callable[..., int], path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None
    ) -> int:
        with self._lock:
            descriptor = real(path, flags, mode, dir_fd=dir_fd)
            if self._is_root(path):
                self._know(descriptor, ROOT, ".", flags)
                return descriptor
            entry = self._entry(path, dir_fd)
            if entry is None:
                return descriptor
            number = self._number(entry)
            if number is None and flags & os.O_CREAT:
                number = self._new()
                self._record(Renamed(f"creation of {entry.name}", added=((entry, number),), new="file"))
            if number is not None:
                self._know(descriptor, number, entry.name, flags)
                if flags & os.O_TRUNC and self._live.contents[number]:
                    self._record(Resized(number, entry.name, 0))
            return descriptor

    def _new(self) -> int:
        self._unused += 1
        return self._unused

    def _know(self, descriptor: int, number: int, name: str, flags: int) -> None:
        self._descriptors[descriptor] = _Descriptor(number, name, flags, _inode(descriptor))

    def _close(self, real: Callable[[int], None], descriptor: int) -> None:
        with self._lock:
            self._descriptors.pop(descriptor, None)
            real(descriptor)

    def _dup(self, real: Callable[[int], int], descriptor: int) -> int:
        with self._lock:
            copy = real(descriptor)
            known = self._descriptor(descriptor)
            if known is not None:
                self._descriptors[copy] = known
            return copy

    # --- data

    def _wrote(self, known: _Descriptor, offset: int, data: bytes) -> None:
        if data:
            self._record(Wrote(known.number, known.name, offset, data))
            if known.flags & _SYNCHRONOUS:
                self._record(Synced(known.number, known.name))

    def _write(self, real: Callable[..., int], descriptor: int, data: Any) -> int:
        with self._lock:
            known = self._descriptor(descriptor)
            written = real(descriptor, data)
            if known is not None:
                self._wrote(known, os.lseek(descriptor, 0, os.SEEK_CUR) - written, _bytes(data)[:written])
            return written

    def _writev(self, real: Callable[..., int], descriptor: int, buffers: Sequence[Any]) -> int:
        with self._lock:
            known = self._descriptor(descriptor)
            written = real(descriptor, buffers)
            if known is not None:
                data = b"".join(map(_bytes, buffers))[:written]
                self._wrote(known, os.lseek(descriptor, 0, os.SEEK_CUR) - written, data)
            return written

    def _pwrite(self, real: Callable[..., int], descriptor: int, data: Any, offset: int) -> int:
        return self._write_at(descriptor, offset, _bytes(data), lambda: real(descriptor, data, offset))

    def _pwritev(
        self, real: Callable[..., int], descriptor: int, buffers: Sequence[Any], offset: int, flags: int = 0
    ) -> int:
        data = b"".join(map(_bytes, buffers))
        return self._write_at(descriptor, offset, data, lambda: real(descriptor, buffers, offset, flags))

    def _write_at(self, descriptor: int, offset: int, data: bytes, write: Callable[[], int]) -> int:
        with self._lock:
            known = self._descriptor(descriptor)
            if known is not None and known.flags & os.O_APPEND:  # Linux appends then, wherever it is told to write
                offset = len(self._live.contents[known.number])
            written = write()
            if known is not None:
                self._wrote(known, offset, data[:written])
            return written

    def _ftruncate(self, real: Callable[..., None], descriptor: int, length: int) -> None:
        with self._lock:
            real(descriptor, length)
            known = self._descriptor(descriptor)
            if known is not None:
                self._record(Resized(known.number, known.name, length))

    def _truncate(self, real: Callable[..., None], path: Any, length: int) -> None:
        if isinstance(path, int):
            os.ftruncate(path, length)
            return
        with self._lock:
            real(path, length)
            entry = self._entry(path)
            number = None if entry is None else self._number(entry)
            if entry is not None and number is not None:
                self._record(Resized(number, entry.name, length))

    def _posix_fallocate(self, real: Callable[..., None], descriptor: int, offset: int, length: int) -> None:
        with self._lock:
            real(descriptor, offset, length)
            known = self._descriptor(descriptor)
            if known is not None and offset + length > len(self._live.contents[known.number]):
                self._record(Resized(known.number, known.name, offset + length))

    def _copy_file_range(self, real: Callable[..., int], source: int, target: int, *rest: Any, **named: Any) -> int:
        self._refuse(target)
        return real(source, target, *rest, **named)

    def _sendfile(self, real: Callable[..., int], target: int, source: int, *rest: Any, **named: Any) -> int:
        self._refuse(target)
        return real(target, source, *rest, **named)

    def _refuse(self, target: int) -> None:
        """Some file systems have no such call, and programs go on with reading and writing."""
        if self._descriptor(target) is not None:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))

    # --- syncs

    def _fsync(self, real: Callable[..., None], descriptor: Any) -> None:
        with self._lock:
            known = self._descriptor(descriptor)
            real(descriptor)
            if known is not None:
                self._record(Synced(known.number, known.name))

    _fdatasync = _fsync

    def _sync(self, real: Callable[[], None]) -> None:
        with self._lock:
            real()
            for number in (*self._live.contents, *self._live.tree):
                self._record(Synced(number, "everything"))

    # --- entries

    def _rename(
        self, real: Callable[..., None], src: Any, dst: Any, *, src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None
    ) -> None:  # fmt: skip
        with self._lock:
            real(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd)
            source, target = self._entry(src, src_dir_fd), self._entry(dst, dst_dir_fd)
            number = None if source is None else self._number(source)
            if source is None or target is None or number is None or number == self._number(target):
                return
            what = f"rename of {source.name} to {target.name}"
            self._record(Renamed(what, removed=(source,), added=((target, number),)))

    _replace = _rename

    def _link(
        self, real: Callable[..., None], src: Any, dst: Any, *, src_dir_fd: int | None = None,
        dst_dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> None:  # fmt: skip
        with self._lock:
            real(src, dst, src_dir_fd=src_dir_fd, dst_dir_fd=dst_dir_fd, follow_symlinks=follow_symlinks)
            source, target = self._entry(src, src_dir_fd), self._entry(dst, dst_dir_fd)
            number = None if source is None else self._number(source)
            if source is not None and target is not None and number is not None:
                self._record(Renamed(f"link from {source.name} to {target.name}", added=((target, number),)))

    def _unlink(self, real: Callable[..., None], path: Any, *, dir_fd: int | None = None) -> None:
        with self._lock:
            real(path, dir_fd=dir_fd)
            entry = self._entry(path, dir_fd)
            if entry is not None:
                self._record(Renamed(f"removal of {entry.name}", removed=(entry,)))

    _remove = _rmdir = _unlink

    def _mkdir(self, real: Callable[..., None], path: Any, mode: int = 0o777, *, dir_fd: int | None = None) -> None:
        with self._lock:
            real(path, mode, dir_fd=dir_fd)
            entry = self._entry(path, dir_fd)
            if entry is not None:
                what = f"creation of the directory {entry.name}"
                self._record(Renamed(what, added=((entry, self._new()),), new="directory"))


_FUNCTIONS: Final = (
    "close", "copy_file_range", "dup", "fdatasync", "fsync", "ftruncate", "link", "mkdir", "open", "posix_fallocate",
    "pwrite", "pwritev", "remove", "rename", "replace", "rmdir", "sendfile", "sync", "truncate", "unlink", "write",
    "writev",
)  # fmt: skip


def _bound(function: Callable[..., Any], real: Callable[..., Any]) -> Callable[..., Any]:
    def call(*arguments: Any, **options: Any) -> Any:
        return function(real, *arguments, **options)

    return call


def _inode(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


def _bytes(data: Any) -> bytes:
    return bytes(memoryview(data).cast("B"))
