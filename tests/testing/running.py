"""Runs the suite on all stores, in pytest processes of their own where the stores are installed as plugins."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any, Final

import attrs

from .broken.registry import entry_points

_HERE: Final = Path(__file__).parent
_PARTS: Final = 2
"""How many processes share the work."""


@attrs.frozen
class Outcome:
    """How a clause ended on a store, once for each of its parameters.

    Attributes:
        when: ``call``, or the fixture's ``setup`` or ``teardown``.
        outcome: ``passed``, ``failed`` or ``skipped``.
        error: the type of the error that it ended with.
        message: the whole story.
    """

    store: str
    clause: str
    when: str
    outcome: str
    error: str
    message: str = attrs.field(repr=False)


@attrs.frozen
class Results:
    """What came out.

    Attributes:
        outcomes: by store and clause.
        uses: for each store the hooks that were called, and their arguments that said something.
    """

    outcomes: dict[str, dict[str, list[Outcome]]]
    uses: dict[str, set[str]]


def install(directory: Path) -> None:
    """Make a directory for ``PYTHONPATH``, in which all stores are installed."""
    info = directory / "broken_stores-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: broken-stores\nVersion: 1.0\n")
    lines = [f"{name} = {value}" for name, value in entry_points().items()]
    (info / "entry_points.txt").write_text("\n".join(["[sessionkit.backends]", *lines, ""]))
    (directory / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n")
    for part in range(_PARTS):
        (directory / f"test_part{part}.py").write_text(
            f"from broken.suites import suites\n\nglobals().update(suites({part}, {_PARTS}))\n"
        )


def run(directory: Path) -> Results:
    """Run all suites, some at the same time."""
    install(directory)
    results = Results(defaultdict(lambda: defaultdict(list)), {})
    runs = [(_start(directory, part), directory / f"outcomes{part}.json") for part in range(_PARTS)]
    for process, path in runs:
        output, _ = process.communicate(timeout=600)
        assert path.exists(), output
        assert process.returncode in (0, 1), output
        written: dict[str, Any] = json.loads(path.read_text())
        for outcome in (Outcome(**fields) for fields in written["outcomes"]):
            results.outcomes[outcome.store][outcome.clause].append(outcome)
        results.uses.update({store: set(uses) for store, uses in written["uses"].items()})
    return results


def _start(directory: Path, part: int) -> subprocess.Popen[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SESSIONKIT_", "PYTEST_"))}
    environment["PYTHONPATH"] = os.pathsep.join([str(directory), str(_HERE)])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "broken.outcomes", "-p", "no:cacheprovider"]
    paths = [f"--outcomes={directory}/outcomes{part}.json", f"--basetemp={directory}/tmp{part}"]
    return subprocess.Popen(
        [*command, *paths, f"test_part{part}.py"],
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
