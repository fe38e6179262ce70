from __future__ import annotations

from pathlib import Path

import pytest

from .walkthrough import Walkthrough


class Walkthroughs:
    """One walk through each file, begun when the first of its blocks is tested."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        self._factory = factory
        self._begun: dict[Path, Walkthrough] = {}

    def of(self, path: Path) -> Walkthrough:
        if path not in self._begun:
            self._begun[path] = Walkthrough(path, self._factory.mktemp(path.stem))
        return self._begun[path]


@pytest.fixture(scope="session")
def walkthroughs(tmp_path_factory: pytest.TempPathFactory) -> Walkthroughs:
    return Walkthroughs(tmp_path_factory)
