"""What a store can tell of itself, whatever its backend: writes that wait to be stored."""

from __future__ import annotations

from collections.abc import Mapping

from sessionkit.findings import Finding


def held_findings(waiting: Mapping[str, int]) -> list[Finding]:
    """What is held, if anything is.

    >>> print(*held_findings({"telegram:42": 3, "cli:direct": 1}))
    problem: held writes: 4 writes to 2 sessions wait to be stored; mend what they failed of, and call save()
    """
    if not waiting:
        return []
    sessions = "1 session" if len(waiting) == 1 else f"{len(waiting):,} sessions"
    writes = sum(waiting.values())
    found = f"1 write to {sessions} waits" if writes == 1 else f"{writes:,} writes to {sessions} wait"
    return [Finding.problem("held writes", f"{found} to be stored", "mend what they failed of, and call save()")]
