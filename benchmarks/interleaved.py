"""Measuring several things in turns, so that whatever else the machine does meets all of them alike."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from statistics import median
from time import perf_counter, thread_time
from typing import TypeAlias

import attrs

Contender: TypeAlias = Callable[[int], Sequence[float]]
"""Makes a number of calls, and answers with the seconds of each (or with their mean, when they run side by side)."""


@attrs.frozen
class Figures:
    """What one contender took, in seconds a call."""

    name: str
    values: tuple[float, ...] = attrs.field(repr=False)

    @property
    def median(self) -> float:
        """What a call takes here."""
        return median(self.values)

    @property
    def least(self) -> float:
        """What a call takes while nothing else uses the machine."""
        return min(self.values)

    def ratio(self, other: Figures) -> float:
        """How many times the other's median this one's is."""
        return self.median / other.median


def interleave(contenders: Mapping[str, Contender], *, rounds: int, calls: int) -> dict[str, Figures]:
    """Let each contender make some calls, then each again; every other round in the opposite order."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    for contender in contenders.values():
        contender(1)  # files are opened, and what was written before is settled
    for number in range(rounds):
        for name in list(contenders)[:: -1 if number % 2 else 1]:
            values[name] += contenders[name](calls)
    return {name: Figures(name, tuple(taken)) for name, taken in values.items()}


def timed(call: Callable[[], object], *, after: Callable[[], object] = lambda: None) -> Contender:
    """A contender that makes the same call again and again, each time (and not timed) after another one."""
    return _timed(call, after, perf_counter)


def computing(call: Callable[[], object], *, after: Callable[[], object] = lambda: None) -> Contender:
    """The same for a call that waits for nothing: its seconds of a processor, whoever else uses it meanwhile."""
    return _timed(call, after, thread_time)


def _timed(call: Callable[[], object], after: Callable[[], object], clock: Callable[[], float]) -> Contender:
    def run(calls: int) -> list[float]:
        taken = []
        for _ in range(calls):
            after()
            begin = clock()
            call()
            taken.append(clock() - begin)
        return taken

    return run


def show(title: str, figures: Mapping[str, Figures], *, unit: str = "µs") -> None:
    """Print a table: each contender, and how it compares to the first."""
    factor = {"µs": 1e6, "ms": 1e3}[unit]
    first = next(iter(figures.values()))
    print(f"\n{title:<58}{'median':>10}{'ratio':>8}{'least':>10}{'ratio':>8}  ({unit})")
    for one in figures.values():
        print(
            f"  {one.name:<56}{one.median * factor:10.2f}{one.median / first.median:8.2f}"
            f"{one.least * factor:10.2f}{one.least / first.least:8.2f}"
        )


def verdict(text: str, value: float, limit: float, *, at_least: bool = False, unit: str = "times") -> None:
    """Print whether a target is met."""
    met = value >= limit if at_least else value <= limit
    sign = "≥" if at_least else "≤"
    print(f"  {'met   ' if met else 'MISSED'} {text}: {value:.2f} {unit} (target {sign} {limit:g} {unit})")
