"""Counting what stands in sessions."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, date
from typing import TYPE_CHECKING, Any, Final

import attrs

from sessionkit.calls import calls_in
from sessionkit.sessions import read_time

if TYPE_CHECKING:
    from sessionkit.messages import Message
    from sessionkit.sessions import SessionInfo

_MOST_NAMES: Final = 10_000
"""How many names of roles or tools are counted apart; models write them, so that there may be any number."""

OTHERS: Final = "…"
"""What the others are counted as."""


@attrs.define
class Tally:
    """What was counted so far.

    Attributes:
        sessions: how many there are.
        messages: by role.
        calls: by the tool's name.
        bytes: of the messages, as compact JSON.
        longest: the messages of the session that has the most, and its key.
        begun: sessions by the day on which they came to be (UTC, ``2026-01-31``), of those whose day is known.
    """

    sessions: int = 0
    messages: Counter[str] = attrs.Factory(Counter)
    calls: Counter[str] = attrs.Factory(Counter)
    bytes: int = 0
    longest: tuple[int, str] = (0, "")
    begun: Counter[str] = attrs.Factory(Counter)

    def session(self, info: SessionInfo) -> None:
        """Count a session, without its messages."""
        self.sessions += 1
        self.longest = max(self.longest, (info.count, info.key))
        if (created := read_time(info.created)) is not None and created[0].year > 1:  # picoclaw's zero is no day
            self.begun[created[0].astimezone(UTC).date().isoformat()] += 1

    def message(self, message: Message) -> None:
        """Count a message."""
        _count(self.messages, message.role)
        for call in calls_in(message):
            _count(self.calls, call.name)
        self.bytes += len(message.to_json())

    def describe(self) -> dict[str, Any]:
        """All of it as a JSON object; the names that are counted most come first."""
        count, key = self.longest
        return {
            "sessions": self.sessions,
            "messages": self.messages.total(),
            "roles": dict(self.messages.most_common()),
            "tool_calls": dict(self.calls.most_common()),
            "bytes": self.bytes,
            "longest": {"key": key, "messages": count} if count else None,
            "begun": dict(sorted(self.begun.items())),
        }


def _count(counter: Counter[str], name: str) -> None:
    counter[name if name in counter or len(counter) < _MOST_NAMES else OTHERS] += 1


def grown(begun: Counter[str], steps: int) -> list[int]:
    """How many sessions there were after each of so many equal spans of time, from the first day to the last.

    >>> grown(Counter({"2026-01-01": 2, "2026-01-04": 3}), 4)
    [2, 2, 2, 5]
    """
    days = sorted((date.fromisoformat(day).toordinal(), count) for day, count in begun.items())
    if not days:
        return []
    first, span = days[0][0], days[-1][0] - days[0][0] + 1
    counts = [0] * min(steps, span)
    for day, count in days:
        counts[(day - first) * len(counts) // span] += count
    for step in range(1, len(counts)):
        counts[step] += counts[step - 1]
    return counts
