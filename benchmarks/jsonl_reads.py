"""What reading and listing take with the jsonl backend."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Self

import msgspec
from export_memory import peaks
from interleaved import computing, interleave, show, verdict
from jsonl_stores import KEY, MESSAGE, Sizes, crowded, filled, opened, real_messages


def histories(root: Path, sizes: Sizes) -> None:
    """A history that is read for the first time, and again; the time of the processor."""
    directories = {
        f"{sizes.read:,} messages of 1 KB, written {number} at once": filled(
            root / str(number), sizes.read, at_once=number
        )
        for number in (1, 50)
    }
    real = real_messages()
    if real:
        with opened(root / "real", durability="os") as store:
            store.add_messages(KEY, real)
        directories[f"{len(real):,} real messages, written at once"] = root / "real"
    for title, directory in directories.items():
        decoder = msgspec.json.Decoder()
        data = (directory / f"{KEY.replace(':', '_')}.jsonl").read_bytes()
        with opened(directory) as store, Fresh(directory) as fresh:
            contenders = {
                "msgspec decode_lines of its bytes": computing(partial(decoder.decode_lines, data)),
                "the first get_history": computing(lambda f=fresh: f.store.get_history(KEY), after=fresh.renew),  # type: ignore[misc]
                "another get_history": computing(partial(store.get_history, KEY)),
            }
            figures = interleave(contenders, rounds=sizes.rounds // 2, calls=1)
        show(f"a history of {title}", figures, unit="ms")
        decoded, first, _ = figures.values()
        verdict("of msgspec decode_lines", first.ratio(decoded), 1.6)


class Fresh:
    """A store that was just opened, as often as it is asked for."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self.store = opened(directory)

    def renew(self) -> None:
        """Open it anew."""
        self.store.close()
        self.store = opened(self._directory)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.store.close()


def ends(root: Path, sizes: Sizes) -> None:
    """The last messages of a long history."""
    with opened(filled(root, sizes.long)) as store, Fresh(root) as fresh:
        read = partial(store.get_history, KEY, 20)
        contenders = {
            "sessionkit": computing(read),
            "after an append": computing(read, after=lambda: store.add_full_message(KEY, MESSAGE)),
        }
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
        first = {"a store just opened": computing(lambda: fresh.store.get_history(KEY, 20), after=fresh.renew)}
        figures |= interleave(first, rounds=3, calls=1)
    show(f"the last 20 of {sizes.long:,} messages, computing time", figures)
    verdict("for the last 20", figures["sessionkit"].median * 1e6, 100, unit="µs")


def listing(root: Path, sizes: Sizes) -> None:
    """The first page of many sessions, and all of them: by a store that was just opened, and again."""
    crowded(root, sizes.sessions)
    with opened(root) as store, Fresh(root) as fresh:
        contenders = {
            "the first page": computing(lambda: next(iter(store.list_sessions()))),
            "the first page of a store just opened": computing(
                lambda: next(iter(fresh.store.list_sessions())), after=fresh.renew
            ),
            "all": computing(lambda: sum(1 for _ in store.list_sessions())),
        }
        figures = interleave(contenders, rounds=5, calls=1)
    show(f"a listing of {sizes.sessions:,} sessions, computing time", figures, unit="ms")
    for name in list(contenders)[:2]:
        verdict(f"for {name}", figures[name].median * 1e3, 20, unit="ms")


def exporting(root: Path, sizes: Sizes) -> None:
    """The most memory that a process has which exports one long session."""
    directory = filled(root, sizes.export_mb * 1000)
    print(f"\nthe memory of exporting a session of {sizes.export_mb:,} MB")
    for way, peak in peaks(directory, KEY):
        verdict(way, peak, 100, unit="MB")
