"""What was asked of a store and what it answered, and whether any order of the operations explains it.

An operation takes effect at one moment between its call and its return (Herlihy and Wing's linearisability). A write
that failed may have been seen by readers before it was taken back; one whose process was killed took effect or
did not.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import attrs

from sessionkit import operations
from sessionkit.sessions import ABSENT


class Kind(enum.Enum):
    """What an operation does."""

    APPEND = "append"
    TRUNCATE = "truncate"
    REPLACE = "replace"
    SUMMARISE = "summarise"
    DELETE = "delete"
    SAVE = "save"
    READ = "read"
    DESCRIBE = "describe"
    LIST = "list"


READING: Final = frozenset({Kind.READ, Kind.DESCRIBE, Kind.LIST})


class Outcome(enum.Enum):
    """What became of it."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    UNKNOWN = "unknown"
    KILLED = "killed"


@attrs.frozen(kw_only=True)
class Operation:
    """One call of a backend.

    Attributes:
        key: of the session.
        texts: of the messages to append, or of the new history.
        keep: how many messages a truncation keeps, or (less than zero) how many it drops, negated.
        summary: the new summary, None: as it is.
        version: does nothing unless the session has this version.
        generation: does nothing unless its history is of this generation.
        start: where a read begins; less than zero: so many messages before the end.
        limit: how many messages are read at most.
    """

    kind: Kind
    key: str
    texts: tuple[str, ...] = ()
    keep: int = 0
    summary: str | None = None
    version: str | None = None
    generation: str | None = None
    start: int = 0
    limit: int | None = None


@attrs.frozen(kw_only=True)
class Answer:
    """What an operation returned, as far as it told; a token is None when it told none."""

    version: str | None = None
    generation: str | None = None
    exists: bool | None = None
    total: int | None = None
    start: int | None = None
    texts: tuple[str, ...] | None = None
    summary: str | None = None


@attrs.frozen(kw_only=True)
class Event:
    """An operation, and what became of it.

    Attributes:
        actor: whose.
        called: when it was called, in steps.
        returned: when it was over.
    """

    actor: str
    operation: Operation
    called: int
    returned: int
    outcome: Outcome
    answer: Answer = Answer()

    def __str__(self) -> str:
        told = {name: value for name, value in attrs.asdict(self.answer, recurse=False).items() if value is not None}
        asked = {
            name: value
            for name, value in attrs.asdict(self.operation, recurse=False).items()
            if value not in (None, ())
        }
        asked.pop("kind")
        kind = self.operation.kind.value
        return f"{self.called:4}-{self.returned:<4} {self.actor} {kind} {asked}: {self.outcome.value} {told}"


@attrs.frozen
class State:
    """A session. ``change`` and ``cut`` number the writes that made its version and its generation."""

    exists: bool = False
    texts: tuple[str, ...] = ()
    summary: str = ""
    change: int = 0
    cut: int = 0


Names: TypeAlias = dict[str, int]
"""Which token stands for which number."""


def apply(operation: Operation, state: State, number: int) -> State:
    """What an operation makes of a session, its conditions apart.

    Args:
        number: of the operation; no other one has it.
    """
    kind = operation.kind
    if kind is Kind.DELETE:
        return State()
    texts, summary, cut = state.texts, state.summary, state.cut
    if kind is Kind.APPEND:
        texts += operation.texts
    elif kind is Kind.REPLACE:
        texts, cut = operation.texts, number
    elif kind is Kind.TRUNCATE:
        keep, drop = (operation.keep, None) if operation.keep >= 0 else (None, -operation.keep)
        dropped = operations.dropped(len(texts), keep, drop)
        if not dropped and operation.summary is None:
            return state
        if dropped:
            texts, cut = texts[dropped:], number
    elif kind is not Kind.SUMMARISE:
        return state
    if operation.summary is not None:
        summary = operation.summary
    return State(True, texts, summary, number, cut if state.exists else number)


def explained(events: Sequence[Event]) -> bool:
    """Whether some order of the operations on one session gives every answer."""
    return _Search(events).found()


@attrs.frozen
class _Position:
    """What happened so far: which operations are over, and what the session is.

    Attributes:
        done: a bit for each operation.
        under: when a write has taken effect that will be taken back: which one, and the state without it.
    """

    done: int
    state: State
    under: tuple[int, State] | None
    versions: frozenset[tuple[str, int]]
    generations: frozenset[tuple[str, int]]


class _Search:
    def __init__(self, events: Sequence[Event]) -> None:
        self._events = sorted(events, key=lambda event: event.returned)
        self._failed: set[_Position] = set()

    def found(self) -> bool:
        return self._go(_Position(0, State(), None, frozenset({(ABSENT, 0)}), frozenset({("", 0)})))

    def _go(self, position: _Position) -> bool:
        if self._failed and position in self._failed:
            return False
        horizon = None
        for number, event in enumerate(self._events):
            if position.done >> number & 1:
                continue
            if horizon is None:
                horizon = event.returned
            if event.called < horizon:
                for following in self._steps(position, number, event):
                    if self._go(following):
                        return True
        if horizon is None:
            return position.under is None
        self._failed.add(position)
        return False

    def _steps(self, position: _Position, number: int, event: Event) -> Iterator[_Position]:
        """The ways to go on with an operation."""
        over = attrs.evolve(position, done=position.done | 1 << number)
        operation = event.operation
        if position.under is not None:
            if position.under[0] == number:
                yield attrs.evolve(over, state=position.under[1], under=None)
                return
            if operation.kind not in READING:
                return
        if event.outcome is Outcome.DONE:
            after = apply(operation, position.state, number + 1)
            if not _condition(operation, position):
                return
            answered = _answer(event, position.state, after, over)
            if answered is not None:
                yield answered
            return
        if event.outcome is Outcome.REFUSED:
            if not _condition(operation, position):
                yield over
            return
        yield over
        if not _condition(operation, position):
            return
        after = apply(operation, position.state, number + 1)
        if after != position.state:
            if event.outcome is not Outcome.FAILED:
                yield attrs.evolve(over, state=after)
            if event.outcome is not Outcome.KILLED:
                yield attrs.evolve(position, state=after, under=(number, position.state))


def _condition(operation: Operation, position: _Position) -> bool:
    versions, generations = position.versions, position.generations
    return (operation.version is None or (operation.version, position.state.change) in versions) and (
        operation.generation is None or (operation.generation, position.state.cut) in generations
    )


def _answer(event: Event, before: State, after: State, position: _Position) -> _Position | None:
    """The position after an answer, None when it does not fit."""
    operation, answer = event.operation, event.answer
    told = before if operation.kind is Kind.DELETE else after
    if answer.exists is not None and answer.exists != told.exists:
        return None
    if answer.total is not None and answer.total != len(told.texts):
        return None
    if answer.summary is not None and answer.summary != told.summary:
        return None
    if answer.texts is not None:
        first, last = operations.window(len(told.texts), operation.start, operation.limit)
        if operation.limit == 0:
            last = first
        if answer.texts != told.texts[first:last] or answer.start not in (None, first):
            return None
    versions = _named(position.versions, answer.version, told.change)
    generations = _named(position.generations, answer.generation, told.cut)
    if versions is None or generations is None:
        return None
    return attrs.evolve(position, state=after, versions=versions, generations=generations)


def _named(names: frozenset[tuple[str, int]], token: str | None, number: int) -> frozenset[tuple[str, int]] | None:
    """The tokens with one more, None when it stands for something else or something else for its number."""
    if token is None or (token, number) in names:
        return names
    if any(token == other or number == taken for other, taken in names):
        return None
    return names | {(token, number)}
