"""``--since``: a time, or how long ago."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import click

if TYPE_CHECKING:
    from sessionkit.sessions import SessionInfo

_AGO: Final = re.compile(r"([0-9]{1,6})([smhdw])")
_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class Since(click.ParamType):  # type: ignore[type-arg] # generic in newer versions of click alone
    """A moment: ``3h`` or ``2d`` ago, or a date or time as in ISO 8601; without a zone it is local time."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """The moment that a text means."""
        if isinstance(value, datetime):
            return value
        try:
            if match := _AGO.fullmatch(value):
                return datetime.now(UTC) - timedelta(**{_UNITS[match[2]]: int(match[1])})
            return datetime.fromisoformat(value).astimezone()
        except (ValueError, OverflowError):
            self.fail(
                f"{value!r} is no time; write 2026-01-31, 2026-01-31T12:00:00Z, or 30m, 3h, 2d, 1w ago", param, ctx
            )


def since_option(function: Any) -> Any:
    """Add ``--since TIME``."""
    return click.option(
        "--since",
        type=Since(),
        metavar="TIME",
        help="Only sessions changed since then: a time, or 30m, 3h, 2d, 1w ago.",
    )(function)


def is_since(info: SessionInfo, since: datetime | None) -> bool:
    """Whether a session changed since a moment; one whose time is not known did not."""
    from sessionkit.sessions import read_time

    if since is None:
        return True
    updated = read_time(info.updated)
    return updated is not None and updated[0] >= since.replace(microsecond=0)
