"""What the results say: medians, spreads, the durability that was counted, and who is first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median, quantiles
from typing import Any, Final

DURABILITIES: Final = {
    "synced": "synced to disk before an append returns",
    "server": "synced by the server before it answers",
    "background": "synced in the background",
    "system": "written, and left to the operating system",
    "memory": "kept in memory",
    "unknown": "not counted",
}
_ENOUGH: Final = 0.9
"""Syncs for an append from which it counts as synced: those of a server may serve two appends."""


@dataclass(frozen=True)
class Row:
    """What one contender did."""

    title: str
    result: Mapping[str, Any]

    @property
    def is_ours(self) -> bool:
        """Whether it is sessionkit."""
        return str(self.result["adapter"]).startswith("sessionkit:")

    @property
    def syncs(self) -> float | None:
        """Syncs for each append."""
        counted = self.result.get("syncs")
        return None if counted is None else sum(counted.values())

    @property
    def durability(self) -> str:
        """One of `DURABILITIES`."""
        if self.result["where"] == "memory":
            return "memory"
        if self.result["adapter"] == "sessionkit:jsonl-interval":
            return "background"
        if self.syncs is None:
            return "unknown"
        if self.syncs < _ENOUGH:
            return "system"
        return "server" if self.result["where"] == "server" else "synced"

    def cell(self, name: str) -> Mapping[str, Any]:
        """What is noted of a piece of work; empty when it was not done."""
        found: Mapping[str, Any] = self.result["cells"].get(name, {})
        return found

    def seconds(self, name: str) -> float | None:
        """The median of a piece of work."""
        values = self.cell(name).get("seconds")
        return median(values) if values else None

    def spread(self, name: str) -> tuple[float, float] | None:
        """The quartiles."""
        values = self.cell(name).get("seconds") or []
        if len(values) < 2:
            return None
        first, _, third = quantiles(values, n=4, method="inclusive")
        return first, third

    def lost(self) -> tuple[int, int]:
        """Messages gone or changed, and all of them, in what was done by one at a time."""
        cells = [cell for cell in self.result["cells"].values() if "written" in cell]
        written = sum(cell["written"] for cell in cells)
        return written - sum(cell["equal"] for cell in cells), written


def rows(results: Mapping[str, Any]) -> list[Row]:
    """Everybody, in the order of durability."""
    found = [Row(title, result) for title, result in results["contenders"].items()]
    order = list(DURABILITIES)
    return sorted(found, key=lambda row: order.index(row.durability))


def groups(found: list[Row]) -> Iterator[tuple[str, list[Row]]]:
    """Those of equal durability, with results."""
    for durability in DURABILITIES:
        group = [row for row in found if row.durability == durability and row.result["cells"]]
        if group:
            yield durability, group


def best_of_ours(group: list[Row], name: str) -> Row | None:
    """The fastest sessionkit of a group."""
    ours = [row for row in group if row.is_ours and row.seconds(name)]
    return min(ours, key=lambda row: row.seconds(name) or 0, default=None)


def beaten(found: list[Row], name: str) -> Iterator[tuple[str, Row, Row]]:
    """Where sessionkit is not first among equals: the durability, the best of ours, and the first."""
    for durability, group in groups(found):
        ours = best_of_ours(group, name)
        done = [row for row in group if row.seconds(name)]
        if ours is None or not done:
            continue
        first = min(done, key=lambda row: row.seconds(name) or 0)
        if not first.is_ours:
            yield durability, ours, first
