from __future__ import annotations

import pytest

from .running import Results, run


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """The suite, run on every correct and every broken store."""
    return run(tmp_path_factory.mktemp("broken"))
