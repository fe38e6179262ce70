"""For authors of backends: the conformance suite and the crash checker (extra ``testing``). Never loaded by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sessionkit.testing.conformance import SessionStoreConformance

__all__ = ["SessionStoreConformance"]


def __getattr__(name: str) -> object:
    if name != "SessionStoreConformance":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sessionkit.testing.conformance import SessionStoreConformance

    return SessionStoreConformance
