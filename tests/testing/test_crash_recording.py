"""The recorder sees what programs do to a directory, however they do it, or says that it does not."""

from __future__ import annotations

import builtins
import io
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from sessionkit.testing.crash.disk import State
from sessionkit.testing.crash.recording import Recorder, UnrecordedChangeError

Program = Callable[[Path], object]


def _record(root: Path, program: Program) -> list[str]:
    """What a program does to a directory that holds a file ``old`` and a directory ``sub`` with a file."""
    root.mkdir()
    (root / "old").write_bytes(b"12345")
    (root / "sub").mkdir()
    (root / "sub" / "inner").write_bytes(b"inner")
    recorder = Recorder(root, State.scan(root))
    with recorder.recording():
        program(root)
    return [str(call) for call in recorder.taken()]


def _with_descriptor(use: Callable[[int], object], flags: int = os.O_RDWR) -> Program:
    def program(root: Path) -> None:
        descriptor = os.open(root / "old", flags)
        try:
            use(descriptor)
        finally:
            os.close(descriptor)

    return program


def _from_inside(root: Path, use: Callable[[int], object]) -> None:
    descriptor = os.open(root / "sub", os.O_RDONLY)
    use(descriptor)
    os.close(descriptor)


def _write_through_a_copy(descriptor: int) -> None:
    copy = os.dup(descriptor)
    os.write(copy, b"x")
    os.close(copy)


def _sync(descriptor: int) -> None:
    os.fsync(descriptor)  # looked up when it is called: the function of that moment is the recorder's


def _sync_data(descriptor: int) -> None:
    os.fdatasync(descriptor)


def _moved_in(root: Path) -> None:
    (root.parent / "outside").write_text("abc")
    os.rename(root.parent / "outside", root / "new")


def _temporary(root: Path) -> None:
    with tempfile.NamedTemporaryFile(dir=root, prefix="t-", delete=False) as file:
        file.write(b"abc")
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, root / "old")


@pytest.mark.parametrize(
    ("program", "calls"),
    [
        (lambda root: (root / "new").write_text("abc"), ["creation of new", "write of 3 bytes at 0 of new"]),
        (lambda root: (root / "old").write_bytes(b""), ["change of old to 0 bytes"]),
        (_with_descriptor(lambda fd: os.write(fd, b"ab")), ["write of 2 bytes at 0 of old"]),
        (_with_descriptor(lambda fd: os.write(fd, b"ab"), os.O_WRONLY | os.O_APPEND), ["write of 2 bytes at 5 of old"]),
        (_with_descriptor(lambda fd: os.pwrite(fd, b"ab", 9)), ["write of 2 bytes at 9 of old"]),
        (
            _with_descriptor(lambda fd: os.pwrite(fd, b"ab", 1), os.O_WRONLY | os.O_APPEND),
            ["write of 2 bytes at 5 of old"],
        ),
        (_with_descriptor(lambda fd: os.writev(fd, [b"a", b"bc"])), ["write of 3 bytes at 0 of old"]),
        (_with_descriptor(lambda fd: os.pwritev(fd, [b"a", b"bc"], 2)), ["write of 3 bytes at 2 of old"]),
        (_with_descriptor(_write_through_a_copy), ["write of 1 bytes at 0 of old"]),
        (_with_descriptor(lambda fd: os.ftruncate(fd, 2)), ["change of old to 2 bytes"]),
        (lambda root: os.truncate(root / "old", 7), ["change of old to 7 bytes"]),
        (_with_descriptor(lambda fd: os.truncate(fd, 1)), ["change of old to 1 bytes"]),
        (_with_descriptor(lambda fd: os.posix_fallocate(fd, 0, 8)), ["change of old to 8 bytes"]),
        (_with_descriptor(lambda fd: os.posix_fallocate(fd, 0, 3)), []),
        (_with_descriptor(_sync), ["sync of old"]),
        (_with_descriptor(_sync_data), ["sync of old"]),
        (
            _with_descriptor(lambda fd: os.write(fd, b"x"), os.O_WRONLY | os.O_DSYNC),
            ["write of 1 bytes at 0 of old", "sync of old"],
        ),
        (lambda root: _from_inside(root, _sync), ["sync of sub"]),
        (lambda root: os.rename(root / "old", root / "sub" / "new"), ["rename of old to new"]),
        (lambda root: os.replace(root / "old", root / "sub" / "inner"), ["rename of old to inner"]),
        (lambda root: os.link(root / "old", root / "twin"), ["link from old to twin"]),
        (lambda root: (root / "old").unlink(), ["removal of old"]),
        (lambda root: _from_inside(root, lambda fd: os.remove("inner", dir_fd=fd)), ["removal of inner"]),
        (
            lambda root: (root / "a" / "b").mkdir(parents=True),
            ["creation of the directory a", "creation of the directory b"],
        ),
        (lambda root: shutil.rmtree(root / "sub"), ["removal of inner", "removal of sub"]),
        (lambda root: shutil.copyfile(root / "old", root / "new"), ["creation of new", "write of 5 bytes at 0 of new"]),
    ],
)
def test_a_call_is_recorded(tmp_path: Path, program: Program, calls: list[str]) -> None:
    assert _record(tmp_path / "root", program) == calls


