"""Temporary files of killed processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from sessionkit_jsonl import JSONLBackend
from sessionkit_jsonl.files import Files

OpenBackend: TypeAlias = Callable[..., JSONLBackend]


def age(path: str | Path, seconds: int) -> None:
    moment = os.stat(path).st_mtime - seconds
    os.utime(path, (moment, moment))


def test_what_a_killed_process_left_goes_when_the_directory_is_opened(
    directory: Path, open_backend: OpenBackend
) -> None:
    open_backend()
    left = directory / ".sessionkit-1-0123456789abcdef.tmp"
    left.write_text("half a document")
    age(left, 120)
    open_backend()
    assert not left.exists()


def test_what_is_in_use_stays(directory: Path, open_backend: OpenBackend) -> None:
    open_backend()
    file = Files().temporary(str(directory))
    age(file.path, 120)
    open_backend()
    assert os.path.exists(file.path)


def test_what_is_young_or_of_others_stays(directory: Path, open_backend: OpenBackend) -> None:
    open_backend()
    young = directory / ".sessionkit-1-0123456789abcdef.tmp"
    young.write_text("")
    other = directory / "mine.tmp"
    other.write_text("")
    age(other, 1000)
    open_backend()
    assert young.exists()
    assert other.exists()
