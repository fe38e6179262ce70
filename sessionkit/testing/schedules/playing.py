"""An actor that carries out operations on a backend, and notes what came of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeAlias

import attrs

from sessionkit.errors import BackendUnavailableError, OutcomeUnknownError, VersionConflict
from sessionkit.hookspecs import Backend
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, SessionInfo
from sessionkit.testing.schedules.histories import Answer, Event, Kind, Operation, Outcome
from sessionkit.testing.schedules.stage import Actor, KilledError

Opener: TypeAlias = Callable[[Path], Backend]


class UnexpectedError(Exception):
    """An operation failed for no reason, or told what cannot be."""


@attrs.define
class Log:
    """The operations of all actors. What is noted gets a step of its own."""

    keys: tuple[str, ...]
    events: list[Event] = attrs.Factory(list)
    _steps: int = 0

    def step(self) -> int:
        """The number of the next step."""
        self._steps += 1
        return self._steps


@attrs.frozen
class Plan:
    """What an operation will be, before it is known what the actor has seen.

    Attributes:
        condition: ``"version"`` or ``"generation"``: look first, and do it only if nothing changed in between.
        copy: the session whose history is read, to replace the one of ``operation`` if there is no such session.
    """

    operation: Operation
    condition: str = ""
    copy: str = ""


@attrs.define
class Player:
    """One process: opens the backend, and carries out its plans.

    Attributes:
        again: whether another process takes over its plans when it is killed.
        reopen: before which plans the backend is opened anew.
    """

    log: Log
    open: Opener
    path: Path
    plans: tuple[Plan, ...]
    again: bool = False
    reopen: frozenset[int] = frozenset()
    _backend: Backend | None = None

    def play(self, actor: Actor, live: Callable[[Actor], None]) -> None:
        """Carry out the plans.

        Args:
            live: makes a new process of an actor that was killed.
        """
        for number, plan in enumerate(self.plans):
            try:
                if self._backend is None or number in self.reopen:
                    self._backend = self.open(self.path)
                self._carry_out(actor, plan)
            except BackendUnavailableError:
                if not actor.failed:
                    raise
                self._backend = None
            except KilledError:
                self._backend = None
                if not self.again or not actor.dead:
                    return
                live(actor)
        self._backend = None

    def _carry_out(self, actor: Actor, plan: Plan) -> None:
        operation = plan.operation
        if plan.condition:
            seen = self.perform(actor, Operation(kind=Kind.DESCRIBE, key=operation.key, limit=0))
            if seen.version is None:
                return
            if plan.condition == "version":
                operation = attrs.evolve(operation, version=seen.version)
            else:
                operation = attrs.evolve(operation, generation=seen.generation)
        if plan.copy:
            seen = self.perform(actor, Operation(kind=Kind.DESCRIBE, key=plan.copy))
            if not seen.exists:
                return
            operation = attrs.evolve(operation, texts=seen.texts or (), summary=seen.summary, version=ABSENT)
        self.perform(actor, operation)

    def perform(self, actor: Actor, operation: Operation) -> Answer:
        """Carry out one operation, and note it."""
        assert self._backend is not None
        called, failed = self.log.step(), actor.failed
        answers: list[tuple[Operation, Answer]] = []
        outcome = Outcome.DONE
        try:
            answers = list(_perform(self._backend, operation, self.log.keys))
        except KilledError:
            outcome = Outcome.KILLED
            raise
        except VersionConflict:
            outcome = Outcome.REFUSED
        except BackendUnavailableError:
            outcome = Outcome.FAILED
            if actor.failed == failed:
                raise
        except OutcomeUnknownError:
            outcome = Outcome.UNKNOWN
            if actor.failed == failed:
                raise
        finally:
            returned = self.log.step()
            for asked, answer in answers or [(operation, Answer())]:
                if outcome is Outcome.DONE or operation.kind is not Kind.LIST:
                    self.log.events.append(
                        Event(
                            actor=actor.name,
                            operation=asked,
                            called=called,
                            returned=returned,
                            outcome=outcome,
                            answer=answer,
                        )
                    )
        return answers[0][1] if answers else Answer()


def _perform(backend: Backend, operation: Operation, keys: Iterable[str]) -> Iterable[tuple[Operation, Answer]]:
    if operation.kind is Kind.LIST:
        listed = {info.key: info for info in _pages(backend)}
        if unknown := listed.keys() - set(keys):
            raise UnexpectedError(f"sessions are listed that nobody made: {sorted(unknown)}")
        for key in keys:
            yield attrs.evolve(operation, key=key), _told(listed.get(key, SessionInfo(key=key)))
    else:
        yield operation, _ACTS[operation.kind](backend, operation)


def _pages(backend: Backend) -> Iterable[SessionInfo]:
    cursor: str | None = None
    while True:
        page = backend.sessionkit_list_sessions("", cursor, 1)
        yield from page.sessions
        cursor = page.next
        if cursor is None:
            return


def _told(info: SessionInfo) -> Answer:
    return Answer(
        exists=info.exists, total=info.count, summary=info.summary, version=info.version, generation=info.generation
    )


def _messages(operation: Operation) -> list[Message]:
    return [Message.simple("user", text) for text in operation.texts]


def _append(backend: Backend, operation: Operation) -> Answer:
    return Answer(version=backend.sessionkit_add_messages(operation.key, _messages(operation), ""))


def _truncate(backend: Backend, operation: Operation) -> Answer:
    return Answer(
        version=backend.sessionkit_truncate_history(
            operation.key,
            operation.keep if operation.keep >= 0 else None,
            -operation.keep if operation.keep < 0 else None,
            UNCHANGED if operation.summary is None else operation.summary,
            operation.version,
            operation.generation,
            "",
        )
    )


def _update(backend: Backend, operation: Operation) -> Answer:
    messages: Any = _messages(operation) if operation.kind is Kind.REPLACE else UNCHANGED
    summary: Any = UNCHANGED if operation.summary is None else operation.summary
    return Answer(
        version=backend.sessionkit_update_session(
            operation.key, messages, summary, UNCHANGED, UNCHANGED, UNCHANGED, UNCHANGED, operation.version, ""
        )
    )


def _delete(backend: Backend, operation: Operation) -> Answer:
    return Answer(exists=backend.sessionkit_delete_session(operation.key, operation.version))


def _save(backend: Backend, operation: Operation) -> Answer:
    if type(backend).sessionkit_save is not Backend.sessionkit_save:  # who syncs every write need not have it
        backend.sessionkit_save(operation.key)
    return Answer()


def _read(backend: Backend, operation: Operation) -> Answer:
    history = backend.sessionkit_get_history(operation.key, operation.start, operation.limit)
    return Answer(
        version=history.version,
        generation=history.generation,
        total=history.total,
        start=history.start,
        texts=tuple(message.text for message in history.messages),
    )


def _describe(backend: Backend, operation: Operation) -> Answer:
    session = backend.sessionkit_get_session(operation.key, operation.limit)
    return attrs.evolve(_told(session), texts=tuple(message.text for message in session.messages))


_ACTS: dict[Kind, Callable[[Backend, Operation], Answer]] = {
    Kind.APPEND: _append,
    Kind.TRUNCATE: _truncate,
    Kind.REPLACE: _update,
    Kind.SUMMARISE: _update,
    Kind.DELETE: _delete,
    Kind.SAVE: _save,
    Kind.READ: _read,
    Kind.DESCRIBE: _describe,
}
