"""Numbers of bytes, as people read them."""

from __future__ import annotations


def size(count: int) -> str:
    """A number of bytes for people.

    >>> size(900), size(3 << 20), size(1_610_612_736)
    ('900 bytes', '3.0 MiB', '1.5 GiB')
    """
    for unit, bits in (("GiB", 30), ("MiB", 20), ("KiB", 10)):
        if count >= 1 << bits:
            return f"{count / (1 << bits):,.1f} {unit}"
    return f"{count:,} bytes"
