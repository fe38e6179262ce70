"""What a misspelt name was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, known: Iterable[str], cutoff: float = 0.6) -> str | None:
    """The known name that is most like ``name``, or None when none is like it.

    Args:
        name: what was said.
        known: what could have been said.
        cutoff: how much alike they must be: 1 is equal.

    >>> closest("jsnol", ["json", "jsonl", "memory"])
    'jsonl'
    """
    import difflib  # only errors need it

    folded = {candidate.casefold(): candidate for candidate in known}
    found = difflib.get_close_matches(name.casefold(), folded, n=1, cutoff=cutoff)
    return folded[found[0]] if found else None


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """The part of a sentence that proposes the closest known name, ``""`` when there is none.

    >>> did_you_mean("pth", ["path", "durability"])
    "; did you mean 'path'?"
    """
    found = closest(name, known)
    return f"; did you mean {found!r}?" if found else ""
