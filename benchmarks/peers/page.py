"""The page that tells what a run found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from peers.figures import DURABILITIES, Row, beaten, best_of_ours, groups, rows
from peers.prose import HOW, INTRODUCTION
from peers.reasons import reason

TIMES: Final = "\u00d7"
NOTHING: Final = "\u2013"

WRITING: Final = {
    "replay": "replay, a message",
    "append 10": "append at 10",
    "append 100": "at 100",
    "append 1000": "at 1,000",
    "append 10000": "at 10,000",
    "turn 10": "turn at 10",
    "turn 10000": "turn at 10,000",
}
READING: Final = {
    "read 100": "read 100",
    "read 1000": "1,000",
    "read 10000": "10,000",
    "last 10000": "last 20 of 10,000",
    "opening": "first open and read",
    "reopen": "new process",
}
AT_ONCE: Final = {"threads": "8 threads", "processes": "4 processes", "one session": "4 processes, one session"}


def write(results: Mapping[str, Any], directory: Path) -> None:
    """Write the page and its pictures into a directory."""
    from peers.plots import plot

    directory.mkdir(parents=True, exist_ok=True)
    found = rows(results)
    (directory / "peers.md").write_text(text(results), encoding="utf-8")
    lengths = sorted(
        {int(name.split()[1]) for row in found for name in row.result["cells"] if name.startswith("read ")}
    )
    plot(found, "append", lengths, "An append against the length of the history", directory / "peers-append.svg")
    plot(found, "read", lengths, "Reading a whole history against its length", directory / "peers-read.svg")


def text(results: Mapping[str, Any]) -> str:
    """The page."""
    found = rows(results)
    parts = [
        INTRODUCTION,
        *_table("Writing", "Milliseconds, medians.", found, WRITING),
        "![An append against the length of the history](peers-append.svg)\n",
        *_table("Reading", "Milliseconds, medians.", found, READING),
        "![Reading a whole history against its length](peers-read.svg)\n",
        *_table("Several at once", "Milliseconds for one message, whoever appends it.", found, AT_ONCE),
        *_kept(found),
        *_beaten(found),
        *_missing(found),
        *_spreads(found),
        HOW,
        *_versions(results, found),
    ]
    return "\n".join(parts)


def _table(title: str, unit: str, found: list[Row], columns: Mapping[str, str]) -> Iterator[str]:
    yield f"## {title}\n\n{unit} In brackets: how many times what sessionkit takes at the same durability.\n"
    yield f"| | {' | '.join(columns.values())} |\n|---|{'---:|' * len(columns)}"
    for durability, group in groups(found):
        yield f"| *{DURABILITIES[durability]}* |{' |' * len(columns)}"
        for row in group:
            cells = (_time(row, group, name) for name in columns)
            yield f"| {_name(row)} | {' | '.join(cells)} |"
    yield ""


def _name(row: Row) -> str:
    return f"**{row.title}**" if row.is_ours else row.title


def _time(row: Row, group: list[Row], name: str) -> str:
    seconds = row.seconds(name)
    if seconds is None:
        return NOTHING
    ours = best_of_ours(group, name)
    ratio = "" if ours is None or ours is row else f" ({_digits(seconds / (ours.seconds(name) or seconds))} {TIMES})"
    return f"{milliseconds(seconds)}{ratio}"


def milliseconds(seconds: float) -> str:
    """In milliseconds, with three digits that count."""
    value = seconds * 1e3
    if value < 0.01:
        return f"{value:.5f}"
    return f"{value:.3f}" if value < 1 else f"{value:.2f}" if value < 10 else f"{value:,.0f}"


def _digits(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 0.95 else f"{ratio:.2g}"


def _kept(found: list[Row]) -> Iterator[str]:
    yield (
        "## What was kept\n\nSyncs are those of one append, as strace counted them. Lost: messages that did not come "
        "back in their place with role, text and tool calls; at once: those that were acknowledged and are not there. "
        "Errors: appends that raised something. Size: how many times that of the messages on disk, or in the server.\n"
    )
    yield "| | durability | syncs | lost | lost by threads | by processes | in one session | errors | size |"
    yield "|---|---|---|---:|---:|---:|---:|---|---:|"
    for row in found:
        if not row.result["cells"]:
            continue
        lost, written = row.lost()
        names = row.result.get("syncs") or {}
        syncs = ", ".join(f"{count:g} {name}" for name, count in names.items()) or "none"
        if row.result.get("syncs") is None:
            syncs = "not counted"
        gone = " | ".join(_gone(row.cell(name)) for name in AT_ONCE)
        yield (
            f"| {_name(row)} | {DURABILITIES[row.durability]} | {syncs} | {lost} of {written:,} | {gone} "
            f"| {_errors(row)} | {_size(row)} |"
        )
    yield ""


def _gone(cell: Mapping[str, Any]) -> str:
    if "kept" not in cell:
        return NOTHING
    return f"{max(0, cell['acknowledged'] - cell['kept'])} of {cell['acknowledged']}"


def _errors(row: Row) -> str:
    cells = [row.cell(name) for name in AT_ONCE]
    total = sum(cell.get("errors", 0) for cell in cells)
    names = sorted({cell["error"] for cell in cells if "error" in cell})
    return f"{total}: {', '.join(names)}" if names else "0"


def _size(row: Row) -> str:
    cell = row.cell("replay")
    return f"{cell['taken'] / cell['bytes']:.1f} {TIMES}" if cell.get("taken") and cell.get("bytes") else NOTHING


def _beaten(found: list[Row]) -> Iterator[str]:
    yield "## Where sessionkit is not first at equal durability\n"
    lines = [
        f"- {label}, {DURABILITIES[durability]}: {first.title} takes {milliseconds(first.seconds(name) or 0)} ms, "
        f"{ours.title} {milliseconds(ours.seconds(name) or 0)} ms. Why: {reason(durability, name.split(' 1')[0])}."
        for name, label in _labels().items()
        for durability, ours, first in beaten(found, name)
    ]
    yield "\n".join(lines) if lines else "Nowhere, in this run."
    yield ""


def _labels() -> dict[str, str]:
    works = {**WRITING, **READING, **AT_ONCE}
    return {
        name: label if not label[0].isdigit() or name in AT_ONCE else f"read {label}" for name, label in works.items()
    }


def _missing(found: list[Row]) -> Iterator[str]:
    lines = []
    for row in found:
        if "failed" in row.result:
            lines.append(f"- {row.title}: {row.result['failed']}")
        lines += [
            f"- {row.title}, {name}: {cell['skipped']}"
            for name, cell in row.result["cells"].items()
            if "skipped" in cell
        ]
        replayed = row.cell("replay")
        if replayed and len(replayed["seconds"]) < replayed["asked"]:
            done = f"{len(replayed['seconds'])} of {replayed['asked']}"
            lines.append(f"- {row.title}: {done} conversations were replayed in its time")
    if lines:
        yield "## What was not done, and why\n"
        yield "\n".join(lines) + "\n"


def _spreads(found: list[Row]) -> Iterator[str]:
    names = [name for name in {**WRITING, **READING} if any(row.spread(name) for row in found)]
    yield "## Spread\n\nThe quartiles, in milliseconds, and of how many repetitions.\n"
    yield f"| | {' | '.join(_labels()[name] for name in names)} |\n|---|{'---|' * len(names)}"
    for row in found:
        if row.result["cells"]:
            yield f"| {row.title} | {' | '.join(_spread(row, name) for name in names)} |"
    yield ""


def _spread(row: Row, name: str) -> str:
    spread = row.spread(name)
    if spread is None:
        return NOTHING
    return f"{milliseconds(spread[0])} to {milliseconds(spread[1])} ({len(row.cell(name)['seconds'])})"


def _versions(results: Mapping[str, Any], found: Sequence[Row]) -> Iterator[str]:
    machine = results["machine"]
    floors = sorted(row.result["floor"][0] for row in found if row.result.get("floor"))
    replayed = next((row.cell("replay") for row in found if row.cell("replay")), {})
    yield "## This run\n"
    yield (
        f"{results['when']} UTC, sizes `{results['size']}`, on {machine['cores']} cores of {machine['system']}; "
        f"{machine['server']}. The conversations were {replayed.get('source', 'none')} ones."
    )
    if floors:
        yield (
            "A bare write and sync, measured before each contender, took from "
            f"{milliseconds(floors[0])} to {milliseconds(floors[-1])} ms: where these differ much, so do the figures "
            "of what syncs, whoever it is."
        )
    yield ""
    for name, told in results["versions"].items():
        yield f"- {name}: {', '.join(f'{package} {version}' for package, version in told.items())}"
    yield ""
