"""A conversation as a Markdown file. Every message stands in a quotation, which nothing inside can end."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, Final

from markdown_it import MarkdownIt
from markdown_it.token import Token

from sessionkit.cli.neutral import visible, visible_json, visible_lines
from sessionkit.cli.output import plural
from sessionkit.cli.pages.pictures import picture_of
from sessionkit.cli.pages.prose import LONGEST_PROSE, allowed_link
from sessionkit.cli.parts import Part, parts_of
from sessionkit.cli.times import short_time
from sessionkit.messages import Message
from sessionkit.sessions import Session

_SPECIAL: Final = re.compile(r"([\\`*_\[\]~|#$])")
_BEGINNING: Final = re.compile(r"^(\d*)([-+=.)])")
"""What makes a list or a heading, at the beginning of a line alone."""
_READER: Final = MarkdownIt("commonmark").enable(["table", "strikethrough"])
"""Reads as those programs do that let raw HTML through."""


class MarkdownPage:
    """The file, see :class:`sessionkit.cli.pages.Page`."""

    def begin(self, title: str) -> str:
        return ""

    def conversation(self, session: Session, batches: Iterable[list[Message]]) -> Iterator[str]:
        yield _head(session)
        number = 0
        for batch in batches:
            for message in batch:
                number += 1
                yield _message(message, number)
        yield "\n"

    def end(self) -> str:
        return ""


def _head(session: Session) -> str:
    facts = [plural(session.count, "message")]
    facts += [f"{name} {_literal(short_time(time))}" for name, time in _times(session) if time]
    lines = [f"# {_literal(session.key)}", "", " · ".join(facts), ""]
    if session.aliases:
        lines += [f"Aliases: {', '.join(map(_literal, session.aliases))}", ""]
    lines += [f"- {_literal(name)}: {_literal(visible_json(value))}" for name, value in session.metadata.items()]
    if session.summary:
        lines += ["", "**Summary**", "", *_quoted(_prose(session.summary))]
    return "\n".join(lines) + "\n"


def _times(session: Session) -> tuple[tuple[str, str], ...]:
    return ("updated", session.updated), ("created", session.created)


def _message(message: Message, number: int) -> str:
    notes = [message.name, message.model_name, short_time(message.created_at) if message.created_at else None]
    head = " · ".join([f"**{_literal(message.role) or '(no role)'}**", *(_literal(note) for note in notes if note)])
    text = "\n\n".join(map(_part, parts_of(message)))
    return "\n".join(["", f"{number} · {head}", "", *_quoted(text)]) + "\n"


def _part(part: Part) -> str:
    if part.kind == "text":
        return _prose(part.text)
    if part.kind == "reasoning":
        return _folded("thoughts", _prose(part.text))
    if part.kind == "field":
        return f"{_literal(part.title)}: {_literal(part.lines()[0])}"
    text = "\n".join(part.lines(full=part.kind != "attachment"))
    if part.kind == "call":
        return _folded(f"calls {part.title or '(no name)'}", _fenced(text) if text else "")
    if part.kind == "result":
        return _folded("result", _fenced(text))
    picture = picture_of(part.text)
    return _fenced(text) if picture is None else f"(picture {_literal(picture.url)})".replace(" )", ")")


def _folded(title: str, text: str) -> str:
    return f"<details><summary>{escape(visible(title))}</summary>\n\n{text}\n\n</details>"


def _prose(text: str) -> str:
    """A text in Markdown as it is where that is harmless, else with its HTML escaped, else as text in a fence."""
    text = "\n".join(visible_lines(text))
    if len(text) <= LONGEST_PROSE:
        for candidate in (text, _without_html(text)):
            if _is_harmless(candidate):
                return candidate
    return _fenced(text)


def _without_html(text: str) -> str:
    """The text with the brackets of HTML escaped outside of code blocks."""
    lines = text.split("\n")
    code = {
        line
        for token in _READER.parse(text)
        if token.type in {"fence", "code_block"} and token.map
        for line in range(*token.map)
    }
    return "\n".join(line if number in code else line.replace("<", "&lt;") for number, line in enumerate(lines))


def _is_harmless(text: str) -> bool:
    """Whether a reader of Markdown makes of it no HTML, picture or link that we would not make; and ends it here."""
    environment: dict[str, Any] = {}
    tokens = _READER.parse(f"{text}\n\nend", environment)
    closed = len(tokens) >= 3 and tokens[-2].content == "end" and tokens[-3].level == 0
    return closed and not environment.get("references") and all(map(_allowed, _flat(tokens)))


def _allowed(token: Token) -> bool:
    if token.type == "link_open":
        return allowed_link(str(token.attrs.get("href", "")))
    return token.type not in {"html_block", "html_inline", "image"}


def _flat(tokens: Sequence[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _flat(token.children or ())


def _fenced(text: str) -> str:
    """The text in a block of code, with a fence that does not stand in it."""
    longest = max(map(len, re.findall("`+", text)), default=0)
    fence = "`" * max(longest + 1, 3)
    return f"{fence}\n{text}\n{fence}"


def _quoted(text: str) -> list[str]:
    return [f"> {line}" if line else ">" for line in text.split("\n")] if text else []


def _literal(text: str) -> str:
    """A text in one line that Markdown takes for nothing else."""
    escaped = _BEGINNING.sub(r"\1\\\2", _SPECIAL.sub(r"\\\1", visible(text)))
    return escape(escaped, quote=False)
