"""Conversations from backend to backend, also when the copy is killed again and again."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from sessionkit import SessionStore, open_store
from sessionkit.transfer import UNFINISHED, Cause, copy_sessions, export_sessions, read_documents, verify_sessions
from sessionkit.transfer.documents import SessionDocument, same_json
from sessionkit.transfer.importing import import_sessions

from .killed import count_calls, run_until_killed

pytest.importorskip("sessionkit_json", reason="needs the json backend")
pytest.importorskip("sessionkit_jsonl", reason="needs the jsonl backend")

SOURCE = Path(__file__).parents[3] / "shared" / "data" / "airline-conversations.jsonl"
ROUNDS = int(os.environ.get("SESSIONKIT_KILL_ROUNDS", "1"))
"""How many copies are killed; the environment may ask for more."""

COPY = """
import sys
from sessionkit import open_store
from sessionkit.transfer import copy_sessions
with open_store(sys.argv[1]) as source, open_store(sys.argv[2], on_write_error="raise") as target:
    assert copy_sessions(source, target).complete
"""

SEED = os.environ.get("SESSIONKIT_KILL_SEED", "2026")


def _generated(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Conversations of all shapes, for when the real ones are not there."""
    chance = random.Random(seed)
    contents = ["hello", None, [{"type": "text", "text": "é\ud800"}], "", "x" * 3000, "\u2028\x00"]
    return [
        {
            "key": f"generated:{number}/{'é' * (number % 3)}",
            "messages": [
                {
                    "role": chance.choice(["user", "assistant", "tool"]),
                    "content": chance.choice(contents),
                    "n": chance.random(),
                }
                for _ in range(chance.randrange(40))
            ],
            "summary": chance.choice(["", "What was said."]),
            "metadata": chance.choice([{}, {"scope": None, "n": [1, 1.0, True]}]),
            "aliases": chance.choice([[], [f"alias-{number}"]]),
            "created": "2026-01-01T00:00:00.123456789Z",
            "updated": f"2026-01-02T00:00:{number % 60:02}+02:00",
        }
        for number in range(count)
    ]


@pytest.fixture(scope="module", params=["real", "generated"])
def conversations(request: pytest.FixtureRequest) -> list[dict[str, Any]]:
    if request.param == "generated":
        return _generated(30)
    if not SOURCE.exists():
        pytest.skip(f"the conversations are not there: {SOURCE.name}")
    with SOURCE.open("rb") as file:
        return [json.loads(line) for line in file]


def _fill(store: SessionStore, conversations: list[dict[str, Any]]) -> None:
    lines = [json.dumps(conversation).encode() for conversation in conversations]
    assert import_sessions(store, read_documents(lines, "conversations")).complete


def _exported(url: str) -> dict[str, Any]:
    with open_store(url) as store:
        return {document["key"]: document for document in export_sessions(store)}


def test_from_json_to_jsonl_to_memory_to_json_nothing_is_lost(
    conversations: list[dict[str, Any]], tmp_path: Path
) -> None:
    first, second, last = (
        f"json:{tmp_path / 'first'}",
        f"jsonl:{tmp_path / 'second'}?durability=os",
        f"json:{tmp_path / 'last'}",
    )
    with open_store(first) as source, open_store(second) as target:
        _fill(source, conversations)
        assert copy_sessions(source, target).copied == len(conversations)
        assert verify_sessions(source, target).same == len(conversations)
    with open_store(second) as source, open_store("memory:") as middle, open_store(last) as target:
        assert copy_sessions(source, middle).copied == len(conversations)
        assert copy_sessions(middle, target).complete
    with open_store(last) as store:
        for conversation in conversations:
            key = conversation.get("key") or conversation["id"]
            assert same_json([message.to_dict() for message in store.get_history(key)], conversation["messages"])
    assert same_json(_exported(first), _exported(last))


def test_sessions_that_cannot_be_listed_are_told(tmp_path: Path) -> None:
    with open_store(f"json:{tmp_path / 'source'}") as source, open_store("memory:") as target:
        _fill(source, _generated(3))
        (tmp_path / "source" / "torn.json").write_text('{"key": "torn"')
        report = copy_sessions(source, target)
    (skipped,) = report.skipped
    assert (skipped.key, skipped.cause, report.copied) == (None, Cause.UNREADABLE, 3)
    assert "torn.json is not the document of a session" in str(skipped)


@pytest.fixture
def source(tmp_path: Path) -> str:
    """A store of some short sessions, and one that is too long for a batch."""
    conversations = _generated(3)
    if SOURCE.exists():
        with SOURCE.open("rb") as file:
            conversations += [json.loads(line) for line in (next(file) for _ in range(3))]
    messages = [{"role": "user", "content": f"message {number}", "n": number} for number in range(2300)]
    conversations.append({"key": "generated:long", "messages": messages, "summary": "s", "aliases": ["long"]})
    url = f"json:{tmp_path / 'source'}"
    with open_store(url) as store:
        _fill(store, conversations)
    return url


@pytest.mark.parametrize(("backend", "rounds"), [("jsonl", ROUNDS), ("json", (ROUNDS + 1) // 2)])
def test_a_copy_that_is_killed_and_run_again_is_whole_and_has_nothing_twice(
    source: str, tmp_path: Path, backend: str, rounds: int
) -> None:
    print(f"seed {SEED}, {rounds} rounds; SESSIONKIT_KILL_SEED and SESSIONKIT_KILL_ROUNDS say others")
    chance = random.Random(f"{SEED} {backend}")
    expected = _exported(source)
    calls = count_calls(tmp_path / "calls", COPY, source, f"{backend}:{tmp_path / 'whole'}")
    kills = 0
    for round_ in range(rounds):
        url = f"{backend}:{tmp_path / str(round_)}"
        survived = chance.randrange(1, calls)
        while run_until_killed(survived, COPY, source, url):
            kills += 1
            _check_halves(url, expected)
            survived = chance.randrange(1, 2 * calls)
        assert same_json(_exported(url), expected)
    print(f"{kills} kills before one of {calls} calls")
    assert kills >= rounds


def _check_halves(url: str, expected: dict[str, Any]) -> None:
    """Whatever is there after a kill is whole, or says that it is not and is a beginning."""
    with open_store(url) as store:
        for info in store.list_sessions():
            document = SessionDocument.from_session(store.get_session(info.key)).to_dict()
            whole = expected[info.key]
            if UNFINISHED not in info.metadata:
                assert same_json(document, whole)
                continue
            assert same_json(document["messages"], whole["messages"][: info.count])
            assert (info.summary, info.aliases) == ("", ())
