"""The memory backend keeps the contract."""

from __future__ import annotations

import pytest

from sessionkit.testing import SessionStoreConformance


class TestMemory(SessionStoreConformance):
    @pytest.fixture
    def source(self) -> str:
        return "memory:"
