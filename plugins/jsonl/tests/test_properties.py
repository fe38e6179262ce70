"""What holds for every message and every sequence of operations."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from sessionkit_jsonl import JSONLBackend, JSONLOptions

from sessionkit.errors import VersionConflict
from sessionkit.filenames import hashed_name
from sessionkit.hookspecs import Backend
from sessionkit.memory import MemoryBackend
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, Session, SessionInfo

TEXT = st.text(st.characters(exclude_categories=()), max_size=12)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=8,
)
MARKS = st.sampled_from(["", "h=00,+000000000000000,", "c=000000000000", "b=000000000000,00000002,000000000010"])
FIELDS = st.sampled_from(["_sk", "role", "content", "sessionkit", "\u2028"]) | TEXT
OBJECTS = (
    st.dictionaries(FIELDS, JSON | MARKS, max_size=4)
    | st.fixed_dictionaries({"_sk": MARKS | JSON}, optional={"role": TEXT, "content": JSON})
    | st.fixed_dictionaries({"role": TEXT, "content": st.none() | TEXT | st.lists(JSON, max_size=2)})
)
BATCHES = st.lists(OBJECTS, min_size=1, max_size=4).map(lambda batch: [Message.from_dict(item) for item in batch])

KEYS = [
    "a:b",
    "a/b",
    "a\\b",
    "a_b",
    "A_B",
    hashed_name("a:b"),
    "..",
    ".",
    ".meta",
    "x.meta",
    "x",
    "x" * 245,
    "x" * 300,
    "😀" * 100,
    "two\nlines",
    "\u202eright to left",
    "e\u0301",
    "é",
    "dot.",
    "space ",
    "~",
]


def exactly(value: Any) -> Any:
    """The value so that only the same JSON equals it: True is not 1, 1 is not 1.0, and the order of fields counts."""
    if isinstance(value, dict):
        return [(name, exactly(item)) for name, item in value.items()]
    if isinstance(value, list):
        return ["list", *[exactly(item) for item in value]]
    return (type(value).__name__, repr(value))


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


def _open(path: Path, **options: Any) -> JSONLBackend:
    return JSONLBackend(JSONLOptions(path=path, durability="os", **options))


@settings(max_examples=50, deadline=None)
@given(BATCHES, BATCHES, st.booleans(), TEXT, st.dictionaries(TEXT | st.just("scope"), JSON, max_size=3))
def test_whatever_json_goes_in_comes_out_after_reopening(
    first: list[Message], second: list[Message], replaced: bool, summary: str, metadata: dict[str, Any]
) -> None:
    with _directory() as path:
        backend = _open(path, compact_threshold=0)
        backend.sessionkit_add_messages("k", first, "")
        if replaced:
            _update(backend, messages=first, summary=summary)
            backend.sessionkit_get_history("k", 0, None)  # what is kept decoded is what stands in the file
        version = backend.sessionkit_add_messages("k", second, "")
        expected = exactly([message.to_dict() for message in first + second])
        history = backend.sessionkit_get_history("k", 0, None)
        assert exactly([message.to_dict() for message in history.messages]) == expected
        for _ in range(2):
            session = _open(path).sessionkit_get_session("k", None)
            assert exactly([message.to_dict() for message in session.messages]) == expected
            assert session.version == version
            backend.sessionkit_save("k")
        _update(backend, summary=summary, metadata=metadata)
        session = _open(path).sessionkit_get_session("k", 0)
        assert session.summary == summary
        assert sorted(exactly(session.metadata)) == sorted(exactly(metadata))


def _update(backend: Backend, key: str = "k", **fields: Any) -> str:
    names = ("messages", "summary", "metadata", "aliases", "created", "updated")
    arguments = {name: fields.get(name, UNCHANGED) for name in names}
    return backend.sessionkit_update_session(key, **arguments, if_version=fields.get("if_version"), write_id="")


def _comparable(info: SessionInfo) -> tuple[Any, ...]:
    messages = info.messages if isinstance(info, Session) else ()
    return info.key, info.count, info.summary, info.metadata, info.aliases, info.exists, tuple(messages)


TIMES = st.sampled_from(["2020-01-02T03:04:05.123456789Z", "2020-01-01T00:00:00+02:00"])


class SameAsMemory(RuleBasedStateMachine):
    """Every operation, on keys that file systems confuse, with the directory opened anew in between."""

    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp())
        self.ours = _open(self.path, compact_threshold=0)
        self.model = MemoryBackend()
        self.versions: set[tuple[str, str]] = set()
        self.known: dict[str, tuple[str, str]] = {}

    def teardown(self) -> None:
        shutil.rmtree(self.path)

    keys = st.just("a:b") | st.sampled_from(["a:b", "a/b", "A_B"]) | st.sampled_from(KEYS)

    @rule(key=keys, messages=BATCHES)
    def append(self, key: str, messages: list[Message]) -> None:
        before = self.ours.sessionkit_get_session(key, 0)
        self._changed(key, self.ours.sessionkit_add_messages(key, messages, ""))
        self.model.sessionkit_add_messages(key, messages, "")
        if before.exists:
            assert self.ours.sessionkit_get_session(key, 0).generation == before.generation

    @rule(
        key=keys,
        fields=st.fixed_dictionaries(
            {},
            optional={
                "messages": BATCHES | st.just([]),
                "summary": TEXT,
                "metadata": st.dictionaries(TEXT | st.just("scope"), JSON, max_size=2),
                "aliases": st.lists(TEXT, max_size=2),
                "created": TIMES,
                "updated": TIMES,
            },
        ),
    )
    def update(self, key: str, fields: dict[str, Any]) -> None:
        before = self.ours.sessionkit_get_session(key, 0)
        version = _update(self.ours, key, **fields)
        _update(self.model, key, **fields)
        if fields or not before.exists:
            self._changed(key, version)
        else:
            assert version == before.version
        after = self.ours.sessionkit_get_session(key, 0)
        assert (after.generation == before.generation) == (before.exists and "messages" not in fields)
        for name in ("created", "updated"):
            if name in fields:
                assert getattr(after, name) == fields[name]
        assert after.created

    @rule(key=keys, number=st.integers(-1, 8), keep=st.booleans(), summary=st.just(UNCHANGED) | TEXT)
    def truncate(self, key: str, number: int, keep: bool, summary: Any) -> None:
        before = self.ours.sessionkit_get_session(key, 0)
        keep_last, drop_first = (number, None) if keep else (None, number)
        version = self.ours.sessionkit_truncate_history(
            key, keep_last, drop_first, summary, None, before.generation, ""
        )
        self.model.sessionkit_truncate_history(key, keep_last, drop_first, summary, None, None, "")
        after = self.ours.sessionkit_get_session(key, 0)
        assert version == after.version
        if after.count == before.count and summary is UNCHANGED:
            assert version == before.version
        else:
            self._changed(key, version)
        if before.exists:
            assert (after.generation == before.generation) == (after.count == before.count)

    @rule(key=keys)
    def delete(self, key: str) -> None:
        assert self.ours.sessionkit_delete_session(key, None) == self.model.sessionkit_delete_session(key, None)
        assert self.ours.sessionkit_get_session(key, None).version == ABSENT

    @rule(key=keys)
    def save(self, key: str) -> None:
        before = self.ours.sessionkit_get_session(key, None)
        assert self.ours.sessionkit_save(key)
        assert self.ours.sessionkit_get_session(key, None) == before

    @rule(key=keys, start=st.integers(-9, 9), limit=st.none() | st.integers(0, 9))
    def read(self, key: str, start: int, limit: int | None) -> None:
        ours, model = (backend.sessionkit_get_history(key, start, limit) for backend in (self.ours, self.model))
        assert (list(ours.messages), ours.start, ours.total) == (list(model.messages), model.start, model.total)

    @rule(key=keys)
    def refuse(self, key: str) -> None:
        before = self.ours.sessionkit_get_session(key, None)
        for condition in ("stale", ABSENT):
            if before.version != condition:
                try:
                    _update(self.ours, key, messages=[], if_version=condition)
                except VersionConflict:
                    continue
                raise AssertionError("a condition that does not hold was not refused")
        assert self.ours.sessionkit_get_session(key, None) == before

    @rule()
    def reopen(self) -> None:
        before = [self.ours.sessionkit_get_session(key, None) for key in KEYS]
        self.ours = _open(self.path, compact_threshold=0)
        assert [self.ours.sessionkit_get_session(key, None) for key in KEYS] == before

    def _changed(self, key: str, version: str) -> None:
        """A version is the one that is read, and it was never one of this key before."""
        assert self.ours.sessionkit_get_session(key, 0).version == version
        assert (key, version) not in self.versions
        self.versions.add((key, version))

    @invariant()
    def the_same_sessions(self) -> None:
        ours = sorted(_pages(self.ours), key=lambda info: info.key)  # the backend lists by the names of files
        assert [_comparable(info) for info in ours] == [_comparable(info) for info in _pages(self.model)]
        for info in ours:
            session = self.ours.sessionkit_get_session(info.key, None)
            assert _comparable(session) == _comparable(self.model.sessionkit_get_session(info.key, None))
            assert (info.version, info.updated, info.created) == (session.version, session.updated, session.created)


def _pages(backend: Backend) -> Iterator[SessionInfo]:
    cursor = None
    while True:
        page = backend.sessionkit_list_sessions("", cursor, 3)
        yield from page.sessions
        if page.next is None:
            return
        cursor = page.next


TestSameAsMemory = SameAsMemory.TestCase
TestSameAsMemory.settings = settings(max_examples=30, stateful_step_count=25, deadline=None)
