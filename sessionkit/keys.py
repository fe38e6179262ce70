"""What may name a session. The rule stands here once; backends may rely on it."""

from __future__ import annotations

from sessionkit.errors import InvalidKeyError

MAX_KEY_BYTES = 1024

_SHOWN = 40


def check_key(key: str) -> str:
    """Refuse what is not a session key: any Unicode text of 1 to 1,024 UTF-8 bytes, without NUL and lone surrogates.

    Returns:
        The key as a plain string: of a subclass, such as a member of an enum, its text.

    Raises:
        TypeError: the key is not a string.
        InvalidKeyError: it is empty, too long, or has a character that no storage can hold.

    >>> check_key("telegram:-100123/456")
    'telegram:-100123/456'
    """
    if type(key) is str and key and key.isascii() and len(key) <= MAX_KEY_BYTES and "\0" not in key:
        return key  # nearly all of them
    if not isinstance(key, str):
        raise TypeError(f"a session key is a string, not {type(key).__name__}")
    if type(key) is not str:
        key = str.__str__(key)
    if not key:
        raise InvalidKeyError("a session key cannot be empty")
    if "\0" in key:
        raise InvalidKeyError(f"session key {_shown(key)} contains a NUL character")
    try:
        size = len(key.encode("utf-8"))
    except UnicodeEncodeError:
        raise InvalidKeyError(
            f"session key {_shown(key)} contains a lone surrogate, which is not Unicode text"
        ) from None
    if size > MAX_KEY_BYTES:
        raise InvalidKeyError(
            f"session key {_shown(key)} is {size:,} bytes of UTF-8 long; at most {MAX_KEY_BYTES:,} are allowed"
        )
    return key


def _shown(key: str) -> str:
    return repr(key) if len(key) <= _SHOWN else f"{key[:_SHOWN]!r}…"
