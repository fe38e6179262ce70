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
"""What may be seen of each session."""


@attrs.frozen(kw_only=True)
class Promise:
    """What a store promises about a power cut.

    Attributes:
        acknowledged: when a change must be durable.
        empty_first: whether a session that is being created may be there without anything in it.
    """

    acknowledged: Acknowledged = "write"
    empty_first: bool = False


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
