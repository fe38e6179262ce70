"""What became of the sessions of a copy, or of a comparison of two stores."""

from __future__ import annotations

import enum

import attrs


class Cause(enum.StrEnum):
    """Why a session was left as it was."""

    DIFFERENT = "different"
    """The target has a session of this key that holds something else."""

    UNFINISHED = "unfinished"
    """One side has a copy that broke off, and this run could not complete it."""

    MISSING = "missing"
    """There is no session of this key."""

    BUSY = "busy"
    """Somebody kept writing to it."""

    REFUSED = "refused"
    """It cannot be read at the source, or not be stored at the target."""

    UNREADABLE = "unreadable"
    """The source could not list it."""

    KEPT = "kept"
    """It is the same on both sides, and the source's backend cannot delete it on condition that it still is."""

    SAME_STORE = "same-store"
    """Source and target seem to be one storage."""


@attrs.frozen(kw_only=True)
class Skipped:
    """A session that was left as it was, and why.

    Attributes:
        key: the session; None when nobody can tell.
        cause: the kind of reason.
        reason: for people. Contents of conversations are not quoted.
    """

    key: str | None
    cause: Cause
    reason: str

    @classmethod
    def unreadable(cls, reason: str) -> Skipped:
        """One that the source could not list."""
        return cls(key=None, cause=Cause.UNREADABLE, reason=reason)

    def __str__(self) -> str:
        return self.reason if self.key is None else f"{self.key}: {self.reason}"


@attrs.define(kw_only=True)
class CopyReport:
    """What became of the sessions of a copy.

    Attributes:
        copied: sessions that were made, or filled when they were there and empty.
        resumed: of these, how many had been begun by an earlier run.
        replaced: sessions that held something else before; only when replacing was asked for.
        already_there: sessions that held exactly this before, and were left alone.
        messages: how many messages the copied and replaced sessions have.
        changed: keys of sessions that were copied as they were at one moment, and went on at the source meanwhile.
        skipped: sessions that were left as they were, and why.
    """

    copied: int = 0
    resumed: int = 0
    replaced: int = 0
    already_there: int = 0
    messages: int = 0
    changed: list[str] = attrs.Factory(list)
    skipped: list[Skipped] = attrs.Factory(list)

    @property
    def complete(self) -> bool:
        """Whether the target now holds everything that the copy was asked for."""
        return not self.changed and not self.skipped


@attrs.define(kw_only=True)
class VerifyReport:
    """What a comparison of two stores found.

    Attributes:
        same: sessions that both stores hold alike.
        deleted: of these, how many were deleted at the source; only when that was asked for.
        messages: how many messages the sessions have that are the same.
        different: sessions that are not the same, or could not be compared or deleted, and why.
    """

    same: int = 0
    deleted: int = 0
    messages: int = 0
    different: list[Skipped] = attrs.Factory(list)

    @property
    def complete(self) -> bool:
        """Whether every session is the same on both sides, and deleted if that was asked for."""
        return not self.different
