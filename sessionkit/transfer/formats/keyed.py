"""Keys for conversations that have none of their own, and other keys for those that have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeVar

import attrs

from sessionkit.errors import InvalidKeyError
from sessionkit.keys import check_key
from sessionkit.transfer.reading import Placed, Unreadable

_T = TypeVar("_T")


def counted(items: Iterable[_T], stem: str) -> Iterator[tuple[str, _T]]:
    """Each item with a key made of the file's name; with a number, when there are several.

    >>> list(counted(["x"], "chat")), list(counted(["x", "y"], "train"))
    ([('chat', 'x')], [('train:1', 'x'), ('train:2', 'y')])
    """
    remaining = iter(items)
    first = next(remaining, None)
    if first is None:
        return
    second = next(remaining, None)
    if second is None:
        yield stem, first
        return
    prefix = f"{stem}:" if stem else ""
    yield f"{prefix}1", first
    yield f"{prefix}2", second
    for number, item in enumerate(remaining, start=3):
        yield f"{prefix}{number}", item


def renamed(documents: Iterable[Placed | Unreadable], *, key: str | None, prefix: str) -> Iterator[Placed | Unreadable]:
    """Conversations under other keys.

    Args:
        documents: what was read.
        key: the key of the only conversation; every further one is refused.
        prefix: put in front of each key.
    """
    seen = False
    for placed in documents:
        if isinstance(placed, Unreadable):
            yield placed
            continue
        if key is not None and seen:
            yield placed.refused(f"{key!r} is the key of one conversation, and the file has several")
            continue
        seen = True
        name = prefix + (placed.document.key if key is None else key)
        try:
            check_key(name)
        except InvalidKeyError as error:
            yield placed.refused(
                str(error) if name else "neither the conversation nor its source has a name: say a key (--key)"
            )
            continue
        yield attrs.evolve(placed, document=attrs.evolve(placed.document, key=name))