def test_a_temporary_file_of_the_library_is_recorded(tmp_path: Path) -> None:
    created, wrote, synced, renamed = _record(tmp_path / "root", _temporary)
    assert created.startswith("creation of t-")
    assert wrote.startswith("write of 3 bytes at 0 of t-")
    assert synced.startswith("sync of t-")
    assert renamed.endswith(" to old")


def test_a_buffered_file_is_recorded_as_it_is_flushed(tmp_path: Path) -> None:
    def program(root: Path) -> None:
        with open(root / "old", "a", encoding="utf-8") as file:
            file.write("ä")
            file.flush()
            file.write("b")
            assert file.tell() == 8

    assert _record(tmp_path / "root", program) == ["write of 2 bytes at 5 of old", "write of 1 bytes at 7 of old"]


def test_files_that_are_moved_and_removed_keep_their_identity(tmp_path: Path) -> None:
    def program(root: Path) -> None:
        with open(root / "old", "r+b") as file:
            os.rename(root / "sub", root / "moved")
            os.rename(root / "old", root / "moved" / "old")
            file.write(b"x")

    assert _record(tmp_path / "root", program)[-1] == "write of 1 bytes at 0 of old"


def test_a_call_that_fails_is_none(tmp_path: Path) -> None:
    def program(root: Path) -> None:
        for call in (
            lambda: os.mkdir(root / "sub"),
            lambda: os.link(root / "nothing", root / "new"),
            lambda: os.open(root / "old", os.O_CREAT | os.O_EXCL),
        ):
            with pytest.raises(OSError, match=r"exists|No such file"):
                call()

    assert _record(tmp_path / "root", program) == []


def test_what_happens_elsewhere_is_not_recorded(tmp_path: Path) -> None:
    def program(root: Path) -> None:
        (root.parent / "root-too").write_text("abc")
        os.rename(root.parent / "root-too", root.parent / "other")

    assert _record(tmp_path / "root", program) == []


@pytest.mark.parametrize(
    "program",
    [
        pytest.param(lambda root: io.FileIO(root / "new", "w").close(), id="file of the C library"),
        pytest.param(lambda root: os.symlink("old", root / "new"), id="symbolic link"),
        pytest.param(_moved_in, id="moved in from elsewhere"),
    ],
)
def test_what_cannot_be_recorded_is_noticed(tmp_path: Path, program: Program) -> None:
    with pytest.raises(UnrecordedChangeError, match="holds new"):
        _record(tmp_path / "root", program)


def test_everything_is_as_it_was_after_a_recording(tmp_path: Path) -> None:
    before = {**vars(os)}, builtins.open, io.open
    with pytest.raises(RuntimeError), Recorder(tmp_path, State()).recording():
        raise RuntimeError
    assert before == ({**vars(os)}, builtins.open, io.open)


def test_a_state_is_the_same_after_it_was_made_real(tmp_path: Path) -> None:
    (tmp_path / "one" / "sub").mkdir(parents=True)
    (tmp_path / "one" / "a").write_bytes(b"same")
    (tmp_path / "one" / "sub" / "b").write_bytes(b"same")
    os.link(tmp_path / "one" / "a", tmp_path / "one" / "sub" / "twin")
    state = State.scan(tmp_path / "one")
    state.materialise(tmp_path / "two")
    assert State.scan(tmp_path / "two") == state
    assert os.path.samefile(tmp_path / "two" / "a", tmp_path / "two" / "sub" / "twin")
    assert str(state) == "a (4 bytes), sub/, sub/b (4 bytes), sub/twin (4 bytes)"
