"""Comparing two stores by content, and deleting at the source what the target holds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sessionkit.errors import UnsupportedOperationError, VersionConflict
from sessionkit.sessions import Session
from sessionkit.store import SessionStore
from sessionkit.transfer.comparing import find_difference
from sessionkit.transfer.copy_report import Cause, Skipped, VerifyReport
from sessionkit.transfer.copying import REFUSALS, UNFINISHED, Progress

_ATTEMPTS: Final = 5


def verify_sessions(
    source: SessionStore,
    target: SessionStore,
    keys: Iterable[str] | None = None,
    *,
    delete: bool = False,
    report: VerifyReport | None = None,
    progress: Progress | None = None,
) -> VerifyReport:
    """Compare sessions of two stores message by message, with their summaries, metadata and aliases.

    To verify what is stored, rather than what an open store remembers, give stores that were opened after the copy.

    Args:
        source: the store that was copied.
        target: the store that should hold the same.
        keys: which sessions; all of the source when None.
        delete: delete at the source each session that is the same on both sides, unless it was changed since it was
            compared. Where the backend cannot look and delete in one step (it was written for version 1.0 of the
            plugin API), nothing is deleted, and the report says so.
        report: counts as the comparison goes on.
        progress: is called with a number of messages whenever some are done with.

    Raises:
        StoreError: one of the storages failed.

    >>> from sessionkit import open_store
    >>> from sessionkit.transfer import copy_sessions
    >>> with open_store("memory:") as source, open_store("memory:") as target:
    ...     version = source.add_message("cli:direct", "user", "hello")
    ...     report = copy_sessions(source, target)
    ...     verify_sessions(source, target, delete=True).deleted, list(source.list_sessions())
    (1, [])
    """
    report = VerifyReport() if report is None else report
    for key in (info.key for info in source.list_sessions()) if keys is None else keys:
        try:
            found = _verify(source, target, key, delete)
        except REFUSALS as error:
            found = Skipped(key=key, cause=Cause.REFUSED, reason=str(error))
        except UnsupportedOperationError as error:
            found = Skipped(key=key, cause=Cause.KEPT, reason=f"the same on both sides, kept at the source: {error}")
        if isinstance(found, Skipped):
            report.same += found.cause is Cause.KEPT
            report.different.append(found)
            continue
        report.same += 1
        report.deleted += delete
        report.messages += found.count
        if progress is not None:
            progress(found.count)
    return report


def _verify(source: SessionStore, target: SessionStore, key: str, delete: bool) -> Session | Skipped:
    """The session, when both sides hold it alike; looked at again when somebody wrote to it meanwhile."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            session = source.get_session(key, limit=0)
            difference = _compare(source, session, target, delete)
            if difference is None and delete:
                source.delete_session(key, if_version=session.version)
        except VersionConflict as error:
            if attempt == _ATTEMPTS:
                return Skipped(key=key, cause=Cause.BUSY, reason=f"{error}; try again when nobody writes to it")
        else:
            return difference or session
    raise AssertionError("the last attempt returns")


def _compare(source: SessionStore, session: Session, target: SessionStore, delete: bool) -> Skipped | None:
    there = target.get_session(session.key, limit=0)
    if not session.exists or not there.exists:
        side = "target" if session.exists else "source"
        return _different(session, Cause.MISSING, f"there is no such session at the {side}")
    if UNFINISHED in session.metadata:
        return _different(session, Cause.UNFINISHED, "it is a copy that broke off")
    if delete and session.version == there.version:
        return _different(session, Cause.SAME_STORE, "it is the same session on both sides, so it was not deleted")
    difference = find_difference(source, session, target, there)
    return _different(session, Cause.DIFFERENT, difference) if difference else None


def _different(session: Session, cause: Cause, reason: str) -> Skipped:
    return Skipped(key=session.key, cause=cause, reason=reason)
