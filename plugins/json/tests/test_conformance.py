"""The json backend keeps the contract."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest

from sessionkit.testing import SessionStoreConformance
from sessionkit.testing.full_disk import full_disk


class TestJson(SessionStoreConformance):
    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return f"json:{tmp_path}/sessions"

    def read_raw(self, source: Any, key: str) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = json.loads(document(source, key).read_bytes())["messages"]
        return messages

    def write_raw(self, source: Any, key: str, messages: Sequence[dict[str, Any]]) -> bool:
        document(source, key).parent.mkdir()
        document(source, key).write_text(json.dumps({"key": key, "messages": messages}), "utf-8")
        return True

    def break_storage(self, source: Any) -> AbstractContextManager[object]:
        return full_disk()

    def damage(self, source: Any, key: str) -> bool:
        whole = document(source, key).read_bytes()
        document(source, key).write_bytes(whole[: len(whole) // 2])
        return True


def document(source: str, key: str) -> Path:
    """The file of a session whose key needs no other name."""
    return Path(source.removeprefix("json:"), f"{key}.json")
