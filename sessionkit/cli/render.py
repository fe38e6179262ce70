"""A session for people: who said what, which tools were called with what, and what came back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sessionkit import codec
from sessionkit.cli.list import short_time
from sessionkit.cli.neutral import visible, visible_json, visible_lines
from sessionkit.errors import DecodeError

if TYPE_CHECKING:
    from rich.console import Console

    from sessionkit.messages import Message, ToolCall
    from sessionkit.sessions import Session

_ROLE_STYLES = {"user": "bold green", "assistant": "bold blue", "tool": "bold magenta", "system": "bold yellow"}
_SHOWN = frozenset(
    {"role", "content", "tool_calls", "tool_call_id", "name", "reasoning_content", "created_at", "model_name"}
)
_PART_LENGTH = 200
_INDENT = 4


def print_session(console: Console, session: Session) -> None:
    """Print a session's head and those of its messages that were read, numbered from 1 at the oldest."""
    _print_head(console, session)
    first = session.count - len(session.messages) + 1
    for number, message in enumerate(session.messages, start=first):
        console.print()
        print_message(console, message, number)


def print_message(console: Console, message: Message, number: int) -> None:
    """Print one message: a line that says who, and what was said beneath it."""
    from rich.text import Text

    role = visible(message.role) or "(no role)"
    head = Text.assemble((f"[{number}] ", "dim"), (role, _ROLE_STYLES.get(message.role, "bold")))
    if message.name:
        head.append(f" {visible(message.name)}")
    if message.tool_call_id:
        head.append(f" (answers {visible(message.tool_call_id)})", "dim")
    for note in (message.model_name, message.created_at):
        if note:
            head.append(f"  {visible(note)}", "dim")
    console.print(head)
    if message.reasoning_content:
        _print_lines(console, ["thinks:", *visible_lines(message.reasoning_content)], "dim italic")
    _print_lines(console, _content_lines(message))
    for call in message.tool_calls:
        _print_call(console, call)
    _print_lines(console, _other_lines(message), "dim")


def _print_head(console: Console, session: Session) -> None:
    from rich.text import Text

    shown = len(session.messages)
    count = f"{session.count:,}" if shown == session.count else f"{session.count:,} (the last {shown:,} are shown)"
    fields = {
        "Session": visible(session.key),
        "Messages": count,
        "Created": short_time(session.created),
        "Updated": short_time(session.updated),
        "Aliases": ", ".join(map(visible, session.aliases)),
        "Metadata": visible_json(session.metadata) if session.metadata else "",
    }
    for name, value in fields.items():
        if value:
            console.print(Text.assemble((f"{name:<10}", "dim"), value))
    if session.summary:
        console.print(Text("Summary", "dim"))
        _print_lines(console, visible_lines(session.summary))


def _print_call(console: Console, call: ToolCall) -> None:
    from rich.text import Text

    line = Text.assemble(" " * _INDENT, ("calls ", "dim"), (visible(call.name) or "(no name)", "magenta"))
    if call.id:
        line.append(f" ({visible(call.id)})", "dim")
    console.print(line)
    _print_lines(console, _pretty_lines(call.arguments), indent=_INDENT + 2)


def _content_lines(message: Message) -> Iterator[str]:
    content = message.content
    if content is None:
        return
    if isinstance(content, str):
        is_result = message.role in {"tool", "function"}
        yield from _pretty_lines(content) if is_result else visible_lines(content)
        return
    for part in content:
        if isinstance(part, dict) and isinstance(part.get("text"), str):
            yield from visible_lines(part["text"])
        else:
            yield _shortened(part)


def _other_lines(message: Message) -> Iterator[str]:
    """The fields that have no place of their own here, so that nothing stored looks absent."""
    fields = message.to_dict()
    for name, value in fields.items():
        if name not in _SHOWN and value not in (None, "", [], {}):
            yield f"{visible(name)}: {_shortened(value)}"


def _shortened(value: Any) -> str:
    text = visible_json(value)
    return text if len(text) <= _PART_LENGTH else f"{text[:_PART_LENGTH]}… ({len(text):,} characters)"


def _pretty_lines(text: str) -> list[str]:
    """JSON objects and arrays indented; any other text as it is. Models do not always write valid JSON."""
    try:
        value = codec.decode(text)
    except DecodeError:
        return visible_lines(text)
    if not isinstance(value, (dict, list)):
        return visible_lines(text)
    return visible_lines(codec.encode_pretty(value).decode("utf-8"))


def _print_lines(console: Console, lines: Iterable[str], style: str = "", indent: int = _INDENT) -> None:
    """Print lines indented; on a terminal long ones are wrapped at words, with the indent kept."""
    from rich.text import Text

    for line in lines:
        text = Text(line, style)
        width = max(console.width - indent, 20)
        for piece in text.wrap(console, width, no_wrap=False) if console.is_terminal else [text]:
            console.print(Text(" " * indent).append(piece) if piece else Text())
