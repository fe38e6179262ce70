"""Commands that come with plugins."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from sessionkit.plugins import discovery

from .conftest import Run

GREET = """
import rich_click as click
@click.command(help="Greet somebody.")
@click.argument("name")
def greet(name):
    click.echo(f"Hello, {name}.")
"""

Install: TypeAlias = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(site)

    def install(distribution: str, entry: str, source: str = GREET, *, group: str = "sessionkit.commands") -> None:
        module = entry.partition("=")[2].partition(":")[0].strip()
        (site / f"{module}.py").write_text(source, "utf-8")
        info = site / f"{distribution}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.0\n", "utf-8")
        (info / "entry_points.txt").write_text(f"[{group}]\n{entry}\n", "utf-8")
        modules.append(module)
        discovery.refresh()

    modules: list[str] = []
    yield install
    for module in modules:
        sys.modules.pop(module, None)
    discovery.refresh()


def test_a_plugin_brings_a_command(run: Run, install: Install) -> None:
    install("acme", "greet = acme_commands:greet")
    assert run("greet", "Ann").stdout == "Hello, Ann.\n"
    assert "Greet somebody." in run("--help").stdout


def test_the_help_of_a_command_made_with_rich_click_looks_like_ours(run: Run, install: Install) -> None:
    install("acme", "greet = acme_commands:greet")
    heading = re.compile(r"^ ═ Options ═+ $", re.MULTILINE)
    ours, theirs = (heading.search(run(name, "--help").stdout) for name in ("list", "greet"))
    assert ours is not None
    assert theirs is not None
    assert ours[0] == theirs[0]


def test_what_a_command_colours_reaches_no_pipe(run: Run, install: Install) -> None:
    source = GREET.replace('click.echo(f"Hello, {name}.")', 'click.secho(f"Hello, {name}.", fg="red")')
    install("acme", "greet = acme_commands:greet", source)
    assert run("greet", "Ann").stdout == "Hello, Ann.\n"


def test_a_command_of_our_own_is_not_replaced(run: Run, install: Install) -> None:
    install("acme", "list = acme_commands:greet")
    assert "Hello" not in run("list", "--store", "memory:").output
    assert "Greet somebody." not in run("--help").stdout


def test_other_commands_import_no_plugin(run: Run, install: Install) -> None:
    install("acme", "greet = acme_broken:greet", "raise RuntimeError('imported')")
    run("list", "--store", "memory:")
    assert "acme_broken" not in sys.modules


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("raise RuntimeError('no luck')", "raised RuntimeError: no luck; reinstall or upgrade acme"),
        ("raise SystemExit", "raised SystemExit; reinstall or upgrade acme"),
        ("greet = 5", "names a int, not a click command; upgrade it"),
        ("", "raised AttributeError: module 'acme_broken' has no attribute 'greet'; reinstall or upgrade acme"),
    ],
)
def test_a_broken_command_tells_why_and_hinders_no_other(run: Run, install: Install, source: str, reason: str) -> None:
    install("acme", "greet = acme_broken:greet", source)
    assert "(cannot be loaded)" in run("--help").stdout
    where = "the command 'greet' cannot be loaded: the entry point greet = acme_broken:greet of acme 1.0"
    assert run("greet", "Ann", "--loud", status=2).stderr == f"Error: {where} {reason}\n"


def test_a_command_of_two_plugins_is_none(run: Run, install: Install) -> None:
    install("acme", "greet = acme_commands:greet")
    install("other", "greet = other_commands:greet")
    assert "comes with acme 1.0 and other 1.0; uninstall one of them" in run("greet", "Ann", status=2).stderr


def test_a_command_for_a_later_plugin_api_is_not_offered(run: Run, install: Install) -> None:
    install("acme", "greet = acme_commands:greet", group="sessionkit.commands.v2")
    assert "No such command" in run("greet", "Ann", status=2).stderr
