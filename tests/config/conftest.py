"""A world for each test of configuration: its plugins, its home directory, its project directory."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import pytest

from sessionkit.config import Configuration, resolve
from sessionkit.plugins.discovery import refresh


@attrs.frozen(kw_only=True)
class World:
    """What ``resolve`` looks at.

    Attributes:
        home: the user's home directory.
        project: the working directory, a few levels below ``top``.
        top: a directory above it.
        environ: the environment variables.
    """

    home: Path
    top: Path
    project: Path
    environ: dict[str, str]

    @property
    def user_file(self) -> Path:
        return self.home / ".config" / "sessionkit" / "sessionkit.toml"

    def write(self, path: Path, text: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def resolve(self, source: str | Mapping[str, Any] | None = None, **arguments: Any) -> Configuration:
        return resolve(source, environ=self.environ, cwd=self.project, **arguments)

    def settings(self, source: str | Mapping[str, Any] | None = None, **arguments: Any) -> dict[str, tuple[Any, str]]:
        """Value and provenance of each setting by its name."""
        resolved = self.resolve(source, **arguments)
        return {setting.name: (setting.value, setting.where) for setting in resolved.settings}


@pytest.fixture
def world(site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.syspath_prepend(str(Path(__file__).parent / "site"))
    refresh()
    world = World(
        home=tmp_path / "home",
        top=tmp_path / "work",
        project=tmp_path / "work" / "bot" / "src",
        environ={"HOME": str(tmp_path / "home")},
    )
    world.home.mkdir()
    world.project.mkdir(parents=True)
    return world
