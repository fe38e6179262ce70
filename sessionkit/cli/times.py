"""Times, as people read them."""

from __future__ import annotations

from sessionkit.cli.neutral import visible


def short_time(time: str) -> str:
    """A time for people: to the second, in the zone it was written in.

    >>> short_time("2026-05-15T15:00:00.123456Z"), short_time("2026-05-15T15:00:00+02:00")
    ('2026-05-15 15:00:00Z', '2026-05-15 15:00:00+02:00')
    """
    from datetime import datetime

    try:
        moment = datetime.fromisoformat(time).replace(microsecond=0)
    except ValueError:
        return visible(time)
    return moment.isoformat(" ").replace("+00:00", "Z")
