"""Columns that are printed as their rows come."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessionkit.cli.columns import Column, print_columns


def test_the_first_rows_are_printed_before_the_fifty_first_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def rows() -> Iterator[tuple[str]]:
        for number in range(50):
            yield (f"row {number}",)
        assert capsys.readouterr().out.splitlines() == ["NAME", *(f"row {number}" for number in range(50))]
        yield ("the last",)

    assert print_columns([Column("NAME")], rows()) == 51
    assert capsys.readouterr().out == "the last\n"


@pytest.mark.parametrize("name", ["FORCE_COLOR", "TTY_COMPATIBLE"])
def test_whoever_asks_for_a_terminal_gets_its_styles(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv(name, "1")
    monkeypatch.setenv("TERM", "xterm")
    print_columns([Column("NAME", "cyan")], [("a",)])
    assert "\x1b[36ma\x1b[0m" in capsys.readouterr().out
