"""Times, as people read them."""

from __future__ import annotations

from sessionkit.cli.neutral import visible


def moment_of(time: str) -> float:
    """Seconds since 1970, to be compared; a time that is not known is before all others.

    >>> moment_of("1970-01-01T00:00:01Z"), moment_of("")
    (1.0, -inf)
    """
    from sessionkit.sessions import read_time

    read = read_time(time)
    return float("-inf") if read is None else read[0].timestamp() + float(f"0.{read[1] or 0}")


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
