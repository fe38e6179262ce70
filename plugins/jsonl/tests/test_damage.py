"""Logs damaged at random, as real ones are: whatever can be read is read, in order, and the rest is told."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionkit_jsonl import JSONLBackend, JSONLOptions, marks, read_archive

from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED

EXAMPLES = int(os.environ.get("SESSIONKIT_DAMAGED_LOGS", "25"))
"""How many logs are damaged; 2500 take some minutes."""


@attrs.frozen
class Part:
    """A part of a log.

    Attributes:
        data: its bytes; whole lines.
        read: the names of the messages in it that can be read.
        dead: how many of its lines hold nothing that can be read.
        lines: how many lines ``skip`` counts.
        unfinished: whether it could become whole by what follows, and so is not given up yet when it comes last.
    """

    data: bytes
    read: tuple[str, ...] = ()
    dead: int = 0
    lines: int = 1
    unfinished: bool = False


class Names:
    """Gives each message its name, which stands in its content."""

    def __init__(self, draw: Any) -> None:
        self._draw = draw
        self._given = 0

    def message(self, *, plain: bool = False) -> tuple[str, bytes]:
        self._given += 1
        name = f"<{self._given}>"
        kind = 0 if plain else self._draw(st.integers(0, 6))
        content: Any = name
        extra: dict[str, Any] = {}
        if kind == 1:
            content = [{"type": "text", "text": name}, {"role": "user", "content": "inside"}]
        elif kind == 2:
            content = name + ' {"role":"user","content":"quoted"} }{ [,:'
        elif kind == 3:
            extra = {"tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}'}}, {"role": "x"}]}
        elif kind == 4:
            content = name + "ж" * self._draw(st.sampled_from([1, 20_000]))
        elif kind == 5:
            extra = {"_sk": "mine", "x-unknown": None}
        return name, json.dumps({"role": "user", "content": content, **extra}, ensure_ascii=kind != 4).encode()


def name_of(message: Message) -> str:
    content = json.dumps(message.to_dict(), ensure_ascii=False)
    return content[content.index("<") : content.index(">") + 1]


def _torn(names: Names, draw: Any) -> bytes:
    """The beginning of a message, of which nothing can be read."""
    _, data = names.message()
    return data[: draw(st.integers(1, len(data) - 1))]


def _is_inside(before: bytes) -> bool:
    """Whether an object that comes now could be one inside the torn message, and so is not taken for a message."""
    return before.rstrip(b"\0 \t")[-1:] in (b"[", b",", b":")


@st.composite
def parts(draw: Any) -> list[Part]:
    names = Names(draw)
    return [_part(draw(st.sampled_from(KINDS)), names, draw) for _ in range(draw(st.integers(0, 9)))]


KINDS = [
    *("message", "message", "message", "batch", "half a batch", "glued", "torn", "spliced", "spliced with NULs"),
    *("NULs around", "NULs inside", "head lost", "bad UTF-8", "garbage", "value", "blank", "carriage return"),
]


def _part(kind: str, names: Names, draw: Any) -> Part:
    name, data = names.message(plain=kind in ("NULs inside", "head lost", "bad UTF-8"))
    nuls = b"\0" * draw(st.integers(1, 5000))
    match kind:
        case "message":
            return Part(data + b"\n", (name,))
        case "batch" | "half a batch":
            batch = [(name, data), *(names.message() for _ in range(draw(st.integers(1, 3))))]
            whole = marks.as_batch([data for _, data in batch])
            if kind == "batch":
                return Part(whole, tuple(name for name, _ in batch), lines=len(batch))
            there = whole.splitlines(keepends=True)[: draw(st.integers(1, len(batch) - 1))]
            return Part(b"".join(there), dead=len(there), lines=len(there), unfinished=True)
        case "glued":
            other, more = names.message()
            return Part(data + more + b"\n", (name, other))
        case "torn":
            return Part(_torn(names, draw) + b"\n", dead=1)
        case "spliced" | "spliced with NULs":
            torn = _torn(names, draw)
            line = torn + (nuls if kind != "spliced" else b"") + data + b"\n"
            return Part(line, dead=1) if _is_inside(torn) else Part(line, (name,))
        case "NULs around":
            return Part(nuls + data + nuls + b"\n", (name,))
        case "NULs inside":
            start = draw(st.integers(0, len(data) - 1))
            end = draw(st.integers(start + 1, len(data)))
            return Part(data[:start] + b"\0" * (end - start) + data[end:] + b"\n", dead=1)
        case "head lost":
            return Part(data[draw(st.integers(1, len(data) - 1)) :] + b"\n", dead=1)
        case "bad UTF-8":
            return Part(data.replace(b">", b">\xff\xc3 \xed\xa0\xbd") + b"\n", (name,))
        case "garbage":
            return Part(draw(st.sampled_from([b"#", b"garbage", b"}", b'{"a":', b"\xff\xfe", b"#\0#"])) + b"\n", dead=1)
        case "value":
            return Part(draw(st.sampled_from([b"null", b"17", b'"text"', b"[]", b"[null]", b"true"])) + b"\n", dead=1)
        case "blank":
            return Part(draw(st.sampled_from([b"\n", b"\r\n"])), lines=0)
    return Part(data + b"\r\n", (name,))


TAILS = st.sampled_from(["", "torn", "without newline", "NULs", "half a batch"])
DOCUMENTS = st.sampled_from(["good", "good", "missing", b"", b"\0\0\0", b'{"key": "k", "skip": 1', b"[]", "beyond"])


def read(backend: JSONLBackend) -> list[str]:
    return [name_of(message) for message in backend.sessionkit_get_history("k", 0, None).messages]


class Case:
    """A damaged log in a directory."""

    def __init__(self, path: Path, log: list[Part], document: str | bytes, hidden: int) -> None:
        self.path = path
        self.readable = [name for part in log for name in part.read]
        data = b"".join(part.data for part in log)
        (path / "k.jsonl").write_bytes(data)
        self.expected = self.readable
        if isinstance(document, bytes):
            (path / "k.meta.json").write_bytes(document)
        elif document != "missing":
            skip = sum(part.lines for part in log[:hidden]) if document == "good" else len(data) + 5
            (path / "k.meta.json").write_text(json.dumps({"key": "k", "skip": skip}), "utf-8")
            self.expected = [name for part in log[hidden:] for name in part.read] if document == "good" else []

    def open(self, **options: Any) -> JSONLBackend:
        return JSONLBackend(JSONLOptions(path=self.path, durability="os", **options))


class Told(logging.Handler):
    """What is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)

    @property
    def damaged_lines(self) -> int:
        found = [re.search(r"(\d+) damaged lines", record.getMessage()) for record in self.records]
        return sum(int(match[1]) for match in found if match)


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    parts(),
    TAILS,
    DOCUMENTS,
    st.integers(0, 9),
    st.integers(0, 6),
    st.booleans(),
    st.data(),
)
def test_what_can_be_read_of_a_damaged_log_is_read_in_order_and_the_rest_is_told(
    log: list[Part], tail: str, document: str | bytes, hidden: int, keep: int, archive: bool, data: Any
) -> None:
    names = Names(data.draw)
    names._given = 1000
    hidden = min(hidden, len(log)) if document == "good" else 0
    end = Part(b"")
    if tail == "torn":
        end = Part(_torn(names, data.draw))
    elif tail == "without newline":
        name, whole = names.message()
        end = Part(whole, (name,))
    elif tail == "NULs":
        end = Part(b"\0" * 600)
    elif tail == "half a batch":
        end = Part(marks.as_batch([names.message()[1] for _ in range(3)])[:-7])
    path = Path(tempfile.mkdtemp())
    try:
        case = Case(path, [*log, end], document, hidden)
        _check(case, log[hidden:] if document != "beyond" else [], keep, archive=archive)
    finally:
        shutil.rmtree(path)


