"""Import: conversations into a store, each in one atomic step, and none of them twice."""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Iterable

import attrs

from sessionkit.errors import (
    CorruptSessionError,
    InvalidKeyError,
    InvalidMessageError,
    MessageTooLargeError,
    VersionConflict,
)
from sessionkit.sessions import ABSENT, UNCHANGED, Version
from sessionkit.store import SessionStore
from sessionkit.transfer.documents import SessionDocument
from sessionkit.transfer.reading import Placed, Unreadable

_REFUSALS = (InvalidKeyError, InvalidMessageError, MessageTooLargeError, CorruptSessionError, VersionConflict)
"""What concerns one session alone: the import goes on with the next one."""

_ATTEMPTS = 5


class _Outcome(enum.Enum):
    IMPORTED = enum.auto()
    REPLACED = enum.auto()
    ALREADY_THERE = enum.auto()
    DIFFERENT = enum.auto()


@attrs.define(kw_only=True)
class TransferReport:
    """What became of the conversations of an import.

    Attributes:
        imported: sessions that were made.
        replaced: sessions that held something else before; only when replacing was asked for.
        already_there: sessions that held exactly this before, and were left alone.
        messages: how many messages the imported and replaced sessions have.
        different: keys of sessions that exist with other content, and were left alone.
        unreadable: conversations that could not be read or stored, and why.
        damaged: places that conversations which could be read were read without, and why.
        unknown_fields: fields of conversations that no session has, which were not imported: name → how often.
    """

    imported: int = 0
    replaced: int = 0
    already_there: int = 0
    messages: int = 0
    different: list[str] = attrs.Factory(list)
    unreadable: list[Unreadable] = attrs.Factory(list)
    damaged: list[Unreadable] = attrs.Factory(list)
    unknown_fields: Counter[str] = attrs.Factory(Counter)

    @property
    def complete(self) -> bool:
        """Whether the store now holds everything that the import was given."""
        return not self.different and not self.unreadable and not self.damaged

    def _count(self, placed: Placed, outcome: _Outcome) -> None:
        document = placed.document
        self.damaged.extend(map(placed.refused, placed.damage))
        self.unknown_fields.update(document.unknown_fields)
        if outcome is _Outcome.DIFFERENT:
            self.different.append(document.key)
        elif outcome is _Outcome.ALREADY_THERE:
            self.already_there += 1
        else:
            self.messages += len(document.messages)
            self.imported += outcome is _Outcome.IMPORTED
            self.replaced += outcome is _Outcome.REPLACED


def import_sessions(
    store: SessionStore,
    documents: Iterable[Placed | Unreadable],
    *,
    replace: bool = False,
    report: TransferReport | None = None,
) -> TransferReport:
    """Import conversations. Each becomes a session in one step, and is stored durably before the next one.

    A session that exists is never doubled, and never overwritten unless ``replace`` is said: importing the
    same file again does nothing, and an import that broke off is completed by running it again.

    Args:
        store: where to.
        documents: what :func:`read_documents` reads.
        replace: whether an existing session of other content gets the document's content.
        report: counts as the import goes on; give one to know how far an import came that raises.

    Returns:
        The report. A conversation that cannot be read or stored is told there, and the import goes on.

    Raises:
        StoreError: the storage failed; what the report counts is stored.
    """
    report = TransferReport() if report is None else report
    for placed in documents:
        if isinstance(placed, Unreadable):
            report.unreadable.append(placed)
            continue
        try:
            outcome = _put(store, placed.document, replace)
            if outcome in {_Outcome.IMPORTED, _Outcome.REPLACED}:
                store.save(placed.document.key)
        except _REFUSALS as error:
            report.unreadable.append(placed.refused(str(error)))
        else:
            report._count(placed, outcome)
    return report


def _put(store: SessionStore, document: SessionDocument, replace: bool) -> _Outcome:
    for _ in range(_ATTEMPTS):
        try:
            _write(store, document, ABSENT)
        except VersionConflict:
            session = store.get_session(document.key)
        else:
            return _Outcome.IMPORTED
        if not session.exists:
            continue  # deleted since the attempt
        if document.same_content(session):
            return _Outcome.ALREADY_THERE
        if not replace:
            return _Outcome.DIFFERENT
        try:
            _write(store, document, session.version)
        except VersionConflict:
            continue  # somebody writes to it at this moment: look again
        return _Outcome.REPLACED
    raise VersionConflict(f"session {document.key!r} keeps changing; import it when nobody writes to it")


def _write(store: SessionStore, document: SessionDocument, if_version: Version) -> None:
    store.update_session(
        document.key,
        messages=document.messages,
        summary=document.summary,
        metadata=document.metadata,
        aliases=document.aliases,
        created=document.created or UNCHANGED,
        updated=document.updated or UNCHANGED,
        if_version=if_version,
    )
