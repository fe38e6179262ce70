"""Drawing what each process of a schedule shall do."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Final

import attrs

from sessionkit.testing.schedules.histories import Kind, Operation
from sessionkit.testing.schedules.playing import Plan
from sessionkit.testing.schedules.stage import Chances

_KEYS: Final = (("k",), ("k",), ("k", "l"), ("a:b", "a/b"), ("a:b", "A_b", "k"))
"""Some of them want the same file name."""

_LONG: Final = (0, 0, 0, 0, 0, 30, 700, 9000, 40_000)


@attrs.frozen
class Schedule:
    """What is drawn for one seed.

    Attributes:
        given: what was done before anybody reads.
        actors: what each process does; the names of those who write begin with ``w``.
    """

    keys: tuple[str, ...]
    given: tuple[Plan, ...]
    actors: tuple[tuple[str, tuple[Plan, ...]], ...]
    chances: Chances


class _Texts:
    """Texts that never repeat; those that are read tell who wrote them."""

    def __init__(self, random: Random) -> None:
        self._random = random
        self._used = 0

    def __call__(self, actor: str, count: int) -> tuple[str, ...]:
        return tuple(self._one(actor) for _ in range(count))

    def _one(self, actor: str) -> str:
        self._used += 1
        return f"{actor}{self._used}" + "x" * self._random.choice(_LONG)


def draw(random: Random, *, writers: int = 2, readers: int = 1) -> Schedule:
    """Draw a schedule.

    >>> [name for name, _ in draw(Random(1)).actors]
    ['w1', 'w2', 'r1']
    """
    keys = random.choice(_KEYS)
    texts = _Texts(random)
    given = tuple(_writes(random, keys, texts, "g", random.choice((0, 1, 2, 4))))
    actors = [(f"w{number + 1}", tuple(_writes(random, keys, texts, f"w{number + 1}-"))) for number in range(writers)]
    actors += [(f"r{number + 1}", tuple(_reads(random, keys))) for number in range(readers)]
    kind = random.random()
    chances = Chances(
        stay=random.choice((0.0, 0.5, 0.8, 0.95)),
        kill=0.01 if kind < 0.25 else 0.0,
        fail=0.1 if 0.25 <= kind < 0.45 else 0.0,
        part=random.choice((0.0, 0.0, 0.2)),
    )
    return Schedule(keys, given, tuple(actors), chances)


def _writes(
    random: Random, keys: tuple[str, ...], texts: _Texts, actor: str, count: int | None = None
) -> Iterator[Plan]:
    for _ in range(random.randint(1, 4) if count is None else count):
        yield _write(random, random.choice(keys), keys, texts, actor)


def _write(random: Random, key: str, keys: tuple[str, ...], texts: _Texts, actor: str) -> Plan:
    choice = random.random()
    if choice < 0.35:
        return Plan(Operation(kind=Kind.APPEND, key=key, texts=texts(actor, random.choice((1, 1, 2, 3)))))
    if choice < 0.5:
        keep = random.choice((0, 1, 1, 2, -1, -2))
        return Plan(
            Operation(kind=Kind.TRUNCATE, key=key, keep=keep, summary=random.choice((None, None, *texts(actor, 1)))),
            condition=random.choice(("", "", "version", "generation")),
        )
    if choice < 0.65:
        return Plan(
            Operation(
                kind=Kind.REPLACE,
                key=key,
                texts=texts(actor, random.choice((0, 1, 2))),
                summary=random.choice((None, None, *texts(actor, 1))),
            ),
            condition=random.choice(("", "", "version")),
        )
    if choice < 0.72:
        return Plan(
            Operation(kind=Kind.SUMMARISE, key=key, summary=texts(actor, 1)[0]),
            condition=random.choice(("", "version")),
        )
    if choice < 0.85:
        return Plan(Operation(kind=Kind.SAVE, key=key))
    if choice < 0.95 or len(keys) == 1:
        return Plan(Operation(kind=Kind.DELETE, key=key), condition=random.choice(("", "", "version")))
    other = random.choice([other for other in keys if other != key])
    return Plan(Operation(kind=Kind.REPLACE, key=key), copy=other)


def _reads(random: Random, keys: tuple[str, ...]) -> Iterator[Plan]:
    for _ in range(random.randint(2, 6)):
        key, choice = random.choice(keys), random.random()
        if choice < 0.35:
            yield Plan(Operation(kind=Kind.READ, key=key))
        elif choice < 0.6:
            yield Plan(Operation(kind=Kind.READ, key=key, start=-random.randint(1, 3)))
        elif choice < 0.75:
            yield Plan(Operation(kind=Kind.DESCRIBE, key=key))
        elif choice < 0.85:
            yield Plan(Operation(kind=Kind.READ, key=key, start=random.randint(0, 2), limit=random.randint(1, 2)))
        else:
            yield Plan(Operation(kind=Kind.LIST, key=""))
