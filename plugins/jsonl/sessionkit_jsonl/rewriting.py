"""Writing a data file anew: another history, or the same one without what is truncated."""

from __future__ import annotations

import itertools
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from sessionkit.errors import OutcomeUnknownError
from sessionkit_jsonl import failures, marks, removing
from sessionkit_jsonl.context import Context, look_again, outcome
from sessionkit_jsonl.directory import ARCHIVE_SUFFIX, DAMAGED_SUFFIX
from sessionkit_jsonl.documents import Documents, Edit, changed, same
from sessionkit_jsonl.entry import Entry, log
from sessionkit_jsonl.files import OpenFile, status_of
from sessionkit_jsonl.lines import in_utf8
from sessionkit_jsonl.look import Look, data_state
from sessionkit_jsonl.marks import Header, fresh_token
from sessionkit_jsonl.meta import Draft
from sessionkit_jsonl.stretch import Last

_FOLD_BYTES: Final = 4096
"""How much filler a file may begin with, in bytes."""

_BUFFER: Final = 1 << 20


class Composed(Struct, frozen=True):
    """A data file that is complete and synced, and has a temporary name."""

    file: OpenFile
    header: Header
    last: Last | None
    lines: int

    @property
    def data_state(self) -> str:
        """The state of the data file that it will be."""
        return data_state(self.header, self.last)


