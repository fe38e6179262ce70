"""Fixtures for tests of the core that need plugins: distributions of their own, installed by writing their metadata."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from sessionkit.plugins.discovery import refresh
from sessionkit.plugins.installed import scan


class Site:
    """A directory on ``sys.path`` with distributions in it, as pip would leave them."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.modules: list[str] = []

    def install(
        self,
        distribution: str,
        *,
        backends: Mapping[str, str] | None = None,
        extensions: Mapping[str, str] | None = None,
        groups: Mapping[str, Mapping[str, str]] | None = None,
        modules: Mapping[str, str] | None = None,
        version: str = "1.0",
    ) -> None:
        """Write the metadata of a distribution, and its modules: their source by their name."""
        everything = {
            "sessionkit.backends": backends or {},
            "sessionkit.extensions": extensions or {},
            **(groups or {}),
        }
        lines = [
            line
            for group, entries in everything.items()
            for line in (f"[{group}]", *(f"{name} = {value}" for name, value in entries.items()))
        ]
        info = self.directory / f"{distribution.replace('-', '_')}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
        for module, source in (modules or {}).items():
            (self.directory / f"{module}.py").write_text(source)
            self.modules.append(module)
        refresh()


@pytest.fixture
def site(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """Nothing is installed but the core, and what the test installs here."""
    site = Site(tmp_path_factory.mktemp("site"))
    others = {plugin.distribution for plugin in scan()} - {"sessionkit-core"}
    monkeypatch.syspath_prepend(str(site.directory))
    for distribution in others:
        site.install(distribution, version="0.0")  # hides the one further down sys.path
    refresh()
    yield site
    for module in site.modules:
        sys.modules.pop(module, None)
    refresh()
