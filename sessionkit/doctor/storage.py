"""The storage itself: opened, asked how it is, and listed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from typing import Final

from sessionkit.config import Configuration
from sessionkit.errors import SessionKitError
from sessionkit.findings import Finding
from sessionkit.store import SessionStore
from sessionkit.store.opening import open_configured

_LISTED: Final = 100
"""So many sessions are asked for, to see that a listing works."""


def check_storage(configuration: Configuration | None) -> Iterator[Finding]:
    """In what state the configured storage is. None: there is no usable configuration."""
    if configuration is None:
        yield Finding.unknown("opening", "which store it is, is not known before the configuration is corrected")
        return
    try:
        store = open_configured(configuration)
    except (SessionKitError, OSError) as error:
        yield Finding.problem("opening", str(error), "mend the cause and ask again; nothing of the storage was changed")
        return
    with closing(store):
        yield Finding.ok("opening", f"the {configuration.backend.value} store opens")
        yield from _diagnosis(store, configuration.backend.value)
        yield from _listing(store)


def _diagnosis(store: SessionStore, backend: str) -> Iterator[Finding]:
    try:
        findings = store.diagnose()
    except (SessionKitError, OSError) as error:
        yield Finding.problem("storage", str(error), "mend the cause and ask again")
        return
    if not findings:
        yield Finding.unknown("storage", f"the backend {backend} has no way to examine its storage")
    yield from findings


def _listing(store: SessionStore) -> Iterator[Finding]:
    unreadable: list[str] = []
    try:
        count = sum(1 for _ in islice(store.list_sessions(on_unreadable=unreadable.append), _LISTED))
    except (SessionKitError, OSError) as error:
        yield Finding.problem("listing", str(error), "mend the cause and ask again")
        return
    sessions = "there is 1 session" if count == 1 else f"there are {count} sessions"
    yield Finding.ok("listing", f"{sessions}{' at least' if count == _LISTED else ''}")
    if unreadable:
        more = f" and {len(unreadable) - 1:,} more" if len(unreadable) > 1 else ""
        yield Finding.problem(
            "unreadable sessions",
            f"{unreadable[0]}{more}",
            "see them all with sessionkit verify, and mend them with sessionkit repair",
        )