class Rewriter(Struct, frozen=True):
    """Writes data files anew under the session's lock."""

    context: Context
    documents: Documents

    def create(self, entry: Entry, look: Look, records: Iterable[bytes], edit: Edit | None = None) -> Look:
        """Make a session with a history: its document first, which says that there is no session without data file."""
        composed = self._compose(records, Header(fresh_token()))
        with self.context.discarding(composed.file.path):
            look = self.documents.create(entry, look, needs_data=True, edit=_seeing(composed, edit))
            self._begin(entry, look, composed)
        return outcome(entry)

    def begin(self, entry: Entry, look: Look, records: Iterable[bytes]) -> Look:
        """Give a session its first messages, which has a document and no data file."""
        composed = self._compose(records, Header(fresh_token()))
        with self.context.discarding(composed.file.path):
            self._begin(entry, look, composed)
        return outcome(entry)

    def _begin(self, entry: Entry, look: Look, composed: Composed) -> None:
        """Let a composed file be the data file, where there is none."""
        try:
            self.context.files.publish(composed.file.path, look.data_path)
        except FileExistsError:
            raise failures.Raced from None
        self._make_name_durable(entry, look, composed)

    def replace(self, entry: Entry, look: Look, records: Sequence[bytes], edit: Edit | None) -> Look:
        """Replace the history; with ``edit``, what the document says in the same step.

        Lines of filler stand where the document says that lines are truncated, so that it need not change. When
        it has to, the new one waits inside the old one, until the data file appears that it belongs to.

        With an archive, what is replaced stays in front, truncated, until compaction archives it. The caller has
        settled the file then.
        """
        look = self.documents.mend(entry, look)
        header = Header(fresh_token(), generation=fresh_token())
        old = self._replaced(entry, look, records)
        composed = self._compose(records, header, filler=0 if old else look.meta.skip, truncated=old)
        following = None
        with self.context.discarding(composed.file.path):
            if edit is not None or old:
                following = changed(look)
                if old:
                    following.set_lines(count=composed.lines, skip=len(old))
                _seeing(composed, edit)(following)
                self.documents.write(look, following.following(look.meta, composed.header.nonce))
            self._install(entry, look, composed)
        try:
            if following is not None:
                self.documents.write(look, following.encode())
            self._tidy(entry, look_again(entry), truncated=bool(old))
        except (OSError, OutcomeUnknownError) as error:  # the change is made; the next write or save does the rest
            log.warning("session %r is changed, and not tidied up: %s", look.key, error)
        return outcome(entry)

    def _replaced(self, entry: Entry, look: Look, records: Sequence[bytes]) -> list[bytes]:
        """What no history will have any more once this one is there, and what was truncated before."""
        if not self.context.options.archive or look.data is None:
            return []
        with entry.mutex:
            truncated = [one.record for one in removing.truncated(look, removing.visible_from(look), [])]
            history = list(look.index.records(look.data, look.index.hidden))
        return truncated + removing.missing(history, records)

    def _tidy(self, entry: Entry, look: Look, *, truncated: bool) -> None:
        """Remove what the new data file begins with, when that is worth it."""
        if truncated:
            if self.is_worthwhile(entry, look):
                self.compact(entry, look)
        elif 2 * look.meta.skip > _FOLD_BYTES:
            self._fold(entry, look)

    def is_worthwhile(self, entry: Entry, look: Look, threshold: int | None = None) -> bool:
        """Whether enough of the data file is no part of the history any more: by default what the options say."""
        if look.data is None or look.header is None:
            return False
        threshold = max(self.context.options.compact_threshold if threshold is None else threshold, 1)
        with entry.mutex:
            if look.count and look.index.bound(look.index.hidden) + look.index.waste + look.rest.size < threshold:
                return False  # as a rule, and nothing was read
            return _garbage(look) >= threshold

    def compact(self, entry: Entry, look: Look) -> None:
        """Write the same history without what is truncated. Its version stays.

        The caller settled the file.
        """
        look = self.documents.mend(entry, look)
        assert look.data is not None
        if self.context.options.archive:
            self._archive(entry, look)
        else:
            self._quarantine(look, look.index.damage(look.data))
        self._copy(entry, look, filler=look.meta.skip)
        look = look_again(entry)
        if 2 * look.meta.skip > min(_FOLD_BYTES, self.context.options.compact_threshold):
            self._fold(entry, look)

    def salvage(self, entry: Entry, look: Look, damage: Iterable[bytes]) -> None:
        """Put damaged lines aside, and write the log with what can be read of it. What is truncated stays so.

        The caller settled the file, and its document is in order.

        Args:
            entry: the session.
            look: what it is.
            damage: lines of the log as they are, with what can be read of them and what cannot.
        """
        assert look.data is not None
        header = look.header or Header(fresh_token())  # a log of which nothing can be read has none
        self.set_aside(look, damage)
        counter = itertools.count()
        with entry.mutex:
            readable = look.index.records(look.data, look.index.hidden)
            records = (in_utf8(record) for record, _ in zip(readable, counter, strict=False))
            like = look if look.header else None
            composed = self._compose(records, header, truncated=removing.skipped(look), like=like)
        with self.context.discarding(composed.file.path):
            if next(counter) != look.count:
                raise failures.Raced  # what was seen is what must be there
            self._install(entry, look, composed)

    def _fold(self, entry: Entry, look: Look) -> None:
        """Do without filler: first the document stops counting it, and then it goes. Nobody sees a difference."""
        draft = same(look)
        draft.set_lines(count=look.lines - look.meta.skip, skip=0)
        self.documents.write(look, draft.encode())
        self._copy(entry, look_again(entry), filler=0)

    def _copy(self, entry: Entry, look: Look, *, filler: int) -> None:
        """Write the messages to a new file, byte for byte; its version is that of the old one."""
        assert look.data is not None
        assert look.header is not None
        with entry.mutex:
            records = look.index.records(look.data, look.index.hidden)
            composed = self._compose(records, look.header, filler=filler, like=look)
        with self.context.discarding(composed.file.path):
            self._install(entry, look, composed)

    def _archive(self, entry: Entry, look: Look) -> None:
        """Put the truncated messages into the archive, before a file is written without them."""
        assert look.data is not None
        assert look.header is not None
        with entry.mutex:
            visible = removing.visible_from(look)
        damage: list[bytes] = []
        from sessionkit_jsonl.archive import Archive  # hardly any store has one

        archive = Archive(self.context.files, self.context.directory, look.base + ARCHIVE_SUFFIX, look.key)
        archive.add(look.header.nonce, removing.truncated(look, visible, damage))
        self._quarantine(look, itertools.chain(damage, look.index.damage(look.data, visible)))

    def _quarantine(self, look: Look, damage: Iterable[bytes]) -> None:
        """Put aside the lines that nobody can read, before a file is written without them."""
        assert look.data is not None
        self.set_aside(look, itertools.chain(damage, [look.data.read(look.index.end, look.size - look.index.end)]))

    def set_aside(self, look: Look, damage: Iterable[bytes]) -> None:
        """Append lines to the file of what could not be read; durable on return."""
        lines = (line for line in damage if line.strip(b"\r\n"))
        first = next(lines, None)
        if first is None:
            return
        files, path = self.context.files, look.base + DAMAGED_SUFFIX
        file = files.create(path) if status_of(path) is None else files.open_for_appending(path)
        for line in itertools.chain([first], lines):
            files.write(file, line)
        files.sync(file)
        files.sync_directory(self.context.directory)

    def _install(self, entry: Entry, look: Look, composed: Composed) -> None:
        """Let a composed file take the place of the data file: the moment of the change."""
        self.context.files.rename(composed.file.path, look.data_path)
        self._make_name_durable(entry, look, composed)

    def _make_name_durable(self, entry: Entry, look: Look, composed: Composed) -> None:
        self.context.durability.replaced(look.data_path)
        with failures.committed(look.key):
            self.context.durability.named()
        entry.durable = composed.file.inode

    def _compose(
        self,
        records: Iterable[bytes],
        header: Header,
        *,
        filler: int = 0,
        like: Look | None = None,
        truncated: Iterable[bytes] = (),
    ) -> Composed:
        """Write a data file under a temporary name.

        Args:
            records: its messages.
            header: what it says of itself.
            filler: how many lines of filler it begins with.
            like: the file that it is a copy of; its version and time go over.
            truncated: messages that it begins with and that are no part of the history.
        """
        files = self.context.files
        file = files.temporary(self.context.directory)
        with self.context.discarding(file.path):
            lines, last = self._fill(file, _layout(records, header, filler, truncated))
            if like is not None:
                header = replace(header, base=_base(like, last.end if last else file.status().st_size))
                files.overwrite(file, _header_offset(file, header), header.text().encode("ascii"))
            if like is not None:
                files.set_modified(file, like.modified_ns)
            files.sync(file)
        return Composed(file, header, last, lines)

    def _fill(self, file: OpenFile, layout: Iterator[tuple[bytes, bytes | None]]) -> tuple[int, Last | None]:
        """Write lines. Returns how many, and where the last message ends."""
        buffer: list[bytes] = []
        size = pending = lines = 0
        last = None
        for line, record in layout:
            buffer.append(line)
            size += len(line)
            pending += len(line)
            lines += 1
            if record is not None:
                last = Last(size - 1, zlib.crc32(record))
            if pending >= _BUFFER:
                self.context.files.write(file, b"".join(buffer))
                buffer, pending = [], 0
        self.context.files.write(file, b"".join(buffer))
        return lines, last


