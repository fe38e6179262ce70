"""What the benchmarks share: measuring several things, and printing them side by side."""

from __future__ import annotations

from collections.abc import Callable

import pyperf


class Comparison:
    """Several measurements, and what each takes on top of the first. A script makes one of these.

    The median is what a call takes here; the least value what it takes while nothing else uses the machine.

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
        done = {name: result for name, result in results.items() if result is not None}
        if len(done) < len(results):
            return
        print(f"\n{title:<38}{'median':>9} {'on top':>9} {'least':>9} {'on top':>9}  ({unit})")
        first = next(iter(done.values()))
        for name, result in done.items():
            row = []
            for typical, base in (
                (result.median(), first.median()),
                (min(result.get_values()), min(first.get_values())),
            ):
                row += [
                    f"{typical * factor:9.2f}",
                    " " * 9 if result is first else f"{(typical - base) * factor:+9.2f}",
                ]
            print(f"  {name:<36}{' '.join(row)}")
