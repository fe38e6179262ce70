"""Stores that do harm, or talk too much, when they are asked how they are."""

from __future__ import annotations

from collections.abc import Sequence

from sessionkit.findings import Finding
from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message

from .registry import caught_by
from .sqlite import SqliteStore
from .stores import MemoryStore


@caught_by("test_a_diagnosis_leaves_everything_as_it_is")
class LeavesItsProbe(MemoryStore):
    """Writes a session to see whether that works, and leaves it there."""

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        self.add("probe", [Message.simple("user", "probe")])
        return [Finding.ok("writing", "a session can be written")]


@caught_by("test_a_diagnosis_leaves_everything_as_it_is")
class RenewsVersions(MemoryStore):
    """Writes every session once more, so that its version is another one."""

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        for key in list(self._states):
            with self.writing(key) as state:
                self.touch(state)
        return []


@caught_by("test_a_diagnosis_tells_no_contents_and_no_secrets")
class QuotesTheLastMessage(MemoryStore):
    """Shows what was written last."""

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        return [Finding.ok("last write", state.messages[-1].text) for state in self._states.values() if state.messages]


@caught_by("test_a_diagnosis_tells_no_contents_and_no_secrets")
class TellsItsPassword(SqliteStore):
    """Shows with which options it was opened, the secret ones too."""

    def __init__(self, options: object) -> None:
        super().__init__(options)
        self._password = getattr(options, "password", "")

    @hookimpl
    def sessionkit_diagnose(self) -> Sequence[Finding]:
        return [Finding.ok("connection", f"opened with {self._password}")]
