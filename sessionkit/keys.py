"""What may name a session. The rule stands here once; backends may rely on it."""

from __future__ import annotations

from sessionkit.errors import InvalidKeyError

MAX_KEY_BYTES = 1024


def check_key(key: str) -> None:
    """Refuse what is not a session key: any Unicode text of 1 to 1,024 UTF-8 bytes, without NUL and lone surrogates.

    Raises:
        TypeError: the key is not a string.
        InvalidKeyError: it is empty, too long, or has a character that no storage can hold.

    >>> check_key("telegram:-100123/456")
    """
    if not isinstance(key, str):
        raise TypeError(f"a session key is a string, not {type(key).__name__}")
    if not key:
        raise InvalidKeyError("a session key cannot be empty")
    if "\0" in key:
        raise InvalidKeyError(f"session key {key!r} contains a NUL character")
    if len(key) * 4 <= MAX_KEY_BYTES and key.isascii():
        return
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidKeyError(f"session key {key!r} contains a lone surrogate, which is not Unicode text") from None
    if size > MAX_KEY_BYTES:
        raise InvalidKeyError(
            f"session key {key[:40]!r}… is {size:,} bytes of UTF-8 long; at most {MAX_KEY_BYTES:,} are allowed"
        )
