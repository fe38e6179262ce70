"""The ``.meta.json`` document: picoclaw's fields, and a field of ours named ``sessionkit``.

Reading is tolerant: a field of the wrong type reads as if it were absent, and every field that nobody here knows
survives rewriting. What is ours:

* ``metadata``: the session's metadata but for ``scope``, which stands at picoclaw's place;
* ``sessionkit.data``: a session without data file does not exist (it was deleted, or is about to be made);
* ``sessionkit.rev``: never repeats, changes with every change of what the document says;
* ``sessionkit.gen``: changes when messages are truncated;
* ``sessionkit.seen``: the state of the data file that ``updated_at`` speaks of;
* ``sessionkit.next``: a document that takes this one's place as soon as a certain data file is there.
"""

from __future__ import annotations

import enum
import hashlib
import re
from collections.abc import Mapping
from typing import Any, Final, Self

from msgspec import Struct
from msgspec.structs import replace

from sessionkit import codec
from sessionkit.errors import DecodeError

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""How Go writes that there is no time."""

_OWN: Final = "sessionkit"
_KEY = re.compile(rb'"key"\s*:\s*("(?:[^"\\]|\\.)*")')


class State(enum.Enum):
    """What became of the document."""

    MISSING = "missing"
    DAMAGED = "damaged"
    READ = "read"


class Meta(Struct, frozen=True):
    """One document, as it was read.

    Attributes:
        document: the JSON object; empty when there is none to be read.
        state: whether there is one.
        key: whose it is, as far as it can be read; None when nobody knows.
        fallback: stands for the revision when the document does not have one of ours.
        pending: whether the document on disk still has to be replaced by this one.
    """

    document: Mapping[str, Any]
    state: State
    key: str | None
    fallback: str
    pending: bool = False

    @classmethod
    def read(cls, data: bytes | None) -> Self:
        """Take in what a file holds, None when there is no file."""
        if data is None:
            return cls({}, State.MISSING, None, "0")
        fallback = "x" + hashlib.blake2b(data, digest_size=8).hexdigest()
        try:
            document = codec.decode(data)
        except DecodeError:
            document = None
        if type(document) is not dict:
            return cls({}, State.DAMAGED, _readable_key(data), fallback)
        return cls(document, State.READ, _text(document, "key") or None, fallback)

    def effective(self, nonce: str) -> Meta:
        """The document that counts beside the data file of this nonce."""
        following = self._own.get("next")
        if not isinstance(following, dict) or following.get("nonce") != nonce:
            return self
        document = following.get("document")
        return replace(self, document=document, pending=True) if isinstance(document, dict) else self

    @property
    def has_successor(self) -> bool:
        """Whether another document takes its place beside a certain data file."""
        return "next" in self._own

    @property
    def _own(self) -> dict[str, Any]:
        own = self.document.get(_OWN)
        return own if isinstance(own, dict) else {}

    @property
    def needs_data(self) -> bool:
        """Whether the session exists only if its data file does."""
        return self._own.get("data") is True

    @property
    def skip(self) -> int:
        """How many counted lines of the data file are truncated."""
        return _number(self.document, "skip")

    @property
    def count(self) -> int:
        """How many counted lines the data file had."""
        return _number(self.document, "count")

    @property
    def revision(self) -> str:
        """Changes with every change of what the document says."""
        return _text(self._own, "rev") or self.fallback

    @property
    def generation(self) -> str:
        """Changes with every truncation. Beside picoclaw, ``skip`` has to do."""
        return _text(self._own, "gen") or f"s{self.skip}"

    @property
    def seen(self) -> str:
        """The state of the data file that :attr:`updated` speaks of; ``""`` when picoclaw wrote the document."""
        return _text(self._own, "seen")

    @property
    def summary(self) -> str:
        """The session's summary."""
        return _text(self.document, "summary")

    @property
    def created(self) -> str:
        """When the session came to be; ``""`` when it is not known."""
        return self._time("created")

    @property
    def updated(self) -> str:
        """When the session had last changed, when the document was written; ``""`` when it is not known."""
        return self._time("updated")

    def _time(self, name: str) -> str:
        value = _text(self.document, f"{name}_at")
        return "" if value == ZERO_TIME else value

    @property
    def metadata(self) -> dict[str, Any]:
        """The session's metadata; what picoclaw keeps in ``scope`` is a part of it."""
        metadata = self.document.get("metadata")
        scope = self.document.get("scope")
        merged = dict(metadata) if isinstance(metadata, dict) else {}
        return {**merged, "scope": scope} if isinstance(scope, dict) else merged

    @property
    def aliases(self) -> tuple[str, ...]:
        """The session's other names."""
        aliases = self.document.get("aliases")
        return tuple(alias for alias in aliases if isinstance(alias, str)) if isinstance(aliases, list) else ()

    def edit(self, key: str) -> Draft:
        """A draft of the document that shall follow this one; it says the same until something is set."""
        document = {
            **dict.fromkeys(("key", "summary", "skip", "count", "created_at", "updated_at")),
            **self.document,
            "key": key,
            "summary": self.summary,
            "skip": self.skip,
            "count": self.count,
        }
        draft = Draft(document, {**self._own, "rev": self.revision, "gen": self.generation})
        draft.set_times(created=self.created, updated=self.updated)
        draft.drop_next()
        return draft


