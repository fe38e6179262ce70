"""Runs the demo's agent in processes of its own, and tells what happens."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

import click

from sessionkit.cli.errors import FAILED
from sessionkit.cli.neutral import visible
from sessionkit.cli.options import examples
from sessionkit.cli.output import make_console, print_error
from sessionkit.cli.rich_help import Command

if TYPE_CHECKING:
    from rich.console import Console

_AGENT = "demo_agent.py"
_CONFIG = "sessionkit.toml"
_BACKENDS = ("jsonl", "json")


@click.command("demo", cls=Command, epilog=examples("sessionkit demo", "sessionkit demo --dir demo-files"))
@click.option(
    "--dir",
    "directory",
    type=click.Path(file_okay=False, path_type=Path),
    help="Where the files go: a new or empty directory, or that of an earlier demo. Without it: a temporary one.",
)
@click.pass_context
def command(ctx: click.Context, directory: Path | None) -> None:
    """Run a small agent and look at what it stored.

    It answers three questions with tools, summarises, truncates and saves; a second process reads the session
    back; then the same program runs on another backend, with nothing changed but the configuration. The files
    are kept, so that you can look at them.
    """
    console = make_console()
    backends = _installed()
    if not backends:
        print_error('no backend that keeps files is installed; install one with: pip install "sessionkit-jsonl"')
        ctx.exit(FAILED)
    place = _prepare(directory, backends)
    _step(console, f"An agent answers three questions. Its conversation is kept by the backend {backends[0]}.")
    _run(ctx, console, place, "talk")
    _step(console, "Another process reads the session back.")
    _run(ctx, console, place, "read")
    for other in backends[1:]:
        _step(console, f"The same program, on the backend {other}: only the environment differs.")
        _run(ctx, console, place, "talk", backend=other)
        _run(ctx, console, place, "read", backend=other)
    for name in _BACKENDS:
        if name not in backends:
            _step(console, f"Left out: the backend {name}. To have it: pip install sessionkit-{name}")
    _print_files(console, place, backends[0])


def _installed() -> list[str]:
    from sessionkit.plugins.discovery import installed_backends

    names = {plugin.name for plugin in installed_backends()}
    return [name for name in _BACKENDS if name in names]


def _prepare(directory: Path | None, backends: list[str]) -> Path:
    """Put program and configuration into the directory."""
    if directory is None:
        place = Path(tempfile.mkdtemp(prefix="sessionkit-demo-"))
    else:
        place = directory.resolve()
        place.mkdir(parents=True, exist_ok=True)
        if any(place.iterdir()) and not (place / _AGENT).exists():
            raise click.UsageError(f"{directory} holds other files; name a new or an empty directory")
    program = resources.files("sessionkit.cli.demo").joinpath("agent.py").read_bytes()
    (place / _AGENT).write_bytes(program)
    tables = "".join(f'\n[backends.{name}]\npath = "./sessions-{name}"\n' for name in backends)
    (place / _CONFIG).write_text(f'backend = "{backends[0]}"\n{tables}', encoding="utf-8")
    return place


def _step(console: Console, sentence: str) -> None:
    from rich.text import Text

    console.print()
    console.print(Text(sentence, "bold"))


def _run(ctx: click.Context, console: Console, place: Path, task: str, backend: str | None = None) -> None:
    """Run the program in the directory, where it finds its configuration, and print what it prints."""
    from rich.text import Text

    environment = {name: value for name, value in os.environ.items() if not name.startswith("SESSIONKIT_")}
    assignment = ""
    if backend is not None:
        environment["SESSIONKIT_BACKEND"] = backend
        assignment = f"SESSIONKIT_BACKEND={backend} "
    console.print(Text(f"  $ {assignment}python {_AGENT} {task}", "cyan"))
    # -P: the program's directory holds nothing that it imports
    done = subprocess.run(
        [sys.executable, "-P", _AGENT, task],
        cwd=place,
        env=environment | {"PYTHONIOENCODING": "utf-8"},
        capture_output=True,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    for line in done.stdout.splitlines():
        console.print(f"  {visible(line)}")
    if done.returncode:
        reason = done.stderr.strip().rpartition("\n")[2]
        print_error(f"the program ended with status {done.returncode}: {reason}")
        ctx.exit(FAILED)


def _print_files(console: Console, place: Path, backend: str) -> None:
    _step(console, f"The files are in {visible(str(place))}")
    for path in sorted(place.rglob("*")):
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(place).parts):
            console.print(f"  {visible(str(path.relative_to(place)))}  {path.stat().st_size:,} bytes")
    console.print(f"Look closer: sessionkit show demo:shop --store {backend}:{place}/sessions-{backend}")
