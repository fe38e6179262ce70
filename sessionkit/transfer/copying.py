"""Copying sessions from one store to another: lossless, in bounded memory, and again after an interruption.

A session that fits into one batch is written in one step. A longer one grows at the target under a mark in its
metadata, :data:`UNFINISHED`, without summary and aliases; the last step puts the real metadata in the place of the
mark. So whoever looks at the target meanwhile, or after a crash, sees a session that says that it is not complete.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, TypeAlias

import attrs

from sessionkit.errors import (
    CorruptSessionError,
    InvalidKeyError,
    InvalidMessageError,
    MessageTooLargeError,
    MissingTransformError,
    VersionConflict,
)
from sessionkit.messages import Message
from sessionkit.sessions import UNCHANGED, Session, SessionInfo, Version
from sessionkit.store import SessionStore
from sessionkit.transfer.batches import read_batches
from sessionkit.transfer.comparing import count_same_messages, find_difference
from sessionkit.transfer.copy_report import Cause, CopyReport, Skipped

UNFINISHED: Final = "sessionkit.unfinished_copy"
"""The item in a session's metadata that says that its copy is not complete."""

REFUSALS: Final = (
    InvalidKeyError,
    InvalidMessageError,
    MessageTooLargeError,
    CorruptSessionError,
    MissingTransformError,
)
"""What concerns one session alone: the copy goes on with the next one."""

Progress: TypeAlias = Callable[[int], None]
"""Is told of messages that are done with: how many more."""

_ATTEMPTS: Final = 5
"""How often a session is begun anew that others change meanwhile."""

_ROUNDS: Final = 5
"""How often messages that came meanwhile are fetched."""


class _Outcome(enum.Enum):
    COPIED = enum.auto()
    RESUMED = enum.auto()
    REPLACED = enum.auto()
    ALREADY_THERE = enum.auto()


def copy_sessions(
    source: SessionStore,
    target: SessionStore,
    keys: Iterable[str] | None = None,
    *,
    replace: bool = False,
    dry_run: bool = False,
    report: CopyReport | None = None,
    progress: Progress | None = None,
) -> CopyReport:
    """Copy sessions: messages, summary, metadata, aliases and times. Each is stored durably before the next one.

    A session that exists at the target is never doubled, and never overwritten unless ``replace`` is said; one
    that is there without any content is filled. Copying again does nothing, and a copy that broke off, whatever
    ended it, is completed by running it again.

    Sessions may be written to meanwhile. What arrives at the target is each session as it was at one moment; when
    it went on after that, the report says so.

    Args:
        source: where from; nothing is written there.
        target: where to.
        keys: which sessions; all of the source when None.
        replace: whether an existing session of other content gets the source's content.
        dry_run: report what would be done, and do nothing.
        report: counts as the copy goes on; give one to know how far a copy came that raises.
        progress: is called with a number of messages whenever some are done with.

    Returns:
        The report. A session that cannot be copied is told there, and the copy goes on.

    Raises:
        StoreError: one of the storages failed. What the report counts is stored.

    >>> from sessionkit import open_store
    >>> with open_store("memory:") as source, open_store("memory:") as target:
    ...     version = source.add_message("cli:direct", "user", "hello")
    ...     copy_sessions(source, target).copied, copy_sessions(source, target).already_there
    (1, 1)
    """
    report = CopyReport() if report is None else report
    for key in _listed(source, report) if keys is None else keys:
        copy = _Copy(source, target, key, replace=replace, dry_run=dry_run, progress=progress or _nobody)
        try:
            outcome = copy.run()
        except REFUSALS as error:
            outcome = Skipped(key=key, cause=Cause.REFUSED, reason=str(error))
        if isinstance(outcome, Skipped):
            if keys is not None or outcome.cause is not Cause.MISSING:  # deleted since it was listed
                report.skipped.append(outcome)
            continue
        _count(report, copy, outcome)
    return report


def _nobody(messages: int) -> None:
    """Progress that nobody watches."""


def _listed(store: SessionStore, report: CopyReport) -> Iterator[str]:
    def tell(reason: str) -> None:
        report.skipped.append(Skipped.unreadable(reason))

    return (info.key for info in store.list_sessions(on_unreadable=tell))


def _count(report: CopyReport, copy: _Copy, outcome: _Outcome) -> None:
    if outcome is _Outcome.ALREADY_THERE:
        report.already_there += 1
        return
    report.messages += copy.count
    report.replaced += outcome is _Outcome.REPLACED
    report.copied += outcome is not _Outcome.REPLACED
    report.resumed += outcome is _Outcome.RESUMED
    if copy.outdated:
        report.changed.append(copy.key)


