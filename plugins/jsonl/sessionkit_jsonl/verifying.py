"""What is damaged in the two files of a session."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from sessionkit.damage import Damage
from sessionkit.sessions import read_time
from sessionkit_jsonl import examining
from sessionkit_jsonl.directory import BAD_META_SUFFIX, DAMAGED_SUFFIX
from sessionkit_jsonl.examining import Unsound, unsound_lines
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.meta import State

MISSING_DOCUMENT: Final = "missing-document"
BAD_DOCUMENT: Final = "bad-document"
BAD_FIELDS: Final = "bad-fields"
SKIP_PAST_END: Final = "skip-past-end"
MISSING_LOG: Final = "missing-log"
UNFINISHED_CHANGE: Final = "unfinished-change"

_LINES: Final = {
    examining.TORN_TAIL: "the last line was torn before it was complete",
    examining.MISSING_NEWLINE: "the last line has lost its newline",
    examining.UNFINISHED_BATCH: "{} of messages that were to be stored together, and not all of them are there",
    examining.UNREADABLE_LINES: "{} in which no message can be read",
    examining.NOT_MESSAGES: "{} of JSON that is no message, such as null",
    examining.NUL_BYTES: "{} with NULs, as a power cut leaves them",
    examining.GLUED_LINES: "{} with several messages, or with a message glued to the rest of another one",
    examining.BAD_UTF8: "{} with bytes that are not UTF-8",
}

_IS_TEXT: Final[Callable[[Any], bool]] = lambda value: isinstance(value, str)  # noqa: E731
_IS_COUNT: Final[Callable[[Any], bool]] = lambda value: type(value) is int and value >= 0  # noqa: E731
_IS_TIME: Final[Callable[[Any], bool]] = lambda value: read_time(value) is not None  # noqa: E731
_IS_OBJECT: Final[Callable[[Any], bool]] = lambda value: isinstance(value, dict)  # noqa: E731

FIELDS: Final[dict[str, Callable[[Any], bool]]] = {
    "key": _IS_TEXT,
    "summary": _IS_TEXT,
    "skip": _IS_COUNT,
    "count": _IS_COUNT,
    "created_at": _IS_TIME,
    "updated_at": _IS_TIME,
    "aliases": lambda value: isinstance(value, list) and all(isinstance(alias, str) for alias in value),
    "scope": _IS_OBJECT,
    "metadata": _IS_OBJECT,
    "sessionkit": _IS_OBJECT,
}
"""The fields of a document, and what each may hold."""


def damage_of(look: Look) -> list[Damage]:
    """What is damaged in a session, as it is seen; a session that is not there has no damage."""
    if not look.exists:
        return []
    return [*_of_document(look), *_of_log(look)]


def unsound_of(look: Look) -> Iterator[Unsound]:
    """The lines of the log that are not as they should be; of those that are truncated nothing is told."""
    if look.data is None:
        return
    index = look.index
    start = index.checkpoint(0)[1] if index.seen else index.end
    yield from unsound_lines(look.data, 0 if look.meta.skip > look.lines else start, look.size)


def bad_fields(look: Look) -> list[str]:
    """The fields of the document that hold something else than they may."""
    document = look.meta.document
    found = [name for name, fits in FIELDS.items() if document.get(name) is not None and not fits(document[name])]
    return found if look.meta.key is not None or "key" in found else ["key", *found]


def _of_document(look: Look) -> Iterator[Damage]:
    meta = look.meta
    set_aside = f"it is made anew, and the old one kept as {look.base}{BAD_META_SUFFIX}"
    if meta.state is State.MISSING:
        yield _document(
            look, MISSING_DOCUMENT, "the log has no document, so that summary and metadata are lost", "one is made"
        )
        return
    if meta.state is State.DAMAGED:
        yield _document(look, BAD_DOCUMENT, "the document is no JSON object", set_aside)
        return
    if fields := bad_fields(look):
        told = ", ".join(fields)
        yield _document(look, BAD_FIELDS, f"the document has no good value for {told}", set_aside)
    if look.data is None and (meta.skip or meta.count):
        problem = f"its log is gone, which had {max(meta.skip, meta.count):,} lines"
        yield _document(look, MISSING_LOG, problem, f"the session goes on without it; {set_aside}")
    elif meta.skip > look.lines:
        problem = f"the document truncates {meta.skip:,} lines, and the log has {look.lines:,}"
        yield _document(look, SKIP_PAST_END, problem, f"the messages that are there are shown; {set_aside}")
    if meta.pending:
        yield Damage(
            kind=UNFINISHED_CHANGE,
            key=look.key,
            place=look.meta_path,
            problem="a change was made, and a crash came before the document told it alone",
            remedy="the document is put in its place",
            harmless=True,
        )


def _document(look: Look, kind: str, problem: str, remedy: str) -> Damage:
    return Damage(kind=kind, key=look.key, place=look.meta_path, problem=problem, remedy=remedy)


def _of_log(look: Look) -> Iterator[Damage]:
    counts: dict[str, int] = {}
    first: dict[str, int] = {}
    for line in unsound_of(look):
        counts[line.kind] = counts.get(line.kind, 0) + 1
        first.setdefault(line.kind, line.offset)
    for kind, count in counts.items():
        if kind == examining.LONG_LINES:
            yield _long_lines(look, count)
            continue
        lines = "1 line" if count == 1 else f"{count:,} lines"
        remedy = f"what can be read stays; the line as it is goes to {look.base}{DAMAGED_SUFFIX}"
        yield Damage(
            kind=kind,
            key=look.key,
            place=look.data_path,
            problem=f"{_LINES[kind].format(lines)} (at byte {first[kind]:,})",
            remedy="it gets it back" if kind == examining.MISSING_NEWLINE else remedy,
        )


def _long_lines(look: Look, count: int) -> Damage:
    return Damage(
        kind=examining.LONG_LINES,
        key=look.key,
        place=look.data_path,
        problem=f"{count:,} messages of 10 MiB or more, for which picoclaw does not read the session",
        remedy="nothing need be done as long as picoclaw is not to read it",
        mendable=False,
        harmless=True,
    )