class Draft(Struct):
    """A document in the making."""

    _document: dict[str, Any]
    _own: dict[str, Any]

    def encode(self) -> bytes:
        """The document as a file holds it."""
        return codec.encode_pretty({**self._document, _OWN: self._own})

    def following(self, base: Meta, nonce: str) -> bytes:
        """The document ``base`` as a file holds it, with this one to take its place beside a data file."""
        following = {"nonce": nonce, "document": {**self._document, _OWN: self._own}}
        own = {**base._own, "rev": base.revision, "gen": base.generation, "next": following}
        return codec.encode_pretty({**base.document, _OWN: own})

    def drop_next(self) -> None:
        """Let no other document take this one's place."""
        self._own.pop("next", None)

    def set_own(self, **fields: str | bool) -> None:
        """Set fields of ours: ``data``, ``rev``, ``gen``, ``seen``."""
        self._own.update(fields)

    def set_lines(self, *, count: int, skip: int | None = None) -> None:
        """Set how many counted lines the data file has, and how many of them are truncated."""
        self._document["count"] = count
        if skip is not None:
            self._document["skip"] = skip

    def set_summary(self, summary: str) -> None:
        """Set the summary."""
        self._document["summary"] = summary

    def set_times(self, *, created: str | None = None, updated: str | None = None) -> None:
        """Set the times that are given."""
        for name, value in (("created", created), ("updated", updated)):
            if value is not None:
                self._document[f"{name}_at"] = value or ZERO_TIME

    def set_metadata(self, metadata: Mapping[str, Any]) -> None:
        """Set the metadata, with ``scope`` in picoclaw's place."""
        rest = dict(metadata)
        self._document.pop("scope", None)
        if isinstance(rest.get("scope"), dict):
            self._document["scope"] = rest.pop("scope")
        self._set_or_drop("metadata", rest)

    def set_aliases(self, aliases: tuple[str, ...]) -> None:
        """Set the aliases."""
        self._set_or_drop("aliases", list(aliases))

    def _set_or_drop(self, name: str, value: Any) -> None:
        self._document.pop(name, None)
        if value:
            self._document[name] = value


def _readable_key(data: bytes) -> str | None:
    match = _KEY.search(data)
    try:
        return str(codec.decode(match[1])) if match else None
    except DecodeError:
        return None


def _text(document: Mapping[str, Any], name: str) -> str:
    value = document.get(name)
    return value if isinstance(value, str) else ""


def _number(document: Mapping[str, Any], name: str) -> int:
    value = document.get(name)
    return value if type(value) is int and value > 0 else 0
