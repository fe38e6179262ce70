"""What reading and listing take with the jsonl backend."""

from __future__ import annotations

from pathlib import Path
from statistics import median
from time import perf_counter

import msgspec
from export_memory import peaks
from interleaved import Contender, interleave, show, timed, verdict
from jsonl_stores import KEY, MESSAGE, OURS, Sizes, filled, opened, real_messages

from sessionkit import SessionStore


def histories(root: Path, sizes: Sizes) -> None:
    """A history that is read for the first time, and again."""
    lengths = {f"{sizes.read:,} messages of 1 KB": filled(root / "read", sizes.read)}
    real = real_messages()
    if real:
        with opened(root / "real", durability="os") as store:
            store.add_messages(KEY, real)
        lengths[f"{len(real):,} real messages"] = root / "real"
    for title, directory in lengths.items():
        data = (directory / f"{KEY.replace(':', '_')}.jsonl").read_bytes()
        with opened(directory) as store:
            store.get_history(KEY)
            contenders = {
                "msgspec decode_lines of its bytes": decoding(data),
                "the first get_history": first_reading(directory),
                "another get_history": timed(lambda store=store: store.get_history(KEY)),  # type: ignore[misc]
            }
            figures = interleave(contenders, rounds=sizes.rounds // 2, calls=1)
        show(f"a history of {title}", figures, unit="ms")
        decoded, first, _ = figures.values()
        verdict("of msgspec decode_lines", first.ratio(decoded), 1.6)


def decoding(data: bytes) -> Contender:
    """Decodes lines to dicts."""
    decoder = msgspec.json.Decoder()
    return timed(lambda: decoder.decode_lines(data))


def first_reading(directory: Path) -> Contender:
    """Reads a history in a store that was just opened."""

    def run(calls: int) -> list[float]:
        taken = []
        for _ in range(calls):
            with opened(directory) as store:
                begin = perf_counter()
                store.get_history(KEY)
                taken.append(perf_counter() - begin)
        return taken

    return run


def ends(root: Path, sizes: Sizes) -> None:
    """The last messages of a long history."""
    title = f"the last 20 of {sizes.long:,} messages"
    with opened(filled(root, sizes.long)) as store:
        begin = perf_counter()
        store.get_history(KEY, 20)
        first = perf_counter() - begin
        contenders = {OURS: timed(lambda: store.get_history(KEY, 20)), "after an append": after_an_append(store)}
        figures = interleave(contenders, rounds=sizes.rounds, calls=5)
    show(title, figures)
    print(f"  {'the first look of a store':<56}{first * 1e6:10.2f}")
    verdict("for the last 20", figures[OURS].median * 1e6, 100, unit="µs")


def after_an_append(store: SessionStore) -> Contender:
    """Reads the end of a history that has just become longer."""

    def run(calls: int) -> list[float]:
        taken = []
        for _ in range(calls):
            store.add_full_message(KEY, MESSAGE)
            begin = perf_counter()
            store.get_history(KEY, 20)
            taken.append(perf_counter() - begin)
        return taken

    return run


def listing(root: Path, sizes: Sizes) -> None:
    """The first page of many sessions, and all of them: by a store that was just opened, and again."""
    with opened(root, durability="os") as store:
        for number in range(sizes.sessions):
            store.add_message(f"telegram:{number}", "user", "hello")
    fresh = []
    for _ in range(3):
        with opened(root) as store:
            begin = perf_counter()
            next(iter(store.list_sessions()))
            fresh.append(perf_counter() - begin)
    with opened(root) as store:
        contenders = {
            "the first page": timed(lambda: next(iter(store.list_sessions()))),
            "all": timed(lambda: sum(1 for _ in store.list_sessions())),
        }
        figures = interleave(contenders, rounds=5, calls=1)
    show(f"a listing of {sizes.sessions:,} sessions", figures, unit="ms")
    print(f"  {'the first page, the store just opened':<56}{median(fresh) * 1e3:10.2f}{min(fresh) * 1e3:18.2f}")
    verdict("for the first page", figures["the first page"].median * 1e3, 20, unit="ms")
    verdict("for the first page, the store just opened", median(fresh) * 1e3, 20, unit="ms")


def exporting(root: Path, sizes: Sizes) -> None:
    """The most memory that a process has which exports one long session."""
    directory = filled(root, sizes.export_mb * 1000)
    print(f"\nthe memory of exporting a session of {sizes.export_mb:,} MB")
    for way, peak in peaks(directory, KEY):
        verdict(way, peak, 100, unit="MB")
