"""The states that a power cut may leave of a disk, whatever the file system.

What is synced is there. Of what is not, any part may be: a file's pending changes up to any one of them, the last
of them torn, zeros where the data should be, a later change without an earlier one; and the entries of
directories as any subset of the pending changes. Real file systems leave fewer; no two leave the same.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeVar

import attrs

from sessionkit.testing.crash.calls import ROOT, DataCall, Renamed, Wrote
from sessionkit.testing.crash.disk import Disk, State, Tree

_Item = TypeVar("_Item")

SECTOR: Final = 512
"""What a disk writes in one piece, in bytes."""

_SUBSETS_OF: Final = 6
"""Up to so many pending changes of entries, every subset is tried."""

_PRODUCT: Final = 300
"""Up to so many combinations of what became of each file, every one is tried."""

_EDGES: Final = 3
"""Of many places to tear a write at, so many at each end are tried."""


@attrs.frozen
class Remains:
    """What a power cut left.

    Attributes:
        state: all of it.
        lost: what is not on disk as it was asked for, for people.
    """

    state: State
    lost: tuple[str, ...]


def remains(disk: Disk) -> Iterator[Remains]:
    """Every state that a power cut may leave now; some of them alike."""
    contents = {number: content_variants(disk.contents[number], calls) for number, calls in disk.writes.items()}
    for tree, lost in tree_variants(disk.tree, disk.renames):
        reachable = _reachable(tree)
        for chosen in _combinations({number: found for number, found in contents.items() if number in reachable}):
            changed = {number: content for number, (content, _) in chosen.items()}
            what = (*lost, *(text for _, text in chosen.values() if text))
            yield Remains(State.of(tree, {**disk.contents, **changed}), what)


def _reachable(tree: Tree) -> set[int]:
    found = {ROOT}
    waiting = [ROOT]
    while waiting:
        for number in tree[waiting.pop()].values():
            found.add(number)
            if number in tree:
                waiting.append(number)
    return found


def _combinations(contents: Mapping[int, Mapping[bytes, str]]) -> Iterator[dict[int, tuple[bytes, str]]]:
    """One variant for each file: every combination.

    When there are too many: of each file every variant, while all others have lost nothing, or everything.
    """
    numbers = list(contents)
    size = 1
    for found in contents.values():
        size *= len(found)
    if size <= _PRODUCT:
        for chosen in itertools.product(*(found.items() for found in contents.values())):
            yield dict(zip(numbers, chosen, strict=True))
        return
    # The first variant is that nothing is lost, the second that all is.
    few = {number: list(found.items())[:2] for number, found in contents.items()}
    yield from (
        dict(zip(numbers, chosen, strict=True))
        for chosen in itertools.islice(itertools.product(*few.values()), _PRODUCT)
    )
    for rest in (
        {number: found[0] for number, found in few.items()},
        {number: found[-1] for number, found in few.items()},
    ):
        for number in numbers:
            for item in contents[number].items():
                yield {**rest, number: item}


def tree_variants(tree: Tree, pending: Sequence[Renamed]) -> Iterator[tuple[Tree, tuple[str, ...]]]:
    """The trees that pending changes of entries may leave, and which of the changes are not in them."""
    for chosen in _subsets(len(pending)):
        made = {number: dict(entries) for number, entries in tree.items()}
        for position in sorted(chosen):
            pending[position].apply(made)
        yield made, tuple(str(call) for position, call in enumerate(pending) if position not in chosen)


def _subsets(count: int) -> Iterator[frozenset[int]]:
    everything = frozenset(range(count))
    if count <= _SUBSETS_OF:
        for size in range(count, -1, -1):
            yield from map(frozenset, itertools.combinations(range(count), size))
        return
    for first in range(count, -1, -1):
        yield frozenset(range(first))
    for one in range(count):
        yield everything - {one}
        yield frozenset({one})
    for one, other in itertools.combinations(range(count), 2):
        yield everything - {one, other}


def content_variants(durable: bytes, pending: Sequence[DataCall]) -> dict[bytes, str]:
    """The contents that pending changes may leave of a file, each with what is lost; first nothing, then all."""
    found: dict[bytes, str] = {}
    steps = list(itertools.accumulate(pending, lambda content, call: call.apply(content), initial=durable))
    everything = steps[-1]
    found[everything] = ""
    found.setdefault(durable, _whole(pending))
    for done, content in enumerate(steps):
        found.setdefault(content, _whole(pending[done:]))
    for position, call in enumerate(pending):
        if isinstance(call, Wrote):
            for cut in _cuts(call):
                torn = attrs.evolve(call, data=call.data[:cut]).apply(steps[position])
                found.setdefault(torn, f"all but the first {cut} bytes of the {call}")
    for position, call in enumerate(pending):
        content = durable
        for other in (*pending[:position], *pending[position + 1 :]):
            content = other.apply(content)
        found.setdefault(content, f"the {call}, but not what followed it")
    for content, text in _zeroed(everything, len(durable), pending):
        found.setdefault(content, text)
    return found


def _whole(lost: Sequence[DataCall]) -> str:
    return " and ".join(f"the {call}" for call in lost)


def _zeroed(content: bytes, durable: int, pending: Sequence[DataCall]) -> Iterator[tuple[bytes, str]]:
    """The file has its length, and zeros where new blocks did not reach the disk."""
    grown = len(content) - durable
    if grown <= 0:
        return
    name = pending[-1].name
    places = {durable + cut for cut in _ends([at - durable for at in _sectors(durable, len(content))])}
    places |= {call.offset for call in pending if isinstance(call, Wrote) and call.offset > durable}
    places |= {call.offset + cut for call in pending if isinstance(call, Wrote) for cut in _cuts(call)}
    for place in sorted({durable} | {place for place in places if durable < place < len(content)}):
        yield content[:place] + bytes(len(content) - place), f"the data of {name} from {place} on (zeros stand there)"
    sectors = [durable, *_sectors(durable, len(content)), len(content)]
    for start, end in _ends(list(itertools.pairwise(sectors))):
        yield (
            content[:start] + bytes(end - start) + content[end:],
            f"the data of {name} from {start} to {end} (zeros stand there)",
        )


def _cuts(call: Wrote) -> list[int]:
    """Where to tear a write: after how many of its bytes."""
    size = len(call.data)
    cuts = {1, 2, size // 2, size - 2, size - 1}
    cuts.update(_ends([at - call.offset for at in _sectors(call.offset, call.offset + size)]))
    cuts.update(_ends([at + 1 for at, byte in enumerate(call.data) if byte == 0x0A]))  # lines are often records
    return sorted(cut for cut in cuts if 0 < cut < size)


def _sectors(start: int, end: int) -> list[int]:
    """The boundaries of sectors between two places."""
    return list(range(start - start % SECTOR + SECTOR, end, SECTOR))


def _ends(items: list[_Item]) -> list[_Item]:
    return items if len(items) <= 2 * _EDGES else items[:_EDGES] + items[-_EDGES:]
