"""What all tests share, those of the core and those of the plugins: an environment that is the same everywhere."""

from __future__ import annotations

import os
from itertools import count

import hypothesis
import pytest

pytest_plugins = ["sessionkit.testing.report"]

# How long one example takes says more about the machine than about the code.
hypothesis.settings.register_profile("sessionkit", hypothesis.settings(), deadline=None)
hypothesis.settings.load_profile("sessionkit")

_homes = count(1)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep the settings of the person who runs the tests out of them, and the tests out of that person's files."""
    for name in [name for name in os.environ if name.startswith("SESSIONKIT_")]:
        monkeypatch.delenv(name)
    home = tmp_path_factory.getbasetemp() / "homes" / str(next(_homes))
    home.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    for kind in ("CONFIG", "DATA", "CACHE", "STATE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(home / kind.lower()))
