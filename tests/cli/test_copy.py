"""``sessionkit copy``."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessionkit import SessionStore, open_store
from sessionkit.cli import copying
from sessionkit.transfer import UNFINISHED, export_sessions

from .conftest import URL, Run, json_lines

OTHER = "shared:other"


@pytest.fixture
def other() -> Iterator[SessionStore]:
    """The store that the commands reach as ``shared:other``."""
    with open_store(OTHER, on_write_error="raise") as opened:
        yield opened


@pytest.fixture
def store(store: SessionStore) -> SessionStore:
    for key in ("cli:a", "cli:b", "web:a"):
        store.add_messages(key, [{"role": "user", "content": None, "x": key}] * 2)
    return store


def keys(store: SessionStore) -> list[str]:
    return [info.key for info in store.list_sessions()]


def test_all_sessions_are_copied_and_counted(run: Run, store: SessionStore, other: SessionStore) -> None:
    assert run("copy", URL, OTHER).output == "Copied 3 sessions (6 messages).\n"
    assert list(export_sessions(other)) == list(export_sessions(store))


def test_a_second_copy_says_that_all_is_there(run: Run, store: SessionStore) -> None:
    run("copy", URL, OTHER)
    assert run("copy", URL, OTHER).output.splitlines() == [
        "Copied 0 sessions (0 messages).",
        "3 sessions already there, with the same content.",
    ]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("cli:", ["cli:a", "cli:b"]),
        ("cli", ["cli:a", "cli:b"]),
        ("*:a", ["cli:a", "web:a"]),
        ("cli:?", ["cli:a", "cli:b"]),
        ("[w]eb:a", ["web:a"]),
        ("cli:a*", ["cli:a"]),
        ("CLI:*", []),
    ],
)
def test_a_filter_is_a_prefix_or_a_pattern(
    run: Run, store: SessionStore, other: SessionStore, pattern: str, expected: list[str]
) -> None:
    run("copy", URL, OTHER, "--filter", pattern)
    assert keys(other) == expected


def test_what_is_skipped_is_named_with_its_reason(run: Run, store: SessionStore, other: SessionStore) -> None:
    store.add_message("corrupt", "user", "x")
    other.add_message("cli:b", "user", "mine")
    other.update_session("web:a", messages=[{"role": "user"}], metadata={UNFINISHED: {"messages": 5}})
    result = run("copy", URL, OTHER, status=1)
    assert result.stdout == "Copied 1 session (2 messages).\n"
    assert result.stderr.splitlines() == [
        "Error: 3 sessions not copied:",
        "  cli:b: 2 messages here, 1 there",
        "  corrupt: session 'corrupt' cannot be read",
        "  web:a: a copy broke off there, and message 1 of it differs",
    ]


@pytest.mark.parametrize("arguments", [(), ("--filter", "*")])
def test_what_cannot_be_listed_is_told(run: Run, store: SessionStore, arguments: tuple[str, ...]) -> None:
    store.add_message("unlisted", "user", "x")
    result = run("copy", URL, OTHER, *arguments, status=1)
    assert result.stdout == "Copied 3 sessions (6 messages).\n"
    assert result.stderr == "Error: 1 session not copied:\n  the document of unlisted is damaged\n"


def test_replace_overwrites(run: Run, store: SessionStore, other: SessionStore) -> None:
    other.add_message("cli:b", "user", "mine")
    assert run("copy", URL, OTHER, "--replace").output == "Copied 2 sessions, replaced 1 (6 messages).\n"
    assert list(export_sessions(other)) == list(export_sessions(store))


def test_a_copy_that_was_begun_before_is_told(run: Run, store: SessionStore, other: SessionStore) -> None:
    other.update_session("web:a", messages=store.get_history("web:a")[:1], metadata={UNFINISHED: {"messages": 2}})
    assert run("copy", URL, OTHER).output.splitlines()[1] == "1 session of these had been begun before."


def test_a_dry_run_tells_what_would_be_done(run: Run, store: SessionStore, other: SessionStore) -> None:
    other.add_message("cli:b", "user", "mine")
    result = run("copy", URL, OTHER, "--dry-run", "--replace")
    assert result.output == "Would copy 2 sessions, replace 1 (6 messages).\n"
    assert keys(other) == ["cli:b"]


def test_verify_compares_both_sides(run: Run, store: SessionStore) -> None:
    assert run("copy", URL, OTHER, "--verify").output.splitlines() == [
        "Copied 3 sessions (6 messages).",
        "Verified 3 sessions (6 messages).",
    ]
    assert len(keys(store)) == 3


def test_move_deletes_at_the_source_what_is_there_and_nothing_else(
    run: Run, store: SessionStore, other: SessionStore
) -> None:
    other.add_message("cli:b", "user", "mine")
    result = run("copy", URL, OTHER, "--move", status=1)
    assert result.stdout.splitlines() == [
        "Copied 2 sessions (4 messages).",
        "Verified 2 sessions (4 messages).",
        "Deleted 2 sessions at SRC.",
    ]
    assert keys(store) == ["cli:b"]
    assert keys(other) == ["cli:a", "cli:b", "web:a"]


def test_a_move_with_a_filter_leaves_the_others(run: Run, store: SessionStore) -> None:
    run("copy", URL, OTHER, "--move", "--filter", "cli:")
    assert keys(store) == ["web:a"]


def test_a_move_that_broke_off_is_completed(run: Run, store: SessionStore, other: SessionStore) -> None:
    run("copy", URL, OTHER)
    run("copy", URL, OTHER, "--move")
    assert (keys(store), len(keys(other))) == ([], 3)


@pytest.mark.parametrize("arguments", [(URL, URL), (URL, URL, "--move")])
def test_a_store_is_not_copied_onto_itself(run: Run, store: SessionStore, arguments: tuple[str, ...]) -> None:
    assert "the same store" in run("copy", *arguments, status=2).stderr
    assert len(keys(store)) == 3


def test_one_store_under_two_urls_loses_nothing_by_a_move(run: Run, store: SessionStore) -> None:
    result = run("copy", URL, f"{URL}?token=x", "--move", status=1)
    assert "web:a: it is the same session on both sides, so it was not deleted" in result.stderr
    assert len(keys(store)) == 3


@pytest.mark.parametrize("option", ["--verify", "--move"])
def test_a_dry_run_has_nothing_to_verify_or_move(run: Run, option: str) -> None:
    assert "--dry-run" in run("copy", URL, OTHER, "--dry-run", option, status=2).stderr


def test_json_tells_the_whole_report(run: Run, store: SessionStore, other: SessionStore) -> None:
    other.add_message("cli:b", "user", "mine")
    (report,) = json_lines(run("copy", URL, OTHER, "--verify", "--json", status=1).stdout)
    assert report == {
        "copied": 2,
        "resumed": 0,
        "replaced": 0,
        "already_there": 0,
        "messages": 4,
        "changed": [],
        "skipped": [{"key": "cli:b", "cause": "different", "reason": "2 messages here, 1 there"}],
        "verified": 2,
        "deleted": 0,
        "different": [],
    }


def test_a_progress_bar_is_shown_on_a_terminal_alone(
    run: Run, store: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("copy", URL, OTHER).stderr == ""
    monkeypatch.setenv("FORCE_COLOR", "1")  # rich takes anything for a terminal then
    result = run("copy", URL, OTHER, "--verify")
    assert "Copying" in result.stderr
    assert "Verifying" in result.stderr
    assert result.stdout.startswith("Copied 0 sessions")


def test_what_was_copied_before_a_failure_is_told(
    run: Run, store: SessionStore, other: SessionStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copying, "_progress", _FailingProgress)
    result = run("copy", URL, OTHER, status=1)
    assert result.stderr.splitlines() == [
        "Until then: copied 1 session (2 messages). Copy again to complete it.",
        "Error: No space left on device",
    ]
    assert keys(other) == ["cli:a", "cli:b"]


class _FailingProgress:
    def __init__(self, *arguments: object) -> None:
        self._done = 0

    def __enter__(self) -> _FailingProgress:
        return self

    def __exit__(self, *exc_info: object) -> None:
        """Nothing to release."""

    def __call__(self, messages: int) -> None:
        self._done += messages
        if self._done > 2:
            raise OSError(28, "No space left on device")
