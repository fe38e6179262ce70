"""``Sieve``: tells from encoded bytes alone where a text cannot be, so that they need not be decoded.

It never says no wrongly, however the JSON was written: in UTF-8 or with ``\\u`` escapes, with spaces or without. It may
say yes wrongly; whoever asks decodes and looks.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct

_NEVER_RAW: Final = frozenset('"\\/\ufffd') | frozenset(map(chr, range(0x20)))
"""Characters that JSON may or must write with a short escape, and the one that unreadable bytes are read as."""

_FOLDS_BEYOND_ASCII: Final = frozenset("iksIKS")
"""ASCII letters that are equal to others than their own two when case is ignored: the Kelvin sign is a k."""

_REGEX_SPECIAL: Final = frozenset(".^$*+?{}[]\\|()")
_OPTIONAL_AFTER: Final = frozenset("*?")
_TOO_RICH: Final = frozenset("\\|([{")
"""What makes a regular expression more than literal pieces with something between them."""


class Sieve(Struct, frozen=True):
    """Passes JSON in which something may stand; see :func:`sieve_for`.

    Attributes:
        needles: one of them stands in whatever passes, unless an escape hides it.
        folds: the needles are lower case, and stand in any case.
        escapes: finds escapes that may hide a needle.
    """

    needles: tuple[bytes, ...]
    folds: bool
    escapes: re.Pattern[bytes]

    def passes(self, data: bytes) -> bool:
        """Whether something that is looked for may stand in these bytes: JSON values, whole.

        >>> sieve = sieve_for(["mug"])
        >>> sieve.passes(b'{"content":"a mug"}'), sieve.passes(b'{"content":"a cup"}')
        (True, False)
        >>> sieve.passes(b'{"content":"a \\\\u006dug"}')
        True
        """
        searched = data.lower() if self.folds else data
        for needle in self.needles:
            if needle in searched:
                return True
        return b"\\u" in data and self.escapes.search(data) is not None


def sieve_for(pieces: Iterable[str], *, ignore_case: bool = False, also: Iterable[bytes] = ()) -> Sieve | None:
    """A sieve for texts in which all of these pieces stand; None when bytes cannot tell.

    Args:
        pieces: the longest usable one is looked for.
        ignore_case: whether they may be written in any case.
        also: passes too, whatever else there is; lower case.
    """
    unusable = _NEVER_RAW | _FOLDS_BEYOND_ASCII if ignore_case else _NEVER_RAW
    longest = max((run for piece in pieces for run in _runs(piece, unusable, ignore_case)), key=_size, default="")
    if not longest:
        return None
    needle = (longest.lower() if ignore_case else longest).encode("utf-8")
    hidden = {f"{unit:04x}" for character in longest for unit in _units(character, ignore_case)}
    escapes = re.compile(rb"\\u(?:" + "|".join(sorted(hidden)).encode("ascii") + rb")", re.IGNORECASE)
    return Sieve((needle, *also), ignore_case, escapes)


def literal_pieces(pattern: str) -> list[str]:
    """Texts that stand in whatever a regular expression matches; none when that is hard to tell.

    >>> literal_pieces("error.*timed? out"), literal_pieces("a|b")
    (['error', 'time', ' out'], [])
    """
    if _TOO_RICH & set(pattern):
        return []
    pieces = [""]
    for character in pattern:
        if character not in _REGEX_SPECIAL:
            pieces[-1] += character
            continue
        if character in _OPTIONAL_AFTER:
            pieces[-1] = pieces[-1][:-1]
        pieces.append("")
    return [piece for piece in pieces if piece]


def _runs(piece: str, unusable: frozenset[str], ignore_case: bool) -> list[str]:
    runs = [""]
    for character in piece:
        if character in unusable or "\ud800" <= character <= "\udfff" or (ignore_case and not character.isascii()):
            runs.append("")
        else:
            runs[-1] += character
    return [run for run in runs if run]


def _size(run: str) -> int:
    return len(run.encode("utf-8"))


def _units(character: str, ignore_case: bool) -> Iterable[int]:
    """The numbers of UTF-16 by which escapes write a character."""
    for form in {character, character.lower(), character.upper()} if ignore_case else {character}:
        encoded = form.encode("utf-16-be")
        yield from (int.from_bytes(encoded[at : at + 2], "big") for at in range(0, len(encoded), 2))
