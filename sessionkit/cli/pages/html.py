"""A conversation as one HTML page: no scripts, nothing loaded from elsewhere, readable on a phone."""

from __future__ import annotations

import hashlib
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import cache
from html import escape
from importlib.resources import files
from typing import Final

from sessionkit.calls import calls_in
from sessionkit.cli.neutral import visible, visible_json, visible_lines
from sessionkit.cli.output import plural
from sessionkit.cli.pages.pictures import picture_of
from sessionkit.cli.pages.prose import link, prose
from sessionkit.cli.parts import Part, parts_of
from sessionkit.cli.times import short_time
from sessionkit.messages import Message
from sessionkit.sessions import Session

_ROLES: Final = {role: role for role in ("user", "assistant", "system", "tool")} | {
    "function": "tool",
    "developer": "system",
}
_SHORT_LINES: Final = 6
_SHORT_CHARACTERS: Final = 400
_GIST: Final = 160
_LONGEST: Final = 10_000
"""How many characters are shown of what has no place of its own."""

_BEGIN: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="sessionkit">
<title>{title}</title>
<style>{style}</style>
</head>
<body>
<main>
"""
_END: Final = "</main>\n</body>\n</html>\n"


class HtmlPage:
    """The page, see :class:`sessionkit.cli.pages.Page`."""

    def __init__(self) -> None:
        self._conversations = 0

    def begin(self, title: str) -> str:
        style = _style()
        digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
        policy = f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
        return _BEGIN.format(policy=policy, title=escape(visible(title)), style=style)

    def conversation(self, session: Session, batches: Iterable[list[Message]]) -> Iterator[str]:
        self._conversations += 1
        place = "" if self._conversations == 1 else f"{self._conversations}-"
        yield f'<section class="conversation">\n{_head(session)}'
        number = 0
        writer = _Messages(place)
        for batch in batches:
            for message in batch:
                number += 1
                yield writer.write(message, number)
        yield "</section>\n"

    def end(self) -> str:
        return _END


@cache
def _style() -> str:
    return files("sessionkit.cli.pages").joinpath("page.css").read_text("utf-8")


def _head(session: Session) -> str:
    facts = [
        ("", plural(session.count, "message")),
        ("updated ", _time(session.updated)),
        ("created ", _time(session.created)),
    ]
    line = " · ".join(f"<span>{name}{value}</span>" for name, value in facts if value)
    more = []
    if session.aliases:
        more.append(("aliases", ", ".join(map(visible, session.aliases))))
    more += [(visible(name), visible_json(value)) for name, value in session.metadata.items()]
    details = f'<details class="more"><summary>details</summary>{_fields(more)}</details>\n' if more else ""
    summary = ""
    if session.summary:
        summary = f'<div class="summary" dir="auto"><h2>Summary</h2>\n{prose(session.summary)}</div>\n'
    title = f'<h1 dir="auto">{escape(visible(session.key))}</h1>\n<p class="facts">{line}</p>\n'
    return f"<header>\n{title}{details}{summary}</header>\n"


class _Messages:
    """Writes the messages of one conversation; knows which tool a result is of."""

    def __init__(self, place: str) -> None:
        self._place = place
        self._called: dict[str, str] = {}

    def write(self, message: Message, number: int) -> str:
        if calls := calls_in(message):
            self._called = {call.id: call.name for call in calls}
        kind = _ROLES.get(message.role, "other")
        name = f"{self._place}{number}"
        return (
            f'<article class="{kind}" id="m{name}">\n{self._head(message, number, name)}'
            f'<div class="body" dir="auto">\n{self._body(message)}</div>\n</article>\n'
        )

    def _head(self, message: Message, number: int, name: str) -> str:
        role = escape(visible(message.role)) or "(no role)"
        said_by = f' <span class="name">{escape(visible(message.name))}</span>' if message.name else ""
        model = f'<span class="model">{escape(visible(message.model_name))}</span>' if message.model_name else ""
        time = _time(message.created_at or "")
        return (
            f'<h2><span class="who">{role}</span>{said_by}<span class="when">{model}{time}'
            f'<a class="number" href="#m{name}">{number}</a></span></h2>\n'
        )

    def _body(self, message: Message) -> str:
        shown = [part for part in parts_of(message) if part.kind != "field"]
        further = [(visible(part.title), _cut(part.text)) for part in parts_of(message) if part.kind == "field"]
        more = f'<details class="more"><summary>more</summary>{_fields(further)}</details>\n' if further else ""
        return "".join([self._part(part, message) for part in shown]) + more

    def _part(self, part: Part, message: Message) -> str:
        if part.kind != "result":
            return _PARTS[part.kind](part)
        return _result(part, self._called.get(part.note or message.tool_call_id or "", ""))


def _result(part: Part, tool: str) -> str:
    """What a tool gave: folded when it is long."""
    lines = part.lines(full=True)
    text = "\n".join(lines)
    short = len(lines) <= _SHORT_LINES and len(text) <= _SHORT_CHARACTERS
    title = f"<code>{escape(visible(tool))}</code>" if tool else "result"
    size = "" if short else f'<span class="size">{plural(len(lines), "line")}</span>'
    return (
        f'<details class="result"{" open" if short else ""}><summary>{title}{size}{_gist(part.text)}</summary>\n'
        f"<pre>{escape(text)}</pre></details>\n"
    )


def _call(part: Part) -> str:
    arguments = "\n".join(part.lines(full=True))
    shown = f"<pre>{escape(arguments)}</pre>\n" if arguments else ""
    identity = f'<p class="id">{escape(visible(part.note))}</p>\n' if part.note else ""
    title = escape(visible(part.title)) or "(no name)"
    return (
        f'<details class="call"><summary><code>{title}</code>{_gist(part.text)}</summary>\n'
        f"{shown}{identity}</details>\n"
    )


def _thoughts(part: Part) -> str:
    return f'<details class="thoughts"><summary>thoughts</summary>\n{prose(part.text)}</details>\n'


def _attachment(part: Part) -> str:
    picture = picture_of(part.text)
    if picture is None:
        return f"<pre>{escape(_cut(part.text))}</pre>\n"
    if picture.data:
        return f'<p><img alt="picture" src="data:image/{picture.media_type};base64,{picture.data}"></p>\n'
    return f'<p class="picture">picture: {link(picture.url, picture.url)}</p>\n'


_PARTS: Final[dict[str, Callable[[Part], str]]] = {
    "text": lambda part: prose(part.text),
    "call": _call,
    "reasoning": _thoughts,
    "attachment": _attachment,
}


def _gist(text: str) -> str:
    """The beginning of a text in one line, to be seen while the rest is folded."""
    start = " ".join(" ".join(visible_lines(text[:_GIST])).split())
    more = "…" if len(text) > _GIST else ""
    return f'<span class="gist">{escape(start)}{more}</span>' if start else ""


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _fields(fields: Iterable[tuple[str, str]]) -> str:
    return "<dl>" + "".join(f"<dt>{escape(name)}</dt><dd>{escape(value)}</dd>" for name, value in fields) + "</dl>"


def _time(time: str) -> str:
    """A time as an element that says it to programs too; as text when it is none."""
    if not time:
        return ""
    try:
        moment = datetime.fromisoformat(time)
    except ValueError:
        return escape(visible(time))
    return f'<time datetime="{moment.isoformat()}">{escape(short_time(time))}</time>'
