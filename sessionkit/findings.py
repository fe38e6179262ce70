"""``Finding``: one thing that somebody looked at to learn in what state a store is, and what is to be done."""

from __future__ import annotations

import enum
from typing import Self

import attrs


class Level(enum.StrEnum):
    """How a finding is to be taken."""

    OK = "ok"
    """As it should be."""

    UNKNOWN = "unknown"
    """Nobody could tell: it may not be asked, or this system does not say."""

    WARNING = "warning"
    """It works, and something should be changed."""

    PROBLEM = "problem"
    """Something does not work, or conversations are in danger."""


@attrs.frozen(kw_only=True)
class Finding:
    """What was found, and what to do. It holds no secrets and nothing of a conversation.

    Attributes:
        level: how it is to be taken.
        check: what was looked at, in a few words that stay the same, such as ``free space``.
        found: what was found, in a sentence without a full stop.
        advice: what to do; a warning and a problem always have one.

    >>> print(Finding.warning("free space", "the disk has 40 MB left", "remove what is not needed"))
    warning: free space: the disk has 40 MB left; remove what is not needed
    """

    level: Level
    check: str
    found: str
    advice: str = attrs.field(default="")

    @advice.validator
    def _check_advice(self, attribute: object, value: str) -> None:
        if not value and self.level in (Level.WARNING, Level.PROBLEM):
            raise ValueError(f"the finding {self.check!r} is a {self.level} and does not say what to do")

    @classmethod
    def ok(cls, check: str, found: str) -> Self:
        """Something is as it should be."""
        return cls(level=Level.OK, check=check, found=found)

    @classmethod
    def unknown(cls, check: str, found: str, advice: str = "") -> Self:
        """Something could not be told; ``found`` says why."""
        return cls(level=Level.UNKNOWN, check=check, found=found, advice=advice)

    @classmethod
    def warning(cls, check: str, found: str, advice: str) -> Self:
        """Something should be changed."""
        return cls(level=Level.WARNING, check=check, found=found, advice=advice)

    @classmethod
    def problem(cls, check: str, found: str, advice: str) -> Self:
        """Something does not work, or will lose conversations."""
        return cls(level=Level.PROBLEM, check=check, found=found, advice=advice)

    def __str__(self) -> str:
        return f"{self.level}: {self.check}: {self.found}" + (f"; {self.advice}" if self.advice else "")
