"""Mending the two files of a session, under the session's lock."""

from __future__ import annotations

from collections.abc import Callable, Collection

import attrs
from msgspec import Struct

from sessionkit.damage import Damage
from sessionkit.sessions import read_time
from sessionkit_jsonl import verifying
from sessionkit_jsonl.context import look_again
from sessionkit_jsonl.directory import BAD_META_SUFFIX
from sessionkit_jsonl.documents import same
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.examining import LONG_LINES, MISSING_NEWLINE
from sessionkit_jsonl.files import open_for_reading
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import fresh_token
from sessionkit_jsonl.meta import Draft, State
from sessionkit_jsonl.writing import Writer

_OF_DOCUMENT = {verifying.BAD_FIELDS, verifying.SKIP_PAST_END, verifying.MISSING_LOG}
_OF_LOG_ALONE = {MISSING_NEWLINE, LONG_LINES}


class Repairer(Struct, frozen=True):
    """Mends sessions by the steps that writes are made of; each commits by one append or one rename."""

    writer: Writer

    def repair(self, entry: Entry, look: Look) -> list[Damage]:
        """Mend a session. Returns what was damaged."""
        found = verifying.damage_of(look)
        if any(damage.mendable for damage in found):
            self._mend(entry, look, {damage.kind for damage in found})
        return [attrs.evolve(damage, mended=damage.mendable) for damage in found]

    def _mend(self, entry: Entry, look: Look, kinds: Collection[str]) -> None:
        if look.meta.state is State.DAMAGED:
            self._make_room(look)
        if _OF_DOCUMENT.intersection(kinds):
            look = self._renew_document(entry, look)
        look = self.writer.settled(entry, look)
        if self.writer.context.options.archive and look.meta.skip and look.data is not None:
            self.writer.rewriter.compact(entry, look)  # what is truncated goes where it belongs
            look = look_again(entry)
        if any(line.kind not in _OF_LOG_ALONE for line in verifying.unsound_of(look)):
            lines = (line.data for line in verifying.unsound_of(look) if line.kind not in _OF_LOG_ALONE)
            self.writer.rewriter.salvage(entry, look, lines)

    def _renew_document(self, entry: Entry, look: Look) -> Look:
        """Write a document of good values, with all that the old one has beside them, and keep the old one."""
        self._make_room(look)
        self.writer.context.files.keep(look.meta_path, look.base + BAD_META_SUFFIX)
        draft = same(look)
        draft.set_own(rev=fresh_token())
        if look.meta.skip > look.lines:
            draft.set_lines(count=look.lines, skip=0)
            draft.set_own(gen=fresh_token())
        _replace_bad(draft, look)
        self.writer.documents.write(look, draft.encode())
        return look_again(entry)

    def _make_room(self, look: Look) -> None:
        """Let a document that was kept before not be lost by keeping another one."""
        earlier = open_for_reading(look.base + BAD_META_SUFFIX)
        if earlier is not None:
            data = earlier.read(0, earlier.status().st_size)
            self.writer.rewriter.set_aside(look, [data if data.endswith(b"\n") else data + b"\n"])


def _replace_bad(draft: Draft, look: Look) -> None:
    """Give the fields that hold something else than they may the value that they are read as."""
    meta = look.meta
    values: dict[str, Callable[[], None]] = {
        "aliases": lambda: draft.set_aliases(meta.aliases),
        "scope": lambda: draft.set_metadata(meta.metadata),
        "metadata": lambda: draft.set_metadata(meta.metadata),
        "created_at": lambda: draft.set_times(created=_time(meta.created)),
        "updated_at": lambda: draft.set_times(updated=_time(look.updated)),
    }
    for name in verifying.bad_fields(look):
        if name in values:
            values[name]()


def _time(time: str) -> str:
    return time if read_time(time) else ""
