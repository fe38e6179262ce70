"""The moments at which the power may be cut while a store works, and what may be seen after each."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Literal, TypeAlias

import attrs

from sessionkit.testing.crash.disk import Disk, State
from sessionkit.testing.crash.running import Step
from sessionkit.testing.crash.views import View, Views

Acknowledged: TypeAlias = Literal["write", "save"]
"""When a change must be durable: when the write returns, or when ``save`` does."""

Allowed: TypeAlias = dict[str, list[View | None]]
"""What may be seen of each session; first what was durable last."""


@attrs.frozen(kw_only=True)
class Promise:
    """What a store promises about a power cut.

    Attributes:
        acknowledged: when a change must be durable.
        in_order: whether of the messages that are not durable yet, none may be found without those before it.
        empty_first: whether a session that is being created may be there without anything in it.
    """

    acknowledged: Acknowledged = "write"
    in_order: bool = True
    empty_first: bool = False

    def allows(self, view: View | None, choices: Sequence[View | None]) -> bool:
        """Whether a session may be found like this."""
        if view in choices:
            return True
        return not self.in_order and any(_is_part(view, whole, choices[0]) for whole in choices)


@attrs.frozen
class Cut:
    """A moment at which the power is cut.

    Attributes:
        operation: what was running.
        moment: how far it had come.
        disk: what was done to the disk.
        allowed: what may be seen afterwards.
    """

    operation: str
    moment: str
    disk: Disk
    allowed: Allowed


def cuts(start: State, steps: Sequence[Step], first: Views, promise: Promise) -> Iterator[Cut]:
    """The moments, in their order: after each call, and after each operation has returned.

    Args:
        start: what was on the disk.
        steps: what the store did.
        first: what is seen of the start.
        promise: what may be lost.

    The disk of a moment changes when the next one is asked for.
    """
    disk = Disk(start)
    keys = sorted({*first, *(key for step in steps for key in step.after)})
    durable: Allowed = {key: [first.get(key)] for key in keys}
    for step in steps:
        running = {key: _while_running(durable[key], step, key, promise) for key in keys}
        for position, call in enumerate(step.calls, 1):
            disk.take(call)
            yield Cut(step.name, f"after call {position} of {len(step.calls)}, the {call}", disk, running)
        for key in keys:
            done = promise.acknowledged == "write" or key in step.saved
            durable[key] = [step.after.get(key)] if done else running[key]
        yield Cut(step.name, "after it had returned", disk, dict(durable))


def _while_running(durable: list[View | None], step: Step, key: str, promise: Promise) -> list[View | None]:
    after = step.after.get(key)
    allowed = durable if after in durable else [*durable, after]
    if promise.empty_first and after is not None and None in durable:
        return [*allowed, View(created=after.created)]
    return allowed


def _is_part(view: View | None, whole: View | None, durable: View | None) -> bool:
    """Whether a view is another one without some messages, none of them durable."""
    if view is None or whole is None or attrs.evolve(view, messages=whole.messages) != whole:
        return False
    kept = durable.messages if durable else ()
    found = 0
    for message in whole.messages:
        if found < len(view.messages) and view.messages[found] == message:
            found += 1
        elif message in kept:
            return False
    return found == len(view.messages)
