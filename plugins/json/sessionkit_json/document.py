"""The document of a session: picoclaw's JSON object, with ours beside its fields.

picoclaw reads ``key``, ``messages``, ``summary``, ``created`` and ``updated`` and ignores the rest. What it has no
place for stands in one more field, ``sessionkit``: metadata, aliases, and the tokens of version and generation with
a digest of the document that they were written with. When the digest does not fit, or the field is missing, somebody
else wrote the document, and the tokens are derived from its bytes. Fields that nobody here knows are kept.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError, InvalidKeyError
from sessionkit.keys import check_key
from sessionkit.messages import Message, borrow_objects
from sessionkit.sessions import Session, Version

ZERO_TIME: Final = "0001-01-01T00:00:00Z"
"""How picoclaw writes a time that is not known."""

OURS: Final = "sessionkit"
"""The field that holds what picoclaw has no place for."""

_KNOWN: Final = frozenset({"key", "messages", "summary", "created", "updated", OURS})


@attrs.frozen
class Document:
    """What a document says.

    Attributes:
        session: the session with all its messages.
        extra: the top-level fields that nobody here knows.
    """

    session: Session
    extra: dict[str, Any]


def decode(data: bytes, *, named: str = "") -> Document | None:
    """Read a document; None for JSON that is no session's (the metadata of a jsonl session has no messages).

    Args:
        data: the document.
        named: the key of a document that has none in it.

    Raises:
        DecodeError: the data is not JSON, or a session's with a field of a wrong type.
    """
    fields = codec.decode(data)
    if not isinstance(fields, dict) or "messages" not in fields:
        return None
    key = fields.get("key") or named
    if not _is_key(key):
        return None
    messages = _messages(fields["messages"])
    ours = fields.get(OURS)
    ours = ours if isinstance(ours, dict) else {}
    version, generation = _tokens(fields, ours, data)
    metadata, aliases = ours.get("metadata"), ours.get("aliases")
    session = Session(
        key=key,
        messages=messages,
        count=len(messages),
        summary=_summary(fields.get("summary")),
        created=_time(fields.get("created")),
        updated=_time(fields.get("updated")),
        metadata=metadata if isinstance(metadata, dict) else {},
        aliases=[alias for alias in aliases if isinstance(alias, str)] if isinstance(aliases, list) else [],
        version=version,
        generation=generation,
    )
    return Document(session, {name: value for name, value in fields.items() if name not in _KNOWN})


def encode(document: Document) -> bytes:
    """Write a document as picoclaw lays it out: two-space indent, the summary left out when it is empty."""
    session = document.session
    fields: dict[str, Any] = {"key": session.key, "messages": borrow_objects(session.messages)}
    if session.summary:
        fields["summary"] = session.summary
    fields["created"] = session.created or ZERO_TIME
    fields["updated"] = session.updated or ZERO_TIME
    fields.update(document.extra)
    ours: dict[str, Any] = {}
    if session.metadata:
        ours["metadata"] = session.metadata
    if session.aliases:
        ours["aliases"] = list(session.aliases)
    ours["version"] = session.version
    ours["generation"] = session.generation
    fields[OURS] = ours
    compact = bytearray()
    codec.encode_into(fields, compact)
    # Ours is the last field and never empty: the digest goes in before the two braces that end the document.
    compact[-2:] = b',"digest":"%b"}}' % _digest(compact).encode()
    return codec.indent(compact)


def _tokens(fields: dict[str, Any], ours: dict[str, Any], data: bytes) -> tuple[Version, str]:
    """The tokens that stand in a document, when nothing in it was changed since; else tokens of its bytes."""
    digest, version, generation = ours.get("digest"), ours.get("version"), ours.get("generation")
    if isinstance(version, str) and isinstance(generation, str) and version and generation:
        unsigned = {name: value for name, value in ours.items() if name != "digest"}
        if digest == _digest(codec.encode({**fields, OURS: unsigned})):
            return version, generation
    token = f"file-{hashlib.sha256(data).hexdigest()[:32]}"
    return token, token


def _digest(unsigned: bytes | bytearray) -> str:
    """A digest of the compact document, which is the same whatever white space there was."""
    return hashlib.sha256(unsigned).hexdigest()[:32]


def _is_key(value: object) -> bool:
    if not isinstance(value, str):
        return False
    try:
        check_key(value)
    except InvalidKeyError:
        return False
    return True


def _messages(value: object) -> list[Message]:
    if value is None:  # how Go writes a list that was never made
        return []
    if not isinstance(value, list):
        raise DecodeError(f"messages is {_kind(value)}, not an array")
    for position, item in enumerate(value):
        if not isinstance(item, dict):
            raise DecodeError(f"messages[{position}] is {_kind(item)}, not an object")
    return [Message.adopt(item) for item in value]


def _summary(value: object) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DecodeError(f"summary is {_kind(value)}, not a string")
    return value


def _time(value: object) -> str:
    return value if isinstance(value, str) and value != ZERO_TIME else ""


def _kind(value: object) -> str:
    return {dict: "an object", list: "an array", str: "a string", bool: "a boolean", type(None): "null"}.get(
        type(value), "a number"
    )
