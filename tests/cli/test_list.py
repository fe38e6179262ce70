"""``sessionkit list``."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sessionkit import SessionStore, open_store

from .conftest import URL, Run, json_lines


@pytest.fixture(autouse=True)
def _sessions(store: SessionStore) -> None:
    store.update_session("a:1", messages=[{"role": "user"}] * 1234, updated="2026-01-02T03:04:05.678Z")
    store.update_session("a:22", summary="  First line.\nSecond line.", updated="2026-01-02T03:04:05+02:00")
    store.update_session("b:日本", updated="2026-01-02T03:04:05Z")


def test_sessions_stand_in_aligned_columns(run: Run) -> None:
    assert run("list", "--store", URL).stdout.splitlines() == [
        "KEY     MESSAGES  SIZE  UPDATED                    SUMMARY",
        "a:1        1,234        2026-01-02 03:04:05Z",
        "a:22           0        2026-01-02 03:04:05+02:00  First line.",
        "b:日本         0        2026-01-02 03:04:05Z",
    ]


def test_sizes_are_told_and_sorted_by_where_the_backend_knows_them(run: Run, tmp_path: Path) -> None:
    pytest.importorskip("sessionkit_jsonl")
    url = f"jsonl:{tmp_path}"
    with open_store(url) as store:
        store.add_message("a", "user", "x")
        store.add_message("b", "user", "x" * 5000)
    listed = json_lines(run("list", "--store", url, "--sort", "size", "--json").stdout)
    assert [info["key"] for info in listed] == ["b", "a"]
    assert listed[0]["size"] > listed[1]["size"] > 0
    assert re.search(r"^b +1 +5\.\d KiB  20", run("list", "--store", url).stdout, re.MULTILINE)


def test_a_prefix_chooses_sessions(run: Run) -> None:
    assert [info["key"] for info in json_lines(run("list", "--store", URL, "--prefix", "a:", "--json").stdout)] == [
        "a:1",
        "a:22",
    ]


def test_a_limit_ends_the_list(run: Run) -> None:
    assert len(json_lines(run("list", "--store", URL, "--limit", "2", "--json").stdout)) == 2


def test_json_tells_all_but_the_messages(run: Run) -> None:
    info = json_lines(run("list", "--store", URL, "--prefix", "a:22", "--json").stdout)[0]
    assert info.pop("version")
    assert info.pop("created")
    assert info == {
        "key": "a:22",
        "count": 0,
        "size": None,
        "summary": "  First line.\nSecond line.",
        "updated": "2026-01-02T03:04:05+02:00",
        "metadata": {},
        "aliases": [],
    }


def test_an_empty_store_is_told_on_stderr(run: Run) -> None:
    result = run("list", "--store", "shared:empty")
    assert (result.stdout, result.stderr) == ("", "There are no sessions.\n")


def test_a_prefix_that_nothing_has_is_told(run: Run) -> None:
    assert run("list", "--store", URL, "--prefix", "z\x07").stderr == "There are no sessions with the prefix z\\x07.\n"


def test_lines_that_are_printed_together_stay_aligned(run: Run, store: SessionStore) -> None:
    for number in range(150):
        store.update_session(f"n:{'x' * (number // 10)}{number:03}")
    lines = run("list", "--store", URL, "--prefix", "n:").stdout.splitlines()
    assert len(lines) == 151
    ends = [line.index(" 0  ") for line in lines[1:]]
    assert len(set(ends)) <= 2
    assert ends == sorted(ends)


@pytest.mark.parametrize(
    ("order", "keys"),
    [
        ("key", ["a:1", "a:22", "b:日本"]),
        ("messages", ["a:1", "a:22", "b:日本"]),
        ("updated", ["a:1", "b:日本", "a:22"]),
    ],
)
def test_sorted_sessions_begin_with_the_most_and_the_latest(run: Run, order: str, keys: list[str]) -> None:
    for limit in (["--limit", "2"], []):
        listed = json_lines(run("list", "--store", URL, "--sort", order, *limit, "--json").stdout)
        assert [info["key"] for info in listed] == keys[: 2 if limit else None]


def test_sessions_that_did_not_change_since_then_are_left_out(run: Run) -> None:
    listed = json_lines(run("list", "--store", URL, "--since", "2026-01-02T02:00:00Z", "--json").stdout)
    assert [info["key"] for info in listed] == ["a:1", "b:日本"]
    assert run("list", "--store", URL, "--since", "1h").stderr == "There are no sessions that changed since then.\n"


def test_a_time_that_is_none_is_wrong_usage(run: Run) -> None:
    assert "'yesterday' is no time" in run("list", "--store", URL, "--since", "yesterday", status=2).stderr