def _check(case: Case, visible: list[Part], keep: int, *, archive: bool) -> None:
    told = Told()
    logger = logging.getLogger("sessionkit.jsonl")
    logger.addHandler(told)
    try:
        backend = case.open(archive=archive, compact_threshold=0)
        assert read(backend) == case.expected
    finally:
        logger.removeHandler(told)
    while visible and (visible[-1].unfinished or not visible[-1].data.strip()):
        visible = visible[:-1]
    assert told.damaged_lines >= sum(part.dead for part in visible)
    assert "<" not in "".join(record.getMessage() for record in told.records)  # no message is quoted
    for limit in (1, 3):
        found = case.open().sessionkit_get_history("k", -limit, limit)
        assert [name_of(message) for message in found.messages] == case.expected[-limit:]
    [info] = case.open().sessionkit_list_sessions("", None, 5).sessions
    assert info.count == len(case.expected)
    backend.sessionkit_add_messages("k", [Message.simple("user", "<new>")], "")
    history = [*case.expected, "<new>"]
    assert read(backend) == read(case.open()) == history
    backend.sessionkit_truncate_history("k", keep, None, UNCHANGED, None, None, "")
    history = history[len(history) - min(keep, len(history)) :]
    assert read(backend) == read(case.open()) == history
    backend.sessionkit_save("k")
    assert read(backend) == read(case.open()) == history
    if archive:
        stored = case.path / "k.archive"
        archived = [name_of(message) for message in read_archive(stored)] if stored.exists() else []
        assert archived + history == [*case.readable, "<new>"]


def test_a_very_long_line_among_damage_is_read(tmp_path: Path) -> None:
    long = json.dumps({"role": "user", "content": "<long>" + "x" * 11 * 1024 * 1024}).encode()
    log = [Part(b"\0" * 4096 + long[:-1] + b"\n", dead=1), Part(b"x\n", dead=1), Part(long + b"\n", ("<long>",))]
    case = Case(tmp_path, [*log, Part(b'{"role":"user","content":"<2>"}\n', ("<2>",))], b"", 0)
    assert read(case.open()) == ["<long>", "<2>"]
