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
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sessionkit_json import SessionManager

from sessionkit.memory import MemoryBackend
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED, Session, SessionInfo

TEXT = st.text(st.characters(exclude_categories=()), max_size=20)  # lone surrogates too
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(TEXT, children, max_size=3),
    max_leaves=12,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4) | st.fixed_dictionaries(
    {"role": TEXT, "content": st.none() | TEXT | st.lists(JSON, max_size=2)}
)

KEYS = [
    "a:b",
    "a/b",
    "a_b",
    "A_B",
    "..",
    ".meta",
    "x" * 300,
    "😀",
    "two\nlines",
    "\u202eright to left",
    "e\u0301",
    "é",
]


def exactly(value: Any) -> Any:
    """The value so that only the same JSON equals it: True is not 1, 1 is not 1.0, 0.0 is not -0.0."""
    if isinstance(value, dict):
        return {name: exactly(item) for name, item in value.items()}
    if isinstance(value, list):
        return [exactly(item) for item in value]
    return (type(value).__name__, repr(value))


@contextmanager
def _directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as path:
        yield Path(path)


@settings(max_examples=150)
@given(st.lists(OBJECTS, max_size=4), TEXT, st.dictionaries(TEXT, JSON, max_size=3))
def test_whatever_json_goes_in_comes_out_after_reopening(
    objects: list[dict[str, Any]], summary: str, metadata: dict[str, Any]
) -> None:
    with _directory() as path:
        manager = SessionManager(path)
        for item in objects:
            manager.add_full_message("k", item)
        manager.sessionkit_update_session("k", UNCHANGED, summary, metadata, UNCHANGED, UNCHANGED, UNCHANGED, None, "")
        version = manager.sessionkit_get_session("k", 0).version
        manager.close()
        session = SessionManager(path).sessionkit_get_session("k", None)
        assert exactly([message.to_dict() for message in session.messages]) == exactly(objects)
        assert (session.summary, session.version) == (summary, version)
        assert exactly(session.metadata) == exactly(metadata)


def _comparable(info: SessionInfo) -> tuple[Any, ...]:
    """All of a session but its tokens and times, which no two backends share."""
    messages = [message.to_dict() for message in info.messages] if isinstance(info, Session) else None
    return info.key, info.exists, info.count, info.summary, info.metadata, info.aliases, messages


class SameAsMemory(RuleBasedStateMachine):
    """A directory, reopened at any moment, means what a dict in memory means."""

    keys = st.sampled_from(KEYS)
    messages = st.lists(OBJECTS.map(Message.from_dict), min_size=1, max_size=3)
    maybe_summary = st.just(UNCHANGED) | st.sampled_from(["", "so far"])

    @initialize(autosave=st.booleans())
    def begin(self, autosave: bool) -> None:
        self.path = Path(tempfile.mkdtemp())
        self.autosave = autosave
        self.model = MemoryBackend()
        self.manager = SessionManager(self.path, autosave=autosave)

    def teardown(self) -> None:
        shutil.rmtree(self.path)

    @rule(key=keys, messages=messages)
    def add(self, key: str, messages: list[Message]) -> None:
        for backend in (self.model, self.manager):
            backend.sessionkit_add_messages(key, messages, "")

    @rule(
        key=keys,
        messages=st.just(UNCHANGED) | st.just([]) | messages,
        summary=maybe_summary,
        metadata=st.just(UNCHANGED) | st.dictionaries(TEXT, JSON, max_size=2),
        aliases=st.just(UNCHANGED) | st.lists(st.sampled_from("xyz"), max_size=2),
    )
    def update(self, key: str, messages: Any, summary: Any, metadata: Any, aliases: Any) -> None:
        for backend in (self.model, self.manager):
            backend.sessionkit_update_session(key, messages, summary, metadata, aliases, UNCHANGED, UNCHANGED, None, "")

    @rule(key=keys, count=st.integers(-1, 4), first=st.booleans(), summary=maybe_summary)
    def truncate(self, key: str, count: int, first: bool, summary: Any) -> None:
        keep, drop = (None, count) if first else (count, None)
        for backend in (self.model, self.manager):
            backend.sessionkit_truncate_history(key, keep, drop, summary, None, None, "")

    @rule(key=keys)
    def delete(self, key: str) -> None:
        assert self.manager.sessionkit_delete_session(key, None) == self.model.sessionkit_delete_session(key, None)

    @rule(key=keys)
    def save(self, key: str) -> None:
        self.manager.save(key)

    @rule()
    def reopen(self) -> None:
        before = {key: self.manager.sessionkit_get_session(key, None) for key in KEYS}
        self.manager.close()
        self.manager = SessionManager(self.path, autosave=self.autosave)
        for key, session in before.items():
            assert self.manager.sessionkit_get_session(key, None) == session

    @rule(key=keys, start=st.integers(-4, 4), limit=st.none() | st.integers(0, 3))
    def read(self, key: str, start: int, limit: int | None) -> None:
        ours, models = (b.sessionkit_get_history(key, start, limit) for b in (self.manager, self.model))
        assert list(ours.messages) == list(models.messages)
        assert (ours.start, ours.total) == (models.start, models.total)

    @rule(prefix=st.sampled_from(["", "a", "x"]), limit=st.integers(1, 5))
    def listing(self, prefix: str, limit: int) -> None:
        cursor = None
        while True:
            ours, models = (b.sessionkit_list_sessions(prefix, cursor, limit) for b in (self.manager, self.model))
            assert list(map(_comparable, ours.sessions)) == list(map(_comparable, models.sessions))
            assert ours.next == models.next
            cursor = ours.next
            if cursor is None:
                break

    @invariant()
    def every_session_is_the_same(self) -> None:
        for key in KEYS:
            ours, models = (b.sessionkit_get_session(key, None) for b in (self.manager, self.model))
            assert _comparable(ours) == _comparable(models)


TestSameAsMemory = SameAsMemory.TestCase
TestSameAsMemory.settings = settings(max_examples=40, stateful_step_count=25)
