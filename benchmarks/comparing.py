"""What the benchmarks share: measuring several things, and printing them side by side."""

from __future__ import annotations

from collections.abc import Callable

import pyperf


class Comparison:
    """Medians of several measurements, and what each takes on top of the first. A script makes one of these.

    pyperf runs the script again in worker processes: there a measurement has no result, and nothing is printed.
    """

    def __init__(self) -> None:
        self._runner = pyperf.Runner()

    def functions(self, title: str, measured: dict[str, Callable[[int], float]]) -> None:
        """Compare functions that take a number of loops and return the seconds that these took."""
        results = {name: self._runner.bench_time_func(f"{title}: {name}", run) for name, run in measured.items()}
        self._print(title, results, "µs", 1e6)

    def commands(self, title: str, measured: dict[str, list[str]]) -> None:
        """Compare programs, each with its arguments."""
        results = {name: self._runner.bench_command(f"{title}: {name}", command) for name, command in measured.items()}
        self._print(title, results, "ms", 1e3)

    def _print(self, title: str, results: dict[str, pyperf.Benchmark | None], unit: str, factor: float) -> None:
        if self._runner.args.worker:
            return
        medians = {name: result.median() * factor for name, result in results.items() if result is not None}
        if len(medians) < len(results):
            return
        first, *others = medians
        print(f"\n{title}, median")
        print(f"  {first:<36}{medians[first]:>12.2f} {unit}")
        for name in others:
            print(f"  {name:<36}{medians[name]:>12.2f} {unit}{medians[name] - medians[first]:>+12.2f} {unit}")
