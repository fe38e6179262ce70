"""The format is told by what stands in the file."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sessionkit.errors import FormatError
from sessionkit.transfer.formats import FORMATS, Source, find_format, read_source, recognise

HELLO = {"role": "user", "content": "hello"}
TURNS = [{"from": "human", "value": "hello"}]

FILES: dict[str, tuple[Any, str]] = {
    "line": ({"key": "a", "messages": [HELLO]}, "sessionkit"),
    "line-with-id": ({"id": "a", "messages": []}, "sessionkit"),
    "array": ([{"id": "a", "messages": []}], "sessionkit"),
    "messages": ([HELLO], "openai"),
    "object": ({"messages": [HELLO], "model": "m"}, "openai"),
    "objects": ([{"messages": [HELLO]}], "openai"),
    "sharegpt": ({"id": "a", "conversations": TURNS}, "sharegpt"),
    "sharegpt-array": ([{"conversations": TURNS}], "sharegpt"),
    "nanobot": ({"_type": "metadata", "key": "a", "metadata": {}}, "nanobot"),
    "nothing-known": ({"question": "hello"}, "sessionkit"),
    "nothing": ([], "sessionkit"),
}


def _recognised(path: Path) -> str:
    with Source.opened(path) as source:
        return recognise(source).name


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("suffix", [".json", ".txt"])
@pytest.mark.parametrize("name", FILES)
def test_a_file_is_recognised_whatever_it_is_called(tmp_path: Path, name: str, suffix: str, indent: int | None) -> None:
    value, expected = FILES[name]
    path = tmp_path / f"file{suffix}"
    path.write_text("\ufeff\n" + json.dumps(value, indent=indent), "utf-8")
    assert _recognised(path) == expected


def test_a_damaged_beginning_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text('{"key": "torn", "mess\n{"conversations": []}\n')
    assert _recognised(path) == "sharegpt"


def test_looking_at_a_stream_takes_nothing_from_it() -> None:
    lines = [b'{"broken\n', b'{"messages": []}\n', b"rest\n"]
    source = Source("standard input", lines)
    assert recognise(source).name == "openai"
    assert list(source.lines()) == lines


def test_a_database_is_recognised(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "file.txt")) as database:
        database.execute("CREATE TABLE anything (x)")
        database.commit()
    assert _recognised(tmp_path / "file.txt") == "openai-agents"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"a.json": {"key": "a", "messages": []}}, "picoclaw"),
        ({"a.jsonl": HELLO}, "picoclaw"),
        ({"a.jsonl": 0, "a.meta.json": {"key": "a"}}, "picoclaw"),
        ({"a.jsonl": {"_type": "metadata"}}, "nanobot"),
    ],
)
def test_a_directory_is_recognised_by_its_files(tmp_path: Path, files: dict[str, Any], expected: str) -> None:
    for name, value in files.items():
        (tmp_path / name).write_text(json.dumps(value))
    assert _recognised(tmp_path) == expected


def test_several_possible_formats_are_an_error_that_names_them(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(json.dumps({"id": "a", "messages": [], "conversations": TURNS}))
    with pytest.raises(FormatError, match=r"file may be in the formats sessionkit and sharegpt; name the one"):
        _recognised(path)


def test_a_directory_of_two_programs_is_an_error_that_names_them(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text(json.dumps(HELLO))
    (tmp_path / "b.jsonl").write_text('{"_type": "metadata"}')
    with pytest.raises(FormatError, match="picoclaw and nanobot"):
        _recognised(tmp_path)


def test_a_directory_of_nothing_known_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[]")
    with pytest.raises(FormatError, match=r"no file in .* format of directories \(picoclaw, nanobot\)"):
        _recognised(tmp_path)


@pytest.mark.parametrize("name", ["picoclaw", "openai-agents"])
def test_a_file_that_is_not_in_the_format_that_was_said_is_an_error(tmp_path: Path, name: str) -> None:
    path = tmp_path / "chat.json"
    path.write_text(json.dumps([HELLO]))
    with Source.opened(path) as source, pytest.raises(FormatError, match=r"chat\.json is no"):
        list(FORMATS[name].read(source))


@pytest.mark.parametrize("name", ["sessionkit", "openai", "sharegpt", "openai-agents"])
def test_a_directory_in_a_format_of_files_is_an_error(tmp_path: Path, name: str) -> None:
    with Source.opened(tmp_path) as source, pytest.raises(FormatError, match=f"is a directory, and the format {name}"):
        read_source(source, name)


def test_a_log_of_messages_is_an_error_that_tells_of_its_directory(tmp_path: Path) -> None:
    path = tmp_path / "telegram_42.jsonl"
    path.write_text((json.dumps(HELLO) + "\n") * 2)
    with pytest.raises(FormatError, match=r"telegram_42\.jsonl has a message a line.* imported with its directory"):
        _recognised(path)


def test_an_unknown_name_tells_the_known_ones() -> None:
    with pytest.raises(FormatError, match="no format 'chatml'; there are sessionkit, openai"):
        find_format("chatml")