def _layout(
    records: Iterable[bytes], header: Header, filler: int, truncated: Iterable[bytes]
) -> Iterator[tuple[bytes, bytes | None]]:
    """The lines of a data file, each with the message in it. The first one carries the header."""
    remaining, before = iter(records), iter(truncated)
    hidden = next(before, None)
    first = None if filler or hidden is not None else next(remaining, None)
    if first is not None:
        yield marks.as_line(first, header.text()), first
    elif hidden is not None and hidden != marks.FILLER:
        yield marks.as_line(hidden, header.text()), None
    else:
        yield header.line(), None
    for record in before:
        yield marks.as_line(record), None
    for _ in range(filler - 1):
        yield marks.FILLER + b"\n", None
    for record in remaining:
        yield marks.as_line(record), record


def _base(like: Look, end: int) -> int:
    """What to add to positions in a copy, so that those of the messages to come are none that were there before.

    Args:
        like: what is copied.
        end: where the last message of the copy ends, or the copy itself when it has none.
    """
    assert like.header is not None
    return like.header.base + (like.last.end if like.last else like.size) - end


def _header_offset(file: OpenFile, header: Header) -> int:
    return file.read(0, 64).index(b"h=" + header.nonce.encode())


def _garbage(look: Look) -> int:
    """How many bytes a copy would save, about."""
    assert look.data is not None
    assert look.header is not None
    index = look.index
    if not look.count:
        return max(look.size - len(look.header.line()), 0) if look.size else 0
    return removing.visible_from(look) + index.waste + look.rest.size


def _seeing(composed: Composed, edit: Edit | None) -> Edit:
    """An edit after which the document also speaks of the file that is to come."""

    def apply(draft: Draft) -> None:
        draft.set_lines(count=composed.lines)
        draft.set_own(seen=composed.data_state)
        if edit is not None:
            edit(draft)

    return apply
