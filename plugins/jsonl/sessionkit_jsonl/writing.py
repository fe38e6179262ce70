"""What each write operation does, under the session's lock. Every one commits by one append or one rename."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import astuple

from sessionkit import operations
from sessionkit.sessions import ABSENT, UNCHANGED, Unchanged, Version, now
from sessionkit_jsonl import failures
from sessionkit_jsonl.appending import Appender
from sessionkit_jsonl.context import Context, look_again, outcome
from sessionkit_jsonl.directory import BESIDE
from sessionkit_jsonl.documents import Documents, Edit, same
from sessionkit_jsonl.entry import Entry
from sessionkit_jsonl.files import status_of
from sessionkit_jsonl.look import Look
from sessionkit_jsonl.marks import fresh_token
from sessionkit_jsonl.meta import Draft, State
from sessionkit_jsonl.rewriting import Rewriter

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class Fields(Struct, frozen=True, kw_only=True):
    """What an update sets in the document."""

    summary: str | _Unchanged = UNCHANGED
    metadata: dict[str, Any] | _Unchanged = UNCHANGED
    aliases: Sequence[str] | _Unchanged = UNCHANGED
    created: str | _Unchanged = UNCHANGED
    updated: str | _Unchanged = UNCHANGED

    def __bool__(self) -> bool:
        return any(value is not UNCHANGED for value in astuple(self))

    def apply(self, draft: Draft) -> None:
        """Set them in a draft."""
        if self.summary is not UNCHANGED:
            draft.set_summary(self.summary)
        if self.metadata is not UNCHANGED:
            draft.set_metadata(self.metadata)
        if self.aliases is not UNCHANGED:
            draft.set_aliases(tuple(self.aliases))
        if self.created is not UNCHANGED:
            draft.set_times(created=self.created or now())
        if self.updated is not UNCHANGED:
            draft.set_times(updated=self.updated)


class Writer(Struct, frozen=True):
    """The write operations of an open directory."""

    context: Context
    documents: Documents
    appender: Appender
    rewriter: Rewriter

    @classmethod
    def of(cls, context: Context) -> Writer:
        """Put the parts together."""
        documents = Documents(context)
        return cls(context, documents, Appender(context), Rewriter(context, documents))

    def append(self, entry: Entry, look: Look, records: Sequence[bytes]) -> Version:
        """Append messages as one unit."""
        if not look.exists:
            self.finish_deletion(look)
            return self.rewriter.create(entry, look, records).version
        look = self.documents.mend(entry, look)
        if look.data is None:
            return self.rewriter.begin(entry, look, records).version
        state = self.appender.append(entry, look, records)
        return f"{state}.{look.meta.revision}"

    def update(self, entry: Entry, look: Look, records: Sequence[bytes] | None, fields: Fields) -> Version:
        """Replace the history (unless ``records`` is None) and fields of the document in one step."""
        if not look.exists:
            self.finish_deletion(look)
            if records:
                return self.rewriter.create(entry, look, records, fields.apply).version
            return self.documents.create(entry, look, needs_data=False, edit=fields.apply).version
        if records is None and not fields:
            return look.version
        if records is not None:
            if self.context.options.archive:
                look = self.settled(entry, look)
            return self.rewriter.replace(entry, look, records, fields.apply if fields else None).version
        look = self.settled(entry, look)
        return self.documents.change(entry, look, fields.apply).version

    def truncate(
        self, entry: Entry, look: Look, keep_last: int | None, drop_first: int | None, summary: str | _Unchanged
    ) -> Version:
        """Remove the oldest messages and set the summary in one step."""
        fields = Fields(summary=summary)
        if not look.exists:
            return self.update(entry, look, None, fields) if fields else ABSENT
        drop = operations.dropped(look.count, keep_last, drop_first)
        if not drop:
            return self.update(entry, look, None, fields)
        look = self.settled(entry, look)
        if drop == look.count:
            skip = look.lines
        else:
            assert look.data is not None
            with entry.mutex:
                place = look.index.place(look.data, look.index.hidden + drop)
                if not place.whole:  # two messages in one line, whose newline was lost: ``skip`` cannot part them
                    records = list(look.index.records(look.data, look.index.hidden + drop))
            if not place.whole:
                return self.rewriter.replace(entry, look, records, fields.apply if fields else None).version
            skip = place.line
        return self.documents.change(entry, look, _truncation(look, skip, fields.apply)).version

    def settled(self, entry: Entry, look: Look) -> Look:
        """The session with its document in order, and its log closed and durable: what a rewrite begins with."""
        return self.appender.settle(entry, self.documents.mend(entry, look))

    def delete(self, entry: Entry, look: Look) -> bool:
        """Remove a session: when it has a data file, by removing that.

        Nothing of it may be found later by another session. So what stands beside the data file goes while the
        document still says whose it was, and that there is no such session.
        """
        if not look.exists:
            self.finish_deletion(look)
            return False
        files, directory = self.context.files, self.context.directory
        remains = self._remains(look)
        if look.data is not None or remains:
            look = self._require_data(entry, look, must_stay=bool(remains))
        if look.data is not None:
            files.remove(look.data_path)
            self.context.durability.replaced(look.data_path)
            with failures.committed(look.key):
                files.sync_directory(directory)
        with failures.committed(look.key):
            self._remove(remains)
        with contextlib.suppress(OSError) if look.data is not None else failures.committed(look.key):
            files.remove(look.meta_path)
            files.sync_directory(directory)
        return True

    def finish_deletion(self, look: Look) -> None:
        """Remove what a deletion left behind that was cut short, of a session that is not there."""
        if not look.exists and look.meta.needs_data:
            self._remove(self._remains(look))

    def _remains(self, look: Look) -> list[str]:
        """What stands beside a session's files."""
        paths = (look.base + suffix for suffix in BESIDE)
        return [path for path in paths if status_of(path) is not None]

    def _remove(self, paths: list[str]) -> None:
        for path in paths:
            self.context.files.remove(path)
        if paths:
            self.context.files.sync_directory(self.context.directory)

    def _require_data(self, entry: Entry, look: Look, *, must_stay: bool) -> Look:
        """Let the document say that without data file there is no session; ``must_stay``: make one that is missing."""
        if must_stay:
            look = self.documents.mend(entry, look)
        if look.meta.state is State.MISSING or look.meta.needs_data:
            return look
        draft = same(look)
        draft.set_own(data=True)
        self.documents.write(look, draft.encode())
        return look_again(entry)

    def save(self, entry: Entry, look: Look, *, compact: bool = True) -> None:
        """Make durable all that stands in the files, and rewrite the data file when that saves enough."""
        if look.data is None:
            if look.exists:
                self.context.durability.named()
            return
        file = self.appender.open(entry, look)  # which sees to its name
        self.appender.sync(entry, look, file)
        if not compact:
            return
        if self.rewriter.is_worthwhile(entry, look):
            self.rewriter.compact(entry, self.settled(entry, look))
            return
        tail = entry.tail  # another thread may forget it at any time
        if tail is not None and tail.covers(file, look.size):
            tail.at_rest = True

    def compact(self, entry: Entry, look: Look) -> int:
        """Rewrite the data file when that saves anything. Returns how many bytes it saved."""
        if look.data is None or not self.rewriter.is_worthwhile(entry, look, 1):
            return 0
        self.rewriter.compact(entry, self.settled(entry, look))
        return max(look.size - outcome(entry).size, 0)


def _truncation(look: Look, skip: int, edit: Edit) -> Edit:
    def apply(draft: Draft) -> None:
        draft.set_lines(count=look.lines, skip=skip)
        draft.set_own(gen=fresh_token())
        edit(draft)

    return apply
