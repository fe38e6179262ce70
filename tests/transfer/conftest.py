from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessionkit import SessionStore, open_store


@pytest.fixture
def source() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        yield opened


@pytest.fixture
def target() -> Iterator[SessionStore]:
    with open_store("memory:", on_write_error="raise") as opened:
        yield opened
