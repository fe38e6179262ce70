"""Reading files of conversations: line by line where they are lines, and on past what is damaged."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from typing import Any

import pytest

from sessionkit.transfer import Placed, Unreadable, read_documents

A: dict[str, Any] = {"key": "a", "messages": [{"role": "user", "content": "hello"}]}
B: dict[str, Any] = {"key": "b", "messages": []}
LINE_A, LINE_B = (json.dumps(value).encode() for value in (A, B))


def _keys(data: bytes) -> list[str]:
    return [item.document.key for item in read_documents(io.BytesIO(data), "f") if isinstance(item, Placed)]


def _problems(data: bytes) -> list[Unreadable]:
    return [item for item in read_documents(io.BytesIO(data), "f") if isinstance(item, Unreadable)]


@pytest.mark.parametrize(
    "data",
    [
        LINE_A + b"\n" + LINE_B + b"\n",
        LINE_A + b"\n" + LINE_B,
        b"\n" + LINE_A + b"\r\n\r\n  \n" + LINE_B + b"\r\n",
        b"\xef\xbb\xbf" + LINE_A + b"\n" + LINE_B,
        json.dumps([A, B]).encode(),
        json.dumps([A, B], indent=2).encode(),
        b"\xef\xbb\xbf" + json.dumps([A, B], indent="\t").encode(),
        b"[" + LINE_A + b",\n" + LINE_B + b"]",
        b"[" + LINE_A + b"\n," + LINE_B + b"]",
    ],
    ids=["lines", "no-last-newline", "blank-lines", "bom", "array", "pretty-array", "bom-array", "rows", "rows-commas"],
)
def test_lines_and_arrays_give_the_same_conversations(data: bytes) -> None:
    assert _keys(data) == ["a", "b"]
    assert _problems(data) == []


@pytest.mark.parametrize("data", [LINE_A, json.dumps(A, indent=2).encode(), b'{"key": "a",\n"messages": []}'])
def test_one_object_is_one_conversation(data: bytes) -> None:
    assert _keys(data) == ["a"]


@pytest.mark.parametrize("data", [b"", b"\n\n", b"[]"])
def test_a_file_without_conversations_gives_none(data: bytes) -> None:
    assert list(read_documents(io.BytesIO(data), "f")) == []


def test_a_bad_line_is_told_with_its_number_and_the_reading_goes_on() -> None:
    data = LINE_A + b"\n\n" + b'{"key": "torn", "mess\n' + LINE_B
    assert _keys(data) == ["a", "b"]
    (problem,) = _problems(data)
    assert (problem.source, problem.line, problem.key) == ("f", 3, None)
    assert "not JSON" in problem.reason
    assert '"messages"' in problem.reason
    assert str(problem).startswith("f, line 3: ")


def test_a_torn_first_line_does_not_swallow_the_others() -> None:
    data = b'{"key": "torn", "mess\n' + LINE_A
    assert _keys(data) == ["a"]
    assert [problem.line for problem in _problems(data)] == [1]


@pytest.mark.parametrize("line", [b"5", b'"text"', b"null", b"true"])
def test_a_line_that_is_no_object_is_told(line: bytes) -> None:
    (problem,) = _problems(LINE_A + b"\n" + line)
    assert problem.reason.startswith("a conversation is an object, not ")


def test_a_bad_item_of_an_array_is_told_with_its_position_and_key() -> None:
    (problem,) = _problems(json.dumps([A, {"key": "bad", "messages": 1}, B]).encode())
    assert (problem.line, problem.item, problem.key) == (1, 2, "bad")
    assert str(problem).startswith("f, line 1, item 2: session 'bad': ")


def test_a_damaged_document_of_many_lines_is_told_with_the_line_of_the_damage() -> None:
    lines = json.dumps([A, B], indent=2).replace('"hello"', "hello").encode().splitlines(keepends=True)
    (problem,) = _problems(b"\n" + b"".join(lines))
    assert problem.line is not None
    assert b"hello" in [b"", b"", *lines][problem.line]


@pytest.mark.parametrize("data", [b"\xff\xfe{\x00}\x00", LINE_A[:-1] + b'\xff"}', b'{"key": "a", "messages": [NaN]}'])
def test_what_is_not_json_text_is_told(data: bytes) -> None:
    assert len(_problems(data)) == 1


def test_lines_nested_too_deeply_are_told() -> None:
    (problem,) = _problems(b'{"key": "a", "messages": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    assert "nested too deeply" in problem.reason


def test_contents_are_never_quoted() -> None:
    secret = b"my password is hunter2"
    data = b"\n".join(
        [b'{"key": "a", "messages": ["' + secret + b'"]}', b'{"key": "b", "messages": "' + secret, LINE_A]
    )
    problems = _problems(data)
    assert len(problems) == 2
    assert not any("hunter2" in str(problem) for problem in problems)


def test_lines_are_read_one_at_a_time() -> None:
    taken = 0

    def lines() -> Iterator[bytes]:
        nonlocal taken
        while True:
            taken += 1
            yield LINE_A + b"\n"

    documents = read_documents(lines(), "endless")
    for _ in range(5):
        next(documents)
    assert taken == 5


def test_lone_surrogates_are_read() -> None:
    (item,) = read_documents([b'{"key": "a", "messages": [{"role": "user", "content": "\\ud800"}]}'], "f")
    assert isinstance(item, Placed)
    assert item.document.messages[0].content == "\ud800"
