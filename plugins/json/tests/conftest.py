from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

import pytest
from sessionkit_json import SessionManager

Reopen: TypeAlias = Callable[[], SessionManager]


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "sessions"


@pytest.fixture
def manager(directory: Path) -> SessionManager:
    return SessionManager(directory)


@pytest.fixture
def reopen(directory: Path) -> Reopen:
    """Open the directory as another process would: with nothing in memory."""
    return lambda: SessionManager(directory)