@attrs.define(eq=False)
class _Copy:
    """The copy of one session.

    Attributes:
        count: how many messages the session has that was copied.
        outdated: whether the session went on at the source since then.
    """

    source: SessionStore
    target: SessionStore
    key: str
    replace: bool = attrs.field(kw_only=True)
    dry_run: bool = attrs.field(kw_only=True)
    progress: Progress = attrs.field(kw_only=True)
    count: int = attrs.field(init=False, default=0)
    outdated: bool = attrs.field(init=False, default=False)
    # How this copy found the session at the target, and how it left it: its version, and how many messages it has
    # when nobody else wrote to it. Both must fit: somebody's message may be under the version of our append.
    _found: _Outcome = attrs.field(init=False, default=_Outcome.COPIED)
    _ours: tuple[Version, int] | None = attrs.field(init=False, default=None)
    _in_batches: bool = attrs.field(init=False, default=False)

    def run(self) -> _Outcome | Skipped:
        """Copy the session, and begin anew when others come between at either side."""
        for attempt in range(1, _ATTEMPTS + 1):
            session = self.source.get_session(self.key, limit=0)
            if not session.exists:
                return self._skip(Cause.MISSING, "there is no such session at the source")
            if UNFINISHED in session.metadata:
                return self._skip(Cause.UNFINISHED, "at the source it is a copy that broke off; complete it first")
            try:
                outcome = self._copy(session)
            except VersionConflict as error:
                if attempt == _ATTEMPTS:
                    return self._skip(Cause.BUSY, f"{error}; copy it when nobody writes to it")
                continue
            if isinstance(outcome, Skipped) or not self.outdated or self._in_batches or attempt == _ATTEMPTS:
                return outcome
        raise AssertionError("the last attempt returns")

    def _copy(self, session: Session) -> _Outcome | Skipped:
        there = self.target.get_session(self.key, limit=0)
        start = 0
        if there.exists and (there.version, there.count) != self._ours:
            found = self._judge(session, there)
            if isinstance(found, Skipped) or found is _Outcome.ALREADY_THERE:
                self.progress(session.count)
                return found
            self._found = found
            start = there.count if found is _Outcome.RESUMED else 0
        if self.dry_run:
            self.count = session.count
            self.progress(session.count)
        elif start:
            self._ours = there.version, start
            self.progress(start)
            self._go_on(session, start, there.generation)
        else:
            self._begin(session, there.version)
        return self._found

    def _judge(self, session: Session, there: Session) -> _Outcome | Skipped:
        """What is to be done about a session that is there."""
        if UNFINISHED in there.metadata:
            same = count_same_messages(self.source, session, self.target, there)
            if same == there.count:
                return _Outcome.RESUMED
            cause, reason = Cause.UNFINISHED, f"a copy broke off there, and message {same + 1:,} of it differs"
        else:
            reason = find_difference(self.source, session, self.target, there)
            if not reason:
                return _Outcome.ALREADY_THERE
            if _is_empty(there):
                return _Outcome.COPIED
            cause = Cause.DIFFERENT
        return _Outcome.REPLACED if self.replace else self._skip(cause, reason)

    def _begin(self, session: Session, there: Version) -> None:
        """Write a short session in one step; of a longer one the first batch, under the mark."""
        first = next(read_batches(self.source, session), [])
        whole = len(first) == session.count
        fields = _final_fields(session) if whole else _unfinished_fields(session)
        version = self.target.update_session(self.key, messages=first, if_version=there, **fields)
        self._ours = version, len(first)
        self.progress(len(first))
        if whole:
            self.target.save(self.key)
            self._settle(session)
            return
        begun = self.target.get_session(self.key, limit=0)
        if begun.version != version:
            raise self._disturbed()
        self._go_on(session, len(first), begun.generation)

    def _go_on(self, session: Session, start: int, generation: str) -> None:
        """Append the rest, with what comes meanwhile, and take off the mark."""
        self._in_batches = True
        for round_ in range(1, _ROUNDS + 1):
            for batch in read_batches(self.source, session, start):
                start += len(batch)
                self._ours = self._append(batch), start
            latest = self.source.get_session(self.key, limit=0)
            if latest.generation != session.generation:
                raise VersionConflict(f"session {self.key!r} was truncated or replaced at the source meanwhile")
            if latest.version == session.version or round_ == _ROUNDS:
                break
            session = latest
        self.target.save(self.key)
        there = self.target.get_session(self.key, limit=0)
        if (there.version, there.count) != self._ours or there.generation != generation:
            raise self._disturbed()
        self.target.update_session(self.key, if_version=there.version, **_final_fields(session))
        self.target.save(self.key)
        self._settle(session)

    def _append(self, batch: list[Message]) -> Version:
        version = self.target.add_messages(self.key, batch)
        if version is None:  # held: the store logs failed writes instead of raising
            self.target.save(self.key)
            version = self.target.get_session(self.key, limit=0).version
        self.progress(len(batch))
        return version

    def _settle(self, session: Session) -> None:
        self.count = session.count
        self.outdated = self.source.get_session(self.key, limit=0).version != session.version

    def _skip(self, cause: Cause, reason: str) -> Skipped:
        return Skipped(key=self.key, cause=cause, reason=reason)

    def _disturbed(self) -> VersionConflict:
        return VersionConflict(f"session {self.key!r} was written to at the target while it was copied")


def _is_empty(session: SessionInfo) -> bool:
    return not (session.count or session.summary or session.metadata or session.aliases)


def _final_fields(session: Session) -> dict[str, Any]:
    return {
        "summary": session.summary,
        "metadata": session.metadata,
        "aliases": session.aliases,
        "created": session.created or UNCHANGED,
        "updated": session.updated or UNCHANGED,
    }


def _unfinished_fields(session: Session) -> dict[str, Any]:
    return {"summary": "", "metadata": {UNFINISHED: {"messages": session.count}}, "aliases": ()}
