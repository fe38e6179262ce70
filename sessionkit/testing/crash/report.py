"""What a check of crashes found."""

from __future__ import annotations

import attrs

_SHOWN = 5


@attrs.frozen(kw_only=True)
class Violation:
    """A power cut after which the store does not keep its promise.

    Attributes:
        operation: the operation that was running.
        moment: how far it had come.
        lost: what of its calls is not on disk.
        files: what is on disk.
        expected: what should have been seen.
        found: what was.
        earlier: the power cut before, when this one happened during the recovery from another.
    """

    operation: str
    moment: str
    lost: tuple[str, ...]
    files: str
    expected: str
    found: str
    earlier: str = ""

    def __str__(self) -> str:
        lines = [
            f"{self.earlier}; then, in the recovery, {self.operation}" if self.earlier else self.operation,
            f"  the power is cut {self.moment}",
            f"  not on disk: {'; '.join(self.lost) or 'nothing is lost'}",
            f"  what is there: {self.files}",
            f"  expected: {self.expected}",
            f"  found: {self.found}",
        ]
        return "\n".join(lines)


@attrs.frozen(kw_only=True)
class Report:
    """The result of a check.

    Attributes:
        calls: how many calls that change something the operations made.
        states: how many different states a power cut may leave after one of them; each was opened.
        second_states: how many may be left by a second cut, while one of those was being recovered from.
        violations: what is wrong; one for each moment and finding, however many states show it.
    """

    calls: int
    states: int
    second_states: int
    violations: tuple[Violation, ...]

    def __str__(self) -> str:
        head = (
            f"{self.calls} calls, {self.states} states after a power cut, {self.second_states} after a second one: "
            f"{len(self.violations) or 'no'} violation{'' if len(self.violations) == 1 else 's'}"
        )
        more = len(self.violations) - _SHOWN
        parts = [head, *map(str, self.violations[:_SHOWN]), *([f"and {more} more"] if more > 0 else [])]
        return "\n\n".join(parts)
