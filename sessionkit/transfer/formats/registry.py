"""Which formats there are, and which of them a source is in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Final

from sessionkit.errors import FormatError
from sessionkit.transfer.formats.format import Format
from sessionkit.transfer.formats.keyed import renamed
from sessionkit.transfer.formats.nanobot import NANOBOT
from sessionkit.transfer.formats.openai import OPENAI, is_message
from sessionkit.transfer.formats.openai_agents import OPENAI_AGENTS
from sessionkit.transfer.formats.own import OWN
from sessionkit.transfer.formats.picoclaw import PICOCLAW
from sessionkit.transfer.formats.sharegpt import SHAREGPT
from sessionkit.transfer.formats.source import Source
from sessionkit.transfer.reading import Placed, Unreadable

FORMATS: Final = {form.name: form for form in (OWN, OPENAI, SHAREGPT, PICOCLAW, NANOBOT, OPENAI_AGENTS)}
"""Every format by its name."""


def find_format(name: str) -> Format:
    """The format of a name.

    Raises:
        FormatError: there is none; the error names those that there are.
    """
    if name not in FORMATS:
        raise FormatError(f"there is no format {name!r}; there are {', '.join(FORMATS)}")
    return FORMATS[name]


def recognise(source: Source) -> Format:
    """The format that a source is in, told by its content. A file that nothing is known of is taken for our own.

    Raises:
        FormatError: several formats are possible, or a directory is in none, and the error names the choices; or a
            file holds messages without conversations.
    """
    found = [form for form in FORMATS.values() if form.recognises(source)]
    if len(found) > 1:
        names = " and ".join(form.name for form in found)
        raise FormatError(f"{source.name} may be in the formats {names}; name the one that is meant (--format)")
    if found:
        return found[0]
    if source.is_directory:
        raise FormatError(f"no file in {source.name} is in a format of directories ({_of_directories()})")
    first = source.first_value()
    if first is not None and first.item is None and is_message(first.data):
        raise FormatError(
            f"{source.name} has a message a line, and nothing that tells of conversations; a log of {PICOCLAW.name} is "
            "imported with its directory, other messages as an array"
        )
    return OWN


def _of_directories() -> str:
    return ", ".join(form.name for form in FORMATS.values() if form.directories)


def read_source(
    source: Source, format_name: str | None = None, *, key: str | None = None, prefix: str = ""
) -> Iterator[Placed | Unreadable]:
    """What :func:`read_conversations` does, of a source that is open.

    Raises:
        FormatError: as there; at once, not when the first conversation is asked for.
    """
    form = recognise(source) if format_name is None else find_format(format_name)
    if source.is_directory and not form.directories:
        raise FormatError(f"{source.name} is a directory, and the format {form.name} is one of files")
    return renamed(form.read(source), key=key, prefix=prefix)


def read_conversations(
    path: str | os.PathLike[str], format_name: str | None = None, *, key: str | None = None, prefix: str = ""
) -> Iterator[Placed | Unreadable]:
    """Read the conversations of a file or directory of any format, one at a time.

    Args:
        path: the file or directory. It is left as it is.
        format_name: one of :data:`FORMATS`; None tells it by the content.
        key: the key of the only conversation. Without it a conversation has the key that the file says, else
            one made of the file's name.
        prefix: put in front of each key.

    Raises:
        FormatError: no such format, or several are possible, or the path is in none.
        OSError: the path cannot be read.
    """
    with Source.opened(path) as source:
        yield from read_source(source, format_name, key=key, prefix=prefix)
