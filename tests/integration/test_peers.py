"""The comparison with other stores: its runner on sessionkit itself at tiny sizes, its page on made-up results."""

from __future__ import annotations

import copy
import importlib.util
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(autouse=True)
def _importable(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    yield
    for name in [name for name in sys.modules if name.split(".")[0] == "peers"]:
        del sys.modules[name]


def _cells(milliseconds: float) -> dict[str, Any]:
    names = [f"{work} {length}" for work in ("append", "read", "last", "turn") for length in (10, 100, 1000, 10_000)]
    seconds = [milliseconds / 1e3] * 3
    done = {name: {"seconds": seconds} for name in [*names, "reopen"]}
    at_once = {"seconds": seconds[:1], "acknowledged": 8, "kept": 8, "errors": 0}
    replay = {
        "seconds": seconds,
        "asked": 3,
        "source": "real",
        "written": 9,
        "read": 9,
        "equal": 9,
        "bytes": 100,
        "taken": 150,
    }
    return {**done, "replay": replay, "threads": at_once, "processes": dict(at_once), "one session": dict(at_once)}


def _contender(adapter: str, milliseconds: float, syncs: float) -> dict[str, Any]:
    counted = {"fdatasync": syncs} if syncs else {}
    return {
        "adapter": adapter,
        "where": "files",
        "floor": [0.0001],
        "cells": _cells(milliseconds),
        "syncs": counted,
        "took": 1.0,
    }


RESULTS: dict[str, Any] = {
    "when": "2026-01-31 12:00",
    "size": "fast",
    "machine": {"system": "Linux x86_64", "cores": 2, "server": "valkey 9.1"},
    "versions": {"other": {"other-store": "1.2.3"}},
    "contenders": {
        "sessionkit jsonl, always": _contender("sessionkit:jsonl-always", 2.0, 1),
        "a synced one": _contender("other:synced", 5.0, 2),
        "an unsynced one": _contender("other:fast", 0.5, 0),
        "an absent one": {"adapter": "other:absent", "where": "files", "failed": "no such package", "cells": {}},
    },
}


def _page(results: dict[str, Any]) -> str:
    from peers.page import text

    return text(results)


def test_the_page_compares_within_the_same_durability_alone() -> None:
    from peers.page import TIMES

    rows = [line for line in _page(RESULTS).splitlines() if line.startswith("| an unsynced one | 0.500")]
    assert rows
    assert TIMES not in rows[0]
    assert f"| a synced one | 5.00 (2.5 {TIMES}) |" in _page(RESULTS)


def test_the_page_names_who_could_not_be_run() -> None:
    assert "- an absent one: no such package" in _page(RESULTS)


def test_the_page_says_nothing_of_reasons_where_sessionkit_is_first() -> None:
    assert "Nowhere, in this run." in _page(RESULTS)


def test_the_page_says_why_where_sessionkit_is_not_first() -> None:
    from peers.reasons import reason

    results = copy.deepcopy(RESULTS)
    results["contenders"]["a synced one"]["cells"]["read 1000"] = {"seconds": [0.001]}
    text = _page(results)
    assert "a synced one takes 1.00 ms, sessionkit jsonl, always 2.00 ms" in text
    assert reason("synced", "read") in text
    assert "Nowhere" not in text


def test_the_page_counts_what_was_lost() -> None:
    results = copy.deepcopy(RESULTS)
    cells = results["contenders"]["an unsynced one"]["cells"]
    cells["replay"]["equal"] = 7
    cells["one session"]["kept"] = 5
    row = next(line for line in _page(results).splitlines() if line.startswith("| an unsynced one | written"))
    assert "| 2 of 9 | 0 of 8 | 0 of 8 | 3 of 8 |" in row


@pytest.mark.skipif(importlib.util.find_spec("matplotlib") is None, reason="matplotlib is not installed")
def test_the_page_has_its_pictures(tmp_path: Path) -> None:
    from peers.page import write

    write(RESULTS, tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["peers-append.svg", "peers-read.svg", "peers.md"]
    assert "a synced one" in (tmp_path / "peers-append.svg").read_text()


def test_what_comes_back_changed_is_not_equal() -> None:
    from peers.messages import equal, generated

    messages = generated(1)
    assert messages == generated(1)
    assert equal(messages, [dict(message) for message in messages]) == len(messages)
    changed = [{**message, "content": "other"} if message["role"] == "tool" else message for message in messages]
    assert equal(messages, changed) == len(messages) - sum(message["role"] == "tool" for message in messages)


def test_an_adapter_gives_back_what_it_was_given(tmp_path: Path) -> None:
    import asyncio

    from peers.contract import peer
    from peers.messages import equal, generated

    async def stored(adapter: str) -> int:
        store = peer(adapter)
        session = await store.open(str(tmp_path / adapter.replace(":", "-")), "k")
        for message in messages:
            await session.append(store.native(message))
        back = [store.plain(message) for message in await session.read()]
        await session.close()
        await store.shut()
        return equal(messages, back)

    messages = generated(2)
    for adapter in ("sessionkit:memory", "sessionkit:json", "sessionkit:jsonl-os"):
        assert asyncio.run(stored(adapter)) == len(messages)


def test_the_runner_measures_a_store_and_counts_its_syncs(tmp_path: Path) -> None:
    from peers.catalogue import CONTENDERS
    from peers.figures import rows
    from peers.runner import Run

    chosen = [one for one in CONTENDERS if one.adapter == "sessionkit:jsonl-always"]
    results = Run(tmp_path, "tiny", 120, progress=False).all(chosen)
    row = rows(results)[0]
    assert "failed" not in row.result
    assert row.lost()[0] == 0
    for name in ("replay", "append 20", "read 20", "last 20", "turn 20", "reopen", "opening", "threads", "processes"):
        assert row.seconds(name)
    for name in ("threads", "processes", "one session"):
        assert row.cell(name)["kept"] == row.cell(name)["acknowledged"] > 0
    if row.syncs is not None:  # strace is there, and may trace
        assert row.result["syncs"] == {"fdatasync": 1.0}
        assert row.durability == "synced"
    assert "sessionkit jsonl, always" in _page(results)
