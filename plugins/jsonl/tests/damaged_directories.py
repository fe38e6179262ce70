"""A corpus of damaged directories: every kind of damage that is known, each made by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, TypeAlias

import attrs
from sessionkit_jsonl import marks

from sessionkit.filenames import hashed_name

Content: TypeAlias = bytes | dict[str, Any] | None


def message(text: str, **fields: Any) -> bytes:
    return json.dumps({"role": "user", "content": text, **fields}, ensure_ascii=False).encode()


def lines(*records: bytes) -> bytes:
    return b"".join(record + b"\n" for record in records)


ONE, TWO, THREE = message("one"), message("two"), message("three")
GOOD: Final = {"key": "k", "skip": 0}
LONG: Final = message("long " + "x" * 11 * 1024 * 1024)
BATCH: Final = marks.as_batch([TWO, THREE, message("four")])


@attrs.frozen(kw_only=True)
class Case:
    """A damaged directory.

    Attributes:
        kinds: what is to be found, in the order of their names.
        files: what stands in it, by name; a dict is written as JSON.
        texts: what the sessions have after a repair: key → the beginnings of the texts of their messages.
        aside: bytes that must be kept somewhere beside the sessions after a repair.
        harmless: whether all of it is only worth a note.
    """

    kinds: tuple[str, ...]
    files: dict[str, Content]
    texts: dict[str, list[str]]
    aside: tuple[bytes, ...] = ()
    harmless: bool = False

    def make(self, directory: Path) -> Path:
        """Write the files."""
        directory.mkdir(parents=True, exist_ok=True)
        for name, content in self.files.items():
            if content is None:
                (directory / name).mkdir()
            else:
                data = content if isinstance(content, bytes) else json.dumps(content).encode()
                (directory / name).write_bytes(data)
        return directory


def log(kind: str, data: bytes, *texts: str, aside: tuple[bytes, ...] = (), skip: int = 0) -> Case:
    """A session ``k`` whose log is damaged."""
    files: dict[str, Content] = {"k.jsonl": data, "k.meta.json": {"key": "k", "skip": skip}}
    return Case(kinds=(kind,), files=files, texts={"k": list(texts)}, aside=aside)


def document(
    kind: str, content: Content, data: bytes = lines(ONE, TWO), *, texts: tuple[str, ...] = ("one", "two")
) -> Case:
    """A session ``k`` whose document is damaged."""
    aside = (content,) if isinstance(content, bytes) else () if content is None else (json.dumps(content).encode(),)
    return Case(
        kinds=(kind,),
        files={"k.jsonl": data, **({} if content is None else {"k.meta.json": content})},
        texts={"k": list(texts)},
        aside=aside,
    )


CASES: Final[dict[str, Case]] = {
    "torn tail": log("torn-tail", lines(ONE) + TWO[:12], "one", aside=(TWO[:12],)),
    "torn tail after a batch": log(
        "torn-tail", lines(ONE) + marks.as_batch([TWO, THREE]) + b'{"r', "one", "two", "three"
    ),
    "missing newline": log("missing-newline", lines(ONE) + TWO, "one", "two"),
    "splice": log("glued-lines", lines(TWO[:20] + ONE, THREE), "one", "three", aside=(TWO[:20] + ONE,)),
    "two on one line": log("glued-lines", lines(ONE + TWO, THREE), "one", "two", "three"),
    "NULs in front of a line": log("nul-bytes", lines(b"\0" * 900 + ONE, TWO), "one", "two"),
    "a lost block": log("nul-bytes", lines(ONE, b"\0" * 4096, TWO), "one", "two", aside=(b"\0" * 4096,)),
    "NULs at the end": log("torn-tail", lines(ONE) + b"\0" * 512, "one"),
    "bad UTF-8": log("bad-utf8", lines(ONE, TWO.replace(b"two", b"two\xff")), "one", "two\ufffd", aside=(b"two\xff",)),
    "bad UTF-8 at the end": log("bad-utf8", lines(ONE) + TWO.replace(b"two", b"\xfe"), "one", "\ufffd"),
    "null": log("not-messages", lines(b"null", ONE, b"[1]"), "one", aside=(b"null", b"[1]")),
    "garbage": log("unreadable-lines", lines(ONE, b"#garbage", TWO), "one", "two", aside=(b"#garbage",)),
    "a torn line that was sealed": log("unreadable-lines", lines(ONE, TWO[:9] + b"#", THREE), "one", "three"),
    "half a batch": log("unfinished-batch", lines(ONE) + BATCH[: BATCH.index(b"\n") + 1], "one"),
    "half a batch and more": log(
        "unfinished-batch", lines(ONE) + BATCH[: BATCH.index(b"\n") + 1] + lines(TWO), "one", "two"
    ),
    "damage behind what is truncated": log(
        "unreadable-lines", lines(ONE, b"#1", TWO, b"#2", THREE), "two", "three", skip=2
    ),
    "empty document": document("bad-document", b""),
    "broken document": document("bad-document", b'{"key": "k", "skip": 1'),
    "document of NULs": document("bad-document", b"\0" * 64),
    "document that is no object": document("bad-document", b"[1]"),
    "fields of other kinds": document(
        "bad-fields",
        {"key": "k", "summary": 3, "skip": "1", "aliases": "x", "scope": [], "metadata": 1, "sessionkit": 2},
    ),
    "time without zone": document("bad-fields", {"key": "k", "created_at": "2026-01-31T12:00:00", "updated_at": 5}),
    "document without key": document("bad-fields", {"skip": 0}),
    "skip past the end": document("skip-past-end", {"key": "k", "skip": 9, "count": 9}),
    "log without document": document("missing-document", None),
    "document without log": Case(
        kinds=("missing-log",),
        files={"k.meta.json": {"key": "k", "skip": 1, "count": 5, "summary": "s"}},
        texts={"k": []},
        aside=(b'"count": 5',),
    ),
    "document and log": Case(
        kinds=("bad-document", "not-messages", "torn-tail"),
        files={"k.jsonl": lines(ONE, b"null", TWO) + b"{", "k.meta.json": b"{", "k.badmeta": b"an earlier one"},
        texts={"k": ["one", "two"]},
        aside=(b"null", b"an earlier one"),
    ),
    "copied files": Case(
        kinds=("stray-files",),
        files={"k.jsonl": lines(ONE), "k.meta.json": GOOD, "k (copy).jsonl": lines(TWO), "k (copy).meta.json": GOOD},
        texts={"k": ["one"], "k~recovered": ["two"]},
    ),
    "two copies": Case(
        kinds=("stray-files", "stray-files"),
        files={
            "k.jsonl": lines(ONE),
            "k.meta.json": GOOD,
            "k1.jsonl": lines(TWO),
            "k1.meta.json": GOOD,
            "k2.jsonl": lines(THREE),
            "k2.meta.json": GOOD,
        },
        texts={"k": ["one"], "k~recovered": ["two"], "k~recovered-2": ["three"]},
    ),
    "renamed files": Case(
        kinds=("stray-files",),
        files={"old.jsonl": lines(ONE), "old.meta.json": {**GOOD, "summary": "s"}, "old.archive": b"archived"},
        texts={"k": ["one"]},
        aside=(b"archived",),
    ),
    "two files of one key": Case(
        kinds=("stray-files",),
        files={
            "k.jsonl": lines(ONE),
            "k.meta.json": GOOD,
            f"{hashed_name('k')}.jsonl": lines(TWO),
            f"{hashed_name('k')}.meta.json": GOOD,
        },
        texts={"k": ["two"], "k~recovered": ["one"]},
    ),
    "a hashed name without document": Case(
        kinds=("lost-key",), files={f"{hashed_name('a:b')}.jsonl": lines(ONE)}, texts={"a:b": ["one"]}
    ),
    "a hashed name with an empty document": Case(
        kinds=("lost-key",),
        files={f"{hashed_name('a:b')}.jsonl": lines(ONE), f"{hashed_name('a:b')}.meta.json": b"?"},
        texts={"a:b": ["one"]},
        aside=(b"?",),
    ),
    "a hash of nobody knows what": Case(
        kinds=("lost-key",), files={f"x~{'0' * 32}.jsonl": lines(ONE)}, texts={f"x~{'0' * 32}": ["one"]}
    ),
    "a key that is none": Case(
        kinds=("lost-key",), files={"k.jsonl": lines(ONE), "k.meta.json": {"key": "a\0b"}}, texts={"k": ["one"]}
    ),
    "an unfinished change": Case(
        kinds=("unfinished-change",),
        files={
            "k.jsonl": marks.as_line(ONE, marks.Header("ab").text()),
            "k.meta.json": {
                **GOOD,
                "sessionkit": {"next": {"nonce": "ab", "document": {"key": "k", "summary": "new"}}},
            },
        },
        texts={"k": ["one"]},
        harmless=True,
    ),
    "a temporary file": Case(
        kinds=("temporary-files",), files={".sessionkit-1-ab.tmp": b"half"}, texts={}, aside=(b"half",), harmless=True
    ),
    "a document whose log was deleted": Case(
        kinds=("orphaned-document",),
        files={"k.meta.json": {**GOOD, "sessionkit": {"data": True}}},
        texts={},
        harmless=True,
    ),
    "a document of the json backend": Case(
        kinds=("other-format",), files={"k.json": {"key": "k", "messages": []}}, texts={}, harmless=True
    ),
}

SOUND: Final[dict[str, dict[str, Content]]] = {
    "a count that is too small": {"k.jsonl": lines(ONE, TWO), "k.meta.json": {**GOOD, "count": 1}},
    "content that is a list": {
        "k.jsonl": lines(message("", content=[{"type": "text", "text": "one"}])),
        "k.meta.json": GOOD,
    },
    "carriage returns and blank lines": {"k.jsonl": ONE + b"\r\n\r\n\n" + lines(TWO), "k.meta.json": GOOD},
    "a batch": {"k.jsonl": lines(ONE) + BATCH, "k.meta.json": GOOD},
    "a batch that is cut": {"k.jsonl": BATCH, "k.meta.json": {"key": "k", "skip": 1}},
    "a lone surrogate": {"k.jsonl": lines(b'{"role":"user","content":"\\ud800"}'), "k.meta.json": GOOD},
    "nothing": {},
}
