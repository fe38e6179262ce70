"""Running the blocks of one Markdown file as a reader would: from the top, in an empty directory."""

from __future__ import annotations

import contextlib
import doctest
import io
import json
import os
import re
import subprocess
import sys
import tomllib
import types
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

from .markdown import CONVERSATIONS, Block, blocks

_TIMEOUT = 120.0
"""Seconds until a command counts as hanging."""


class Walkthrough:
    """The blocks of a file, run in order and each once, in one directory and one Python namespace."""

    def __init__(self, path: Path, directory: Path) -> None:
        self._module = types.ModuleType(re.sub(r"\W", "_", f"blocks_of_{path.parent.name}_{path.stem}"))
        sys.modules[self._module.__name__] = self._module  # attrs and msgspec look annotations up there
        self._work, home = directory / "work", directory / "home"
        self._work.mkdir()
        home.mkdir()
        self._environ = _environ(home)
        self._printed = ""
        self._waiting = blocks(path)
        self._failures: dict[Block, Exception] = {}

    def reach(self, block: Block) -> None:
        """Run all up to a block, and raise what was wrong with that one."""
        while block not in self._failures and block in self._waiting:
            current = self._waiting.pop(0)
            try:
                self._run(current)
            except Exception as error:  # kept for the test of that block
                self._failures[current] = error
        if block in self._failures:
            raise self._failures[block]

    def _run(self, block: Block) -> None:
        if block.marker == "no-run":
            return
        if block.marker == "file":
            self._write(block)
        elif block.marker == "output":
            compare(block.text, self._printed)
        else:
            _RUNNERS[block.language](self, block)

    def _write(self, block: Block) -> None:
        target = self._work / block.value
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(block.text, "utf-8")
        if block.language == "python":
            compile(block.text, str(block), "exec", dont_inherit=True)
        elif block.language in _DATA:
            _RUNNERS[block.language](self, block)

    def _python(self, block: Block) -> None:
        printed = io.StringIO()
        with self._entered(), contextlib.redirect_stdout(printed):
            if block.text.startswith(">>> "):
                self._doctest(block)
            else:
                code = "\n" * block.line + block.text  # tracebacks show the line of the Markdown file
                exec(compile(code, str(block.path), "exec", dont_inherit=True), vars(self._module))
        self._printed = printed.getvalue()

    def _doctest(self, block: Block) -> None:
        example = doctest.DocTestParser().get_doctest(
            block.text, vars(self._module), str(block), str(block.path), block.line
        )
        # The runner must not clear the namespace: the blocks that follow go on in it.
        report = io.StringIO()
        runner = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS)
        runner.run(example, out=report.write, clear_globs=False)
        vars(self._module).update(example.globs)
        assert not runner.failures, report.getvalue()

    def _toml(self, block: Block) -> None:
        tomllib.loads(block.text)

    def _json(self, block: Block) -> None:
        json.loads(block.text)

    def _jsonl(self, block: Block) -> None:
        for line in block.text.splitlines():
            json.loads(line)

    def _shell(self, block: Block) -> None:
        """Run the commands behind ``$``, and compare with what follows each; without any ``$``, run it all."""
        steps = list(_steps(block.text)) if "$ " in block.text else [("set -eu\n" + block.text, "")]
        for position, (command, expected) in enumerate(steps, 1):
            status = int(block.value) if block.marker == "exit" and position == len(steps) else 0
            result = subprocess.run(
                ["bash", "-o", "pipefail", "-c", command],
                cwd=self._work,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_TIMEOUT,
                check=False,
            )
            assert result.returncode == status, f"{command!r} ended with {result.returncode}:\n{result.stdout}"
            if expected:
                compare(expected, result.stdout)

    def _text(self, block: Block) -> None:
        """Shown to people only."""

    @contextlib.contextmanager
    def _entered(self) -> Iterator[None]:
        with contextlib.chdir(self._work), mock.patch.dict(os.environ, self._environ, clear=True):
            yield


_RUNNERS = {
    "python": Walkthrough._python,
    "console": Walkthrough._shell,
    "bash": Walkthrough._shell,
    "toml": Walkthrough._toml,
    "json": Walkthrough._json,
    "jsonl": Walkthrough._jsonl,
    "text": Walkthrough._text,
}

_DATA = frozenset({"toml", "json", "jsonl"})

LANGUAGES = frozenset(_RUNNERS)
"""What a block may be written in."""


def _environ(home: Path) -> dict[str, str]:
    """The environment of a machine on which nothing is configured and this Python's programs are found."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "XDG_"))}
    return kept | {
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "HOME": str(home),
        "NO_COLOR": "1",
        "TERM": "dumb",
        "COLUMNS": "100",
        "CONVERSATIONS": str(CONVERSATIONS),
    }


def _steps(text: str) -> Iterator[tuple[str, str]]:
    """The commands of a console block, each with the output shown below it."""
    command, output = "", ""
    for line in text.splitlines():
        if line.startswith("$ "):
            if command:
                yield command, output
            command, output = line[2:], ""
        elif command.endswith("\\") and not output:
            command = f"{command}\n{line}"
        else:
            output += f"{line}\n"
    yield command, output


def compare(expected: str, found: str) -> None:
    """Hold what was printed against what is shown, in which ``...`` stands for anything."""
    wanted, printed = (_without_trailing_space(text) for text in (expected, found))
    pattern = re.escape(wanted).replace(re.escape("..."), ".*?")
    assert re.fullmatch(pattern, printed, re.DOTALL), f"shown is\n{wanted}\nprinted was\n{printed}"


def _without_trailing_space(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip("\n").splitlines())
