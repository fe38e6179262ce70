"""What a session's files are called. The rule stands here once, for every backend that keeps files.

picoclaw calls the files of a session after its key, with ``:``, ``/`` and ``\\`` replaced by ``_``: the *plain
name*. Several keys share one plain name, and some plain names are none that a file system holds or keeps
apart. Such keys take the *hashed name*, which ends in a hash of the key and belongs to that key alone.

Which one a key has, is decided in this order. The real key stands inside the file, and tells whose it is:

1. A file of the hashed name belongs to the key.
2. A file of the plain name whose owner is the key stays where it is, even when :func:`must_be_hashed`: picoclaw
   wrote it.
3. A new session takes the plain name, unless :func:`must_be_hashed` or the name has another owner.

Both names leave room for the suffix of a session's own files (``.json``, ``.jsonl``, ``.meta.json``,
``.archive``: at most :data:`SUFFIX_BYTES`). Temporary files are not called after the session: a plain name has no
room for more.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from functools import lru_cache
from typing import Final

NAME_BYTES: Final = 255
"""The longest name of a file, in bytes, on the file systems of today."""

SUFFIX_BYTES: Final = len(".meta.json")
"""The longest suffix that a session's file may have, in bytes."""

_READABLE_BYTES: Final = 120
_SEPARATORS = str.maketrans(":/\\", "___")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_HASHED = re.compile(r"~[0-9a-f]{32}\Z", re.IGNORECASE)


def plain_name(key: str) -> str:
    """The name of a session's files as picoclaw makes it, without suffix.

    >>> plain_name("telegram:-100123/456")
    'telegram_-100123_456'
    """
    return key.translate(_SEPARATORS)


@lru_cache(maxsize=1024)  # it is asked for several times in one look at a session
def hashed_name(key: str) -> str:
    """A name that no other key has, without suffix: the readable beginning of the plain name, and a hash of the key.

    It is at most 160 bytes long, and stays itself on file systems that ignore case or normalise names.

    >>> hashed_name("a:b")
    'a_b~6783a31eabf68ccc0660f935c0826282'
    """
    readable = _CONTROL.sub("_", plain_name(key)).encode()[:_READABLE_BYTES].decode(errors="ignore")
    return f"{readable}~{hashlib.sha256(key.encode()).hexdigest()[:32]}"


def must_be_hashed(key: str) -> bool:
    """Whether the plain name is none to give to a new session, whoever else there is.

    That is so when it is too long, has control characters, is a directory's (``.``, ``..``), ends in a dot or a
    space (which some file systems strip), ends in ``.meta`` (its ``.json`` would be the metadata of another
    session), or looks like the hashed name of another key.

    >>> must_be_hashed("bot"), must_be_hashed("bot.meta"), must_be_hashed(".."), must_be_hashed("x" * 246)
    (False, True, True, True)
    """
    name = plain_name(key)
    return (
        len(name.encode()) > NAME_BYTES - SUFFIX_BYTES
        or name.endswith((".", " "))
        or name.casefold().endswith(".meta")
        or _CONTROL.search(name) is not None
        or _HASHED.search(name) is not None
    )


def folded(name: str) -> str:
    """The name as the most forgiving file system sees it: case folded, and normalised (NFC).

    Two names that some file system takes for one have one folded name. It is no name to give to a file.

    >>> folded("A_B") == folded("a_b"), folded("e\\u0301") == folded("\\u00e9")
    (True, True)
    """
    caseless = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", caseless).casefold())
