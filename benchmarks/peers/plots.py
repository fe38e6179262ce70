"""The two pictures of the page."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import matplotlib as mpl
from peers.figures import DURABILITIES, Row

mpl.use("svg")
mpl.rcParams.update({"svg.hashsalt": "sessionkit", "font.size": 8})
_STYLES: Final = {"synced": "-", "server": "--", "background": "-.", "system": ":", "memory": "-.", "unknown": ":"}


def plot(rows: list[Row], name: str, lengths: list[int], title: str, path: Path) -> None:
    """Time against length, for everybody; a kind of line for each durability, ours thick."""
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(figsize=(9, 6))
    for row in rows:
        points = [(length, row.seconds(f"{name} {length}")) for length in lengths]
        known = [(length, seconds * 1e3) for length, seconds in points if seconds is not None]
        if known:
            axes.plot(
                *zip(*known, strict=True),
                label=row.title,
                linestyle=_STYLES[row.durability],
                linewidth=2.5 if row.is_ours else 1,
                marker="o" if row.is_ours else ".",
                markersize=4,
            )
    axes.set(xscale="log", yscale="log", xlabel="messages of history", ylabel="milliseconds (median)", title=title)
    axes.grid(visible=True, alpha=0.3)
    used = {row.durability for row in rows}
    kinds = ", ".join(f"{_STYLES[name]}  {text}" for name, text in DURABILITIES.items() if name in used)
    axes.text(0, -0.13, kinds, transform=axes.transAxes, fontsize=6)
    axes.legend(loc="center left", bbox_to_anchor=(1, 0.5), fontsize=7)
    figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
