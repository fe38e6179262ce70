"""A search that leaves out by the bytes finds what a search finds that decodes everything."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sessionkit_jsonl import sifting

from sessionkit import SessionStore, open_store

KEY = "agent:main"

WORDS = st.sampled_from(["mug", "MUG", "Kiel", "\u212aiel", "é", 'a "b"', "c\\d", "x\ny", "日本", "_sk", "{", "\ud800"])
TEXTS = st.lists(WORDS, max_size=4).map(" ".join)
CALLS = TEXTS.map(lambda text: [{"id": "c", "function": {"name": "f", "arguments": json.dumps({"a": text})}}])
MESSAGES = st.fixed_dictionaries({"role": st.just("user"), "content": TEXTS}, optional={"tool_calls": CALLS})
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.lists(MESSAGES, min_size=1, max_size=4)),
        st.tuples(st.just("truncate"), st.integers(0, 5)),
        st.tuples(st.just("replace"), st.lists(MESSAGES, max_size=3)),
        st.tuples(st.just("raw"), st.tuples(MESSAGES, st.booleans())),
    ),
    max_size=8,
)


def found(store: SessionStore, text: str, **how: Any) -> list[Any]:
    return [(match.position, match.place, match.text, match.spans) for match in store.search(text, **how)]


def take(store: SessionStore, path: Path, step: tuple[str, Any]) -> None:
    kind, value = step
    if kind == "add":
        store.add_messages(KEY, value)
    elif kind == "truncate":
        store.truncate_history(KEY, value)
    elif kind == "replace":
        store.set_history(KEY, value)
    else:
        message, is_whole = value
        if (log := path / "agent_main.jsonl").exists():
            line = json.dumps(message, ensure_ascii=is_whole)
            with log.open("ab") as file:
                file.write(line.encode("utf-8", "replace")[: None if is_whole else -3] + b"\n")


@given(STEPS, WORDS, st.booleans(), st.booleans(), st.sampled_from([1, 100, 1 << 20]))
@settings(max_examples=60, deadline=None)
def test_the_quick_search_finds_what_the_plain_one_finds(
    steps: list[Any], text: str, ignore_case: bool, is_new: bool, at_once: int
) -> None:
    with tempfile.TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sifting, "_AT_ONCE", at_once)
        url = f"jsonl:{directory}?durability=os"
        with open_store(url, on_write_error="raise") as store:
            for step in steps:
                take(store, Path(directory), step)
            history = store.get_history(KEY)
            if not is_new:
                quick = found(store, text, ignore_case=ignore_case)
        if is_new:
            with open_store(url) as store:
                quick = found(store, text, ignore_case=ignore_case)
        with open_store("memory:") as plain:
            plain.update_session(KEY, messages=history)
            assert quick == found(plain, text, ignore_case=ignore_case)


def test_a_long_history_is_sifted_piece_by_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sifting, "_AT_ONCE", 100_000)
    with open_store(f"jsonl:{tmp_path}?durability=os", on_write_error="raise") as store:
        for first in range(0, 6000, 500):
            texts = [f"{number} {'x' * 300}" + " needle" * (number % 1000 == 7) for number in range(first, first + 500)]
            store.add_messages(KEY, [{"role": "user", "content": text} for text in texts])
        store.truncate_history(KEY, 5500)
        assert [match.position for match in store.search("needle")] == [507, 1507, 2507, 3507, 4507]


def test_removed_messages_and_marks_are_not_found(tmp_path: Path) -> None:
    with open_store(f"jsonl:{tmp_path}", on_write_error="raise") as store:
        store.add_messages(KEY, [{"role": "user", "content": text} for text in ("gone", "gone too", "kept")])
        store.truncate_history(KEY, 1)
        assert not found(store, "gone")
        assert not found(store, "_sk")
        assert found(store, "kept") == [(0, "content", "kept", ((0, 4),))]
        store.delete_session(KEY)
        assert not found(store, "kept")
