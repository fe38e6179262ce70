"""Making text harmless: what is stored was written by models and strangers, and a terminal obeys escapes.

Characters that a terminal or a reader's eye could be steered by (control characters, C1 included, the
bidirectional overrides, invisible formatting, lone surrogates) are shown as the escapes that Python would
write. Nothing else changes.
"""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

from sessionkit import codec

_JOINERS = frozenset("\u200c\u200d")  # emoji and Persian, Arabic and Indic words are written with them
_NOT_ASCII = re.compile(r"[^\x20-\x7e]")


def visible(text: str) -> str:
    r"""The text in one line, with everything that is not plainly visible escaped.

    >>> print(visible("a\x1b]52;c;aGk=\x07\r\nb\u202e"))
    a\x1b]52;c;aGk=\x07\r\nb\u202e
    """
    return text if text.isprintable() else "".join(map(_visible_character, text))


def visible_lines(text: str) -> list[str]:
    r"""The lines of a text, each made visible. Only ``\n`` ends a line; tabs become spaces.

    >>> visible_lines("a\tb\nc\r")
    ['a       b', 'c\\r']
    """
    return [visible(line.expandtabs() if "\t" in line else line) for line in text.split("\n")]


def visible_json(value: Any) -> str:
    r"""A JSON value in one line, equal as JSON, with such characters in their JSON escapes.

    >>> print(visible_json({"role": "user", "content": "é \x9b31m \u202e"}))
    {"role":"user","content":"é \u009b31m \u202e"}
    """
    text = codec.encode(value).decode("utf-8")
    if text.isprintable():
        return text
    return _NOT_ASCII.sub(lambda match: match[0] if _harmless(match[0]) else json.dumps(match[0])[1:-1], text)


def _visible_character(character: str) -> str:
    return character if _harmless(character) else character.encode("unicode_escape").decode("ascii")


def _harmless(character: str) -> bool:
    return character.isprintable() or character in _JOINERS or unicodedata.category(character) in {"Zs", "Co"}
