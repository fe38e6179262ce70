"""The jsonl backend keeps the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sessionkit.testing import SessionStoreConformance
from sessionkit.testing.clauses.writing import WritingClauses
from sessionkit.testing.full_disk import full_disk


class TestJsonl(SessionStoreConformance):
    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return f"jsonl:{tmp_path}/sessions"

    def read_raw(self, source: Any, key: str) -> list[dict[str, Any]]:
        messages = [json.loads(line) for line in log(source, key).read_bytes().splitlines()]
        for message in messages:
            message.pop("_sk", None)  # what the backend says about the file and its batches
        return messages

    def write_raw(self, source: Any, key: str, messages: Sequence[dict[str, Any]]) -> bool:
        log(source, key).parent.mkdir()
        log(source, key).write_text("".join(json.dumps(message) + "\n" for message in messages), "utf-8")
        return True

    def break_storage(self, source: Any) -> AbstractContextManager[object]:
        return full_disk()

    def damage(self, source: Any, key: str) -> bool:
        log(source, key).rename(log(source, "elsewhere"))
        log(source, key).mkdir()  # damaged lines are passed over; what is no file cannot be read at all
        return True


class TestJsonlWithArchive(WritingClauses):
    """What an archive could change. The rest holds too, and takes its time."""

    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return f"jsonl:{tmp_path}/sessions?archive=true&compact_threshold=0"


def log(source: str, key: str) -> Path:
    """The data file of a session whose key needs no other name."""
    return Path(source.removeprefix("jsonl:"), f"{key}.jsonl")
