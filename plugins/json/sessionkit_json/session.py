"""A session in memory that knows what of it is in its file."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import attrs

from sessionkit.errors import VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import ABSENT, UNCHANGED, Session, Version
from sessionkit.state import SessionState
from sessionkit_json.directory import File
from sessionkit_json.document import Document
from sessionkit_json.temporary import Fingerprint


@attrs.frozen
class Stored:
    """The document that a session was read from, or last saved to."""

    path: Path
    fingerprint: Fingerprint
    checksum: int
    version: Version
    count: int

    @classmethod
    def of(cls, file: File) -> Stored:
        """What is to be known of a file afterwards."""
        session = file.document.session
        return cls(file.path, file.fingerprint, file.checksum, session.version, session.count)


@attrs.define(kw_only=True, eq=False)
class JsonSession(SessionState):
    """A state, and what of it is stored.

    Attributes:
        extra: fields of the document that nobody here knows.
        stored: the document that this state goes back to; None when there is none.
        only_appended: whether appends are all that happened since then.
        repeatable: whether what happened since then would, done once more, change nothing: it is replacements alone.
        attempted: the version that was last tried to be written. When a failed attempt took effect all the same,
            the document is known by it.
    """

    extra: dict[str, Any] = attrs.Factory(dict)
    stored: Stored | None = None
    only_appended: bool = True
    repeatable: bool = True
    attempted: Version = ABSENT

    @classmethod
    def read(cls, key: str, fresh: Callable[[], str], file: File | None) -> Self:
        """The state that a file holds; without a file, that of a session that does not exist."""
        if file is None:
            return cls(key=key, fresh=fresh)
        session = file.document.session
        return cls(
            key=key,
            fresh=fresh,
            messages=list(session.messages),
            summary=session.summary,
            created=session.created,
            updated=session.updated,
            metadata=session.metadata,
            aliases=session.aliases,
            version=session.version,
            generation=session.generation,
            extra=file.document.extra,
            stored=Stored.of(file),
        )

    @property
    def unsaved(self) -> bool:
        """Whether the document is to be written."""
        return self.version != (ABSENT if self.stored is None else self.stored.version)

    def copy(self) -> JsonSession:
        """A state of its own, as this one is now."""
        return attrs.evolve(self, messages=list(self.messages))

    def document(self) -> Document:
        """What to write, as the session is now."""
        return Document(self.snapshot(None), self.extra)

    def append(self, messages: Sequence[Message]) -> Version:
        """As for every state; once more would be twice."""
        self.repeatable = False
        return super().append(messages)

    def update(self, **fields: Any) -> Version:
        """As for every state; what was only appended is so no longer."""
        before = self.version
        version = super().update(**fields)
        self.only_appended = self.only_appended and version == before
        self.repeatable = self.repeatable or fields.get("messages", UNCHANGED) is not UNCHANGED
        return version

    def truncate(self, **arguments: Any) -> Version:
        """As for every state; what was only appended is so no longer."""
        before = self.version
        version = super().truncate(**arguments)
        self.only_appended = self.only_appended and version == before
        self.repeatable = self.repeatable and version == before
        return version

    def reconcile(self, file: File | None) -> None:
        """Take in what another process did to the document since it was read: its appends, when we appended too.

        When both replaced the session by the same, as two imports do, there is nothing to take in but the tokens.

        Raises:
            VersionConflict: it did something else, or we did; both are left as they are.
        """
        if file is not None and file.document.session.version == self.attempted:
            return
        base = 0 if self.stored is None else self.stored.count
        appended = self.messages[base:]
        if file is not None and self.repeatable and self._says_the_same(file.document.session):
            self._become(file)
            return
        if file is None or not self.only_appended or not self._is_base_of(file.document.session, base):
            raise VersionConflict(
                f"session {self.key!r} has unsaved changes, and another process "
                f"{'deleted' if file is None else 'changed'} its document; nothing was overwritten. "
                "Fork the session to keep what is unsaved; discard_unsaved(), or a store opened anew, "
                "shows the document as it is"
            )
        self._become(file)
        self.append(appended)

    def _become(self, file: File) -> None:
        theirs = JsonSession.read(self.key, self.fresh, file)
        for field in attrs.fields(JsonSession):
            setattr(self, field.name, getattr(theirs, field.name))

    def _says_the_same(self, theirs: Session) -> bool:
        """Whether the other session is this one but for its times and tokens."""
        ours = self.snapshot(None)
        content = operator.attrgetter("messages", "summary", "metadata", "aliases")
        return bool(content(ours) == content(theirs))

    def _is_base_of(self, theirs: Session, base: int) -> bool:
        return list(theirs.messages[:base]) == self.messages[:base]
