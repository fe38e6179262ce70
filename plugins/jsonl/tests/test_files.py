"""Open files and their descriptors."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from sessionkit_jsonl.files import open_for_reading


@pytest.mark.parametrize("interrupt", [KeyboardInterrupt, OSError])
def test_what_interrupts_an_opening_leaves_no_descriptor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interrupt: type[BaseException]
) -> None:
    path = tmp_path / "file"
    path.touch()
    opened: list[int] = []

    def interrupted(fd: int) -> os.stat_result:
        opened.append(fd)
        raise interrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fstat", interrupted)
        with pytest.raises(interrupt):
            open_for_reading(str(path))
    [fd] = opened
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_a_file_closes_when_nobody_holds_it_any_more(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.touch()
    file = open_for_reading(str(path))
    assert file is not None
    fd = file.fd
    del file
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)
