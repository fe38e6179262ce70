"""Which messages may hold what is searched for, told from the bytes of the data file."""

from __future__ import annotations

from typing import Final

from sessionkit.sessions import Sifted
from sessionkit.sieve import Sieve
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.look import Look

_AT_ONCE: Final = 16 * 1024 * 1024
"""How many bytes are looked through in one step, in which nobody else reads the session here."""

_BLOCK: Final = 256 * 1024
"""How much is read at once: more would not stay in the processor's cache."""


def passes_any(file: OpenFile, sieve: Sieve) -> bool:
    """Whether anything in a data file passes, whatever its lines mean. It is much quicker than to take it apart."""
    position, wanted = 0, _BLOCK
    size = file.status().st_size
    while position < size:
        data = file.read(position, wanted)
        is_end = len(data) < wanted or position + len(data) >= size
        whole = len(data) if is_end else data.rfind(b"\n") + 1
        if not whole:  # a line that is longer
            wanted *= 2
            continue
        if sieve.passes(data[:whole]):
            return True
        position, wanted = position + whole, _BLOCK
    return False


def sift(look: Look, start: int, sieve: Sieve) -> Sifted:
    """The messages from a position on that a sieve lets pass; see ``sessionkit_sift``."""
    if look.data is None or start >= look.count:
        return Sifted(generation=look.generation)
    hidden, seen = look.index.hidden, look.index.seen
    spans: list[tuple[int, int]] = []
    reached = start + hidden
    if reached < seen:
        spans, reached = look.index.sift(look.data, reached, sieve, _AT_ONCE)
    is_end = reached >= seen
    if is_end and look.rest.values:  # what the next append may change the meaning of
        spans.append((reached, hidden + look.count))
    visible = [(first - hidden, last - hidden) for first, last in spans]
    return Sifted(spans=visible, next=None if is_end else reached - hidden, generation=look.generation)
