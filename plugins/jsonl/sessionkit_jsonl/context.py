"""What the writing modules share."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from msgspec import Struct

from sessionkit_jsonl import failures
from sessionkit_jsonl.durability import Durability
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import Files
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.options import JSONLOptions


class Context(Struct, frozen=True):
    """An open directory."""

    directory: str
    files: Files
    options: JSONLOptions
    durability: Durability

    @contextlib.contextmanager
    def discarding(self, path: str) -> Iterator[None]:
        """Remove a temporary file when something goes wrong."""
        try:
            yield
        except BaseException:  # an interrupt leaves a temporary file as an error does
            with contextlib.suppress(OSError):
                self.files.remove(path)
            raise


def outcome(entry: Entry) -> Look:
    """See what a session has become.

    Raises:
        OutcomeUnknownError: it is changed, whatever stands in the way of looking: nobody may try it again.
    """
    with failures.changed(entry.key):
        return look_again(entry)


def look_again(entry: Entry) -> Look:
    """See what a session is after a step towards a change."""
    with entry.mutex:
        return entry.look()
