"""The json backend keeps the contract."""

from __future__ import annotations

from pathlib import Path

import pytest

from sessionkit.testing import SessionStoreConformance


class TestJson(SessionStoreConformance):
    @pytest.fixture
    def source(self, tmp_path: Path) -> str:
        return f"json:{tmp_path}/sessions"
