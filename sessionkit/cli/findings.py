"""What ``verify`` and ``repair`` share: going through the sessions, and printing what is damaged."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import attrs
import click

from sessionkit.cli.neutral import visible
from sessionkit.cli.output import make_console, plural, print_error
from sessionkit.cli.targets import progress

if TYPE_CHECKING:
    from sessionkit.damage import Damage
    from sessionkit.store import SessionStore


@attrs.define
class Checked:
    """What came of going through a store.

    Attributes:
        sessions: how many were looked at.
        found: all damage, mended or not, and what is worth a note.
        missing: the keys among those that were named that no session has.
    """

    sessions: int = 0
    found: list[Damage] = attrs.Factory(list)
    missing: list[str] = attrs.Factory(list)

    @property
    def sound(self) -> bool:
        """Whether all that was meant is there, and nothing of it is damaged."""
        return not (self.damaged or self.missing)

    @property
    def damaged(self) -> list[Damage]:
        """What is damage, and was not mended."""
        return [damage for damage in self.found if damage.stays]

    @property
    def mended(self) -> list[Damage]:
        """What was mended."""
        return [damage for damage in self.found if damage.mended]

    def describe(self) -> dict[str, Any]:
        """A JSON object for programs."""
        return {
            "sessions": self.sessions,
            "findings": [attrs.asdict(damage) for damage in self.found],
            "missing": self.missing,
        }

    def summary(self, verb: str) -> str:
        """A sentence for people."""
        notes = sum(damage.harmless and not damage.mended for damage in self.found)
        told = [f"{len(self.mended):,} mended"] if self.mended else []
        told += [f"{len(self.damaged):,} damaged"] if self.damaged else []
        told += [plural(notes, "note")] if notes else []
        return f"{verb} {plural(self.sessions, 'session')}: {', '.join(told) or 'all sound'}."


def check(
    store: SessionStore,
    keys: tuple[str, ...],
    prefix: str | None,
    *,
    repairs: bool,
    told: Callable[[Damage], object] | None,
) -> Checked:
    """Go through the sessions that are meant.

    Args:
        store: the store.
        keys: the sessions, or none for all with the prefix.
        prefix: None for every session.
        repairs: whether damage is mended.
        told: is called with each damage as it is found.
    """
    checked = Checked()
    with _quiet(), progress("Repairing" if repairs else "Verifying") as advance:

        def count(sessions: int) -> None:
            checked.sessions += sessions
            if advance is not None:
                advance(sessions)

        inspect = store.repair if repairs else store.verify
        for damage in inspect(keys or None, prefix=prefix or "", progress=count):
            checked.found.append(damage)
            if told is not None:
                told(damage)
        damaged = {damage.key for damage in checked.found}
        checked.missing = [key for key in keys if key not in damaged and not store.get_session(key, limit=0).exists]
    checked.sessions -= len(checked.missing)
    for key in checked.missing:
        print_error(f"no session has the key {key!r}")
    return checked


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the warnings about damage out of stderr: all of it is in the report."""
    before = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


def print_damage(damage: Damage) -> None:
    """Print a damage in two lines: what it is, and what was done about it, or can be."""
    from rich.text import Text

    style = "green" if damage.mended else "dim" if damage.harmless else "bold red"
    line = Text.assemble((visible(damage.key) if damage.key is not None else "(no session)", "cyan"))
    line.append("  ").append(damage.kind, style).append(f"  {visible(damage.problem)}")
    if damage.place:
        line.append(f"  {visible(damage.place)}", "dim")
    make_console().print(line)
    click.echo(f"    {_step(damage)}: {visible(damage.remedy)}")


def _step(damage: Damage) -> str:
    if damage.mended:
        return "mended"
    return "to repair" if damage.mendable else "by hand"
