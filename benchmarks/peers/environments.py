"""A virtual environment for each peer, since what they need excludes one another."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from peers.catalogue import ENVIRONMENTS, OURS, Environment

INSTALLING_SECONDS: Final = 900


class InstallError(Exception):
    """A peer cannot be installed or run; the reason is the message."""


def python(directory: Path, name: str) -> Path:
    """The interpreter of an environment, which is made when it is not there yet.

    Raises:
        InstallError: it cannot be installed.
    """
    if name == OURS:
        return Path(sys.executable)
    environment = ENVIRONMENTS[name]
    found = directory / name / "bin" / "python"
    done = directory / name / f"installed-{_mark(environment)}"
    if not done.exists():
        _run([sys.executable, "-m", "venv", str(directory / name)])
        _run([str(found), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *environment.packages])
        done.touch()
    return found


def versions(interpreter: Path, name: str) -> Mapping[str, str]:
    """What is installed: the packages that were asked for, and what they keep sessions with."""
    packages = ENVIRONMENTS[name].packages if name in ENVIRONMENTS else ("sessionkit-core", "msgspec", "redis")
    wanted = [re.split(r"[\[=<]", package)[0] for package in packages]
    program = (
        "import importlib.metadata as m, json, sqlite3, sys\n"
        "found = {d.metadata['Name']: d.version for d in m.distributions()}\n"
        f"print(json.dumps({{**{{n: found[n] for n in {wanted!r} if n in found}}, 'SQLite': sqlite3.sqlite_version,"
        " 'Python': sys.version.split()[0]}))"
    )
    told: Mapping[str, str] = json.loads(_run([str(interpreter), "-c", program]))
    return told


def variables() -> dict[str, str]:
    """The environment variables of a worker: it finds this package, reports nothing to anybody, and is quiet."""
    quiet = {"AGNO_TELEMETRY": "false", "OPENAI_AGENTS_DISABLE_TRACING": "1", "PYTHONWARNINGS": "ignore"}
    return {**os.environ, **quiet, "PYTHONPATH": str(Path(__file__).resolve().parents[1])}


def _mark(environment: Environment) -> str:
    return hashlib.sha256(" ".join(environment.packages).encode()).hexdigest()[:8]


def _run(command: list[str]) -> str:
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=INSTALLING_SECONDS)
    except subprocess.CalledProcessError as error:
        raise InstallError(f"{Path(command[0]).name} failed: {error.stderr.strip().splitlines()[-1:]}") from error
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"installing took more than {INSTALLING_SECONDS} s") from error
    return done.stdout
