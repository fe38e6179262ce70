from __future__ import annotations

from collections.abc import Iterator

import pytest

from sessionkit.store import SessionStore

from .backends import FlakyBackend, store_on


@pytest.fixture
def backend() -> FlakyBackend:
    return FlakyBackend()


@pytest.fixture
def store(backend: FlakyBackend) -> Iterator[SessionStore]:
    store = store_on(backend)
    yield store
    backend.fail(None)
    store.close()
