"""The keys that sessions have in the server.

A session's keys and the entry of the index that tells of it share a hash tag, and so a slot of a cluster: one
script changes them together. The tag is a bucket, a number made of the session's key, because the index needs
one; the session's key stands behind the tag, where nothing in it can move the slot.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from typing import Final

import attrs

from sessionkit.errors import ConfigError

BUCKETS: Final = 256
"""Over how many index keys the sessions are spread; part of the format."""

MAX_PREFIX_BYTES: Final = 128


@attrs.frozen
class SessionKeys:
    """The keys of one session, as bytes, and those that a write to it may need.

    Attributes:
        data: a hash with everything but the messages.
        messages: a list of them, each a JSON object, oldest first.
        index: a sorted set of the keys of the bucket's sessions.
    """

    key: bytes
    data: bytes
    messages: bytes
    index: bytes
    _base: bytes

    @property
    def written(self) -> tuple[bytes, bytes, bytes]:
        """What the scripts of writes call KEYS[1] to KEYS[3]."""
        return self.data, self.messages, self.index

    def staging(self, nonce: str) -> bytes:
        """A list that a new history is collected in before it takes the place of the old one."""
        return self._base + b"t:" + nonce.encode("ascii")

    @property
    def damaged(self) -> bytes:
        """A list of what could not be read of the session; it goes when the session is deleted."""
        return self._base + b"q:" + self.key

    def aside(self, nonce: str) -> bytes:
        """What held something of another kind, under another name."""
        return self._base + b"o:" + nonce.encode()

    def tombstone(self, nonce: str) -> bytes:
        """What tells a repeated deletion that it has been done."""
        return self._base + b"x:" + nonce.encode("ascii")


@attrs.frozen
class Keyspace:
    """All keys below a prefix. Those of the sessions that were used last are kept, and not made again.

    >>> Keyspace("sk").session("a{b}").messages
    b'sk:{95}:m:a{b}'
    """

    prefix: str = attrs.field()

    @prefix.validator
    def _check_prefix(self, attribute: object, value: str) -> None:
        if not value or "{" in value or "}" in value or not value.isprintable() or " " in value:
            raise ConfigError("prefix is 1 to 128 printable characters without spaces and without { and }")
        if len(value.encode()) > MAX_PREFIX_BYTES:
            raise ConfigError(f"prefix has {len(value.encode())} bytes; at most {MAX_PREFIX_BYTES} are allowed")

    @property
    def marker(self) -> bytes:
        """The key that says which format the sessions of this prefix have."""
        return f"{self.prefix}:format".encode()

    def session(self, key: str) -> SessionKeys:
        """The keys of a session."""
        return _session_keys(self.prefix, key)

    def indexes(self) -> list[bytes]:
        """The index keys of all buckets."""
        return [_base(self.prefix, bucket) + b"i" for bucket in range(BUCKETS)]


@lru_cache(maxsize=1024)
def _session_keys(prefix: str, key: str) -> SessionKeys:
    raw = key.encode("utf-8")
    bucket = int.from_bytes(hashlib.blake2b(raw, digest_size=4).digest()) % BUCKETS
    base = _base(prefix, bucket)
    return SessionKeys(raw, base + b"h:" + raw, base + b"m:" + raw, base + b"i", base)


def _base(prefix: str, bucket: int) -> bytes:
    return f"{prefix}:{{{bucket}}}:".encode()
