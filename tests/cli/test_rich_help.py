"""How help and wrong usage look."""

from __future__ import annotations

import re

import pytest

from .conftest import Run


def test_help_has_options_commands_and_examples(run: Run) -> None:
    text = run("summary", "--help").stdout
    assert re.search(r"^ Usage: sessionkit summary \[OPTIONS\] COMMAND", text, re.MULTILINE)
    assert re.search(r"^ --help +-h +Show this message and exit\. +$", text, re.MULTILINE)
    assert re.search(r"^ get +Print the summary of a session\. +$", text, re.MULTILINE)
    assert re.search(r"^ \$ sessionkit summary get telegram:42 *$", text, re.MULTILINE)


def test_an_empty_line_stands_between_paragraphs_of_help(run: Run) -> None:
    assert re.search(r"tells\s+none\. *\n *\n With --json", run("list", "--help").stdout)


def test_a_group_without_a_command_prints_its_help(run: Run) -> None:
    result = run("summary", status=2)
    assert result.stdout.startswith(" Usage: sessionkit summary")
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("arguments", "path", "said"),
    [
        (("--nonsense",), "sessionkit", "No such option"),
        (("list", "--limit", "0"), "sessionkit list", "Invalid value for '--limit'"),
        (("summary", "set"), "sessionkit summary set", "Missing argument 'KEY'"),
    ],
)
def test_wrong_usage_is_told_with_the_way_to_help(run: Run, arguments: tuple[str, ...], path: str, said: str) -> None:
    result = run(*arguments, status=2)
    assert result.stdout == ""
    assert f"Usage: {path} [OPTIONS]" in result.stderr
    assert f"Try '{path} -h' for help" in result.stderr
    assert said in result.stderr
