"""What a session is at one moment, as its two files tell."""

from __future__ import annotations

from datetime import UTC, datetime

from msgspec import Struct, field

from sessionkit import operations
from sessionkit.sessions import ABSENT, Version
from sessionkit_jsonl.files import OpenFile
from sessionkit_jsonl.index import Index
from sessionkit_jsonl.marks import Header
from sessionkit_jsonl.meta import Meta, State
from sessionkit_jsonl.stretch import Last, Stretch


def data_state(header: Header | None, last: Last | None) -> str:
    """Names the contents of a data file: the part of a version that appends change, and compaction does not."""
    nonce = header.nonce if header else "-"
    if header is None or last is None:
        return f"{nonce}.0"
    return f"{nonce}.{header.base + last.end:x}.{last.checksum:08x}"


class Look(Struct, frozen=True, kw_only=True):
    """A session at one moment.

    Attributes:
        key: its key.
        base: the path of its files, without suffix.
        meta_file: the document that was read, held open so that no other one takes its inode; None without one.
        meta: the document that counts.
        data: the data file; None without one.
        header: what the data file says of itself.
        size: how long the data file is.
        modified_ns: when it was last written.
        index: what stands in it.
        rest: what stands behind what the index knows.
    """

    key: str
    base: str
    meta_file: OpenFile | None
    meta: Meta
    data: OpenFile | None = None
    header: Header | None = None
    size: int = 0
    modified_ns: int = 0
    index: Index = field(default_factory=lambda: Index(0))
    rest: Stretch = field(default_factory=Stretch)

    @property
    def meta_path(self) -> str:
        """The path of the document."""
        return f"{self.base}.meta.json"

    @property
    def data_path(self) -> str:
        """The path of the data file."""
        return f"{self.base}.jsonl"

    @property
    def exists(self) -> bool:
        """Whether there is such a session."""
        return self.data is not None or (self.meta.state is not State.MISSING and not self.meta.needs_data)

    @property
    def count(self) -> int:
        """How many messages it has."""
        return self.index.seen - self.index.hidden + len(self.rest.values)

    @property
    def lines(self) -> int:
        """How many counted lines the data file has."""
        return self.index.lines + self.rest.lines

    @property
    def last(self) -> Last | None:
        """Where its last message ends."""
        if not self.count:
            return None
        rest = self.rest.last
        return self.index.last if rest is None else Last(self.index.end + rest.end, rest.checksum)

    @property
    def data_state(self) -> str:
        """See :func:`data_state`."""
        return data_state(self.header, self.last)

    @property
    def version(self) -> Version:
        """The token of its state."""
        return f"{self.data_state}.{self.meta.revision}" if self.exists else ABSENT

    @property
    def generation(self) -> str:
        """The token that appends leave alone."""
        if not self.exists:
            return ""
        return f"{self.header.generation if self.header else ''}.{self.meta.generation}"

    @property
    def updated(self) -> str:
        """When it last changed: what the document says, unless the data file was written since."""
        if self.data is None or self._seen_by_meta:
            return self.meta.updated
        return operations.later(self.meta.updated, moment(self.modified_ns))

    @property
    def _seen_by_meta(self) -> bool:
        if self.meta.seen:
            return self.meta.seen == self.data_state
        return self.meta.state is State.READ and self.meta.count == self.lines

    @property
    def torn(self) -> bool:
        """Whether the data file does not end with a newline."""
        return self.data is not None and self.size > 0 and self.data.read(self.size - 1, 1) != b"\n"


def moment(nanoseconds: int) -> str:
    """A time of the file system as RFC 3339 with zone and microseconds."""
    return (
        datetime.fromtimestamp(nanoseconds // 1_000_000_000, UTC)
        .replace(microsecond=nanoseconds // 1000 % 1_000_000)
        .isoformat(timespec="microseconds")
        .replace("+00:00", "Z")
    )
