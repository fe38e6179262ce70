"""Writing ``.meta.json`` documents: temporary file, sync, rename, sync of the directory."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import TypeAlias

from msgspec import Struct

from sessionkit import operations
from sessionkit.sessions import now
from sessionkit_jsonl import failures
from sessionkit_jsonl.context import Context, look_again, outcome
from sessionkit_jsonl.directory import BAD_META_SUFFIX
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import fresh_token
from sessionkit_jsonl.meta import Draft, Meta, State

Edit: TypeAlias = Callable[[Draft], None]
"""Makes changes in a document's draft."""


class Documents(Struct, frozen=True):
    """Writes documents under the session's lock."""

    context: Context

    def create(self, entry: Entry, look: Look, *, needs_data: bool, edit: Edit | None = None) -> Look:
        """Give a session that is not there its document; another session's is never replaced."""
        draft = Meta.read(None).edit(look.key)
        moment = now()
        draft.set_own(data=needs_data, rev=fresh_token(), gen=fresh_token(), seen=look.data_state)
        draft.set_times(created=moment, updated=moment)
        if edit is not None:
            edit(draft)
        return self.publish(entry, look, draft, commits=not needs_data)

    def change(self, entry: Entry, look: Look, edit: Edit) -> Look:
        """Replace a session's document by one that says something else."""
        draft = changed(look)
        edit(draft)
        self.write(look, draft.encode())
        return outcome(entry)

    def mend(self, entry: Entry, look: Look) -> Look:
        """Put right a document that would stand in the way, without changing what the session is.

        It is missing or damaged; or it truncates more lines than there are, which would hide the messages to come;
        or another one was to take its place, and a crash came between.
        """
        meta = look.meta
        if is_in_order(look):
            return look
        if meta.state is State.DAMAGED:
            self.context.files.keep(look.meta_path, look.base + BAD_META_SUFFIX)
        draft = same(look)
        draft.set_lines(count=look.lines, skip=min(meta.skip, look.lines))
        return self.publish(entry, look, draft)

    def publish(self, entry: Entry, look: Look, draft: Draft, *, commits: bool = False) -> Look:
        if look.meta_file is not None:
            self.write(look, draft.encode())
            return look_again(entry)
        file = self._temporary(draft.encode())
        with self.context.discarding(file.path):
            try:
                self.context.files.publish(file.path, look.meta_path)
            except FileExistsError:
                raise failures.Raced from None
        with failures.committed(look.key) if commits else contextlib.nullcontext():
            self.context.durability.named()
        return outcome(entry) if commits else look_again(entry)

    def write(self, look: Look, data: bytes) -> None:
        """Replace a document: the rename is the moment of the change."""
        file = self._temporary(data)
        with self.context.discarding(file.path):
            self.context.files.rename(file.path, look.meta_path)
        with failures.committed(look.key):
            self.context.files.sync_directory(self.context.directory)

    def _temporary(self, data: bytes) -> OpenFile:
        file = self.context.files.temporary(self.context.directory)
        with self.context.discarding(file.path):
            self.context.files.write(file, data)
            self.context.files.sync(file)
        return file


def is_in_order(look: Look) -> bool:
    """Whether a document stands in nobody's way: messages that are appended can be seen, and stay its session's."""
    meta = look.meta
    return meta.state is State.READ and meta.key == look.key and meta.skip <= look.lines and not meta.pending


def same(look: Look) -> Draft:
    """A document that says what there is."""
    draft = look.meta.edit(look.key)
    draft.set_lines(count=look.lines)
    draft.set_own(seen=look.data_state)
    draft.set_times(updated=look.updated)
    return draft


def changed(look: Look) -> Draft:
    """A document that says what there is, as of a change that happens now."""
    draft = same(look)
    draft.set_own(rev=fresh_token())
    moment = now()
    draft.set_times(created=look.meta.created or moment, updated=operations.later(look.updated, moment))
    return draft
