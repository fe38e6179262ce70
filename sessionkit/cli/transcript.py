"""How a message looks in a terminal: rendered Markdown, tool calls in panels, the rest quiet.

:class:`MessageView` and :class:`HeadView` are renderables of rich, for a console and for a full-screen program alike.
Whatever a library makes of a text, nothing that steers a terminal comes out of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Final

import attrs

from sessionkit.cli.neutral import visible, visible_json, visible_lines
from sessionkit.cli.parts import Part, parts_of
from sessionkit.cli.times import short_time

if TYPE_CHECKING:
    from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
    from rich.segment import Segment
    from rich.text import Text

    from sessionkit.messages import Message
    from sessionkit.sessions import SessionInfo

ROLE_STYLES: Final = {"user": "bold green", "assistant": "bold blue", "tool": "bold magenta", "system": "bold yellow"}

_INDENT: Final = 4
_MARKDOWN_MOST: Final = 100_000
"""How many characters are rendered as Markdown at most; a longer text is shown as it stands."""

_HIGHLIGHTED_MOST: Final = 20_000


@attrs.frozen
class MessageView:
    """A message as a renderable: a line that says who, and below it what was said, called, answered.

    Attributes:
        message: the message.
        number: its number, 1 at the oldest.
        full: long results and reasoning are not shortened.
    """

    message: Message
    number: int
    full: bool = False

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.console import Group
        from rich.padding import Padding

        bodies = [Padding(_body(part, self.full), (0, 0, 0, _INDENT)) for part in parts_of(self.message)]
        return _harmless(console.render(Group(heading(self.message, self.number), *bodies), options))


@attrs.frozen
class HeadView:
    """What is known of a session besides its messages, as a renderable.

    Attributes:
        info: the session.
        shown: how many of its messages are shown below, from the end.
    """

    info: SessionInfo
    shown: int

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        from rich.console import Group
        from rich.padding import Padding
        from rich.text import Text

        rows: list[RenderableType] = list(head_rows(self.info, self.shown))
        if self.info.summary:
            rows += [Text("Summary", "dim"), Padding(markdown(self.info.summary), (0, 0, 0, _INDENT))]
        return _harmless(console.render(Group(*rows), options))


def heading(message: Message, number: int) -> Text:
    """The line above a message: its number, who speaks, and when."""
    from rich.text import Text

    role = visible(message.role) or "(no role)"
    head = Text.assemble((f"[{number}] ", "dim"), (role, ROLE_STYLES.get(message.role, "bold")))
    if message.name:
        head.append(f" {visible(message.name)}")
    if message.tool_call_id:
        head.append(f" (answers {visible(message.tool_call_id)})", "dim")
    for note in (message.model_name, message.created_at):
        if note:
            head.append(f"  {visible(note)}", "dim")
    return head


def head_rows(info: SessionInfo, shown: int) -> Iterator[Text]:
    """The lines that tell of a session, without its summary."""
    from rich.text import Text

    count = f"{info.count:,}" if shown >= info.count else f"{info.count:,} (the last {shown:,} are shown)"
    fields = {
        "Session": visible(info.key),
        "Messages": count,
        "Created": short_time(info.created),
        "Updated": short_time(info.updated),
        "Aliases": ", ".join(map(visible, info.aliases)),
        "Metadata": visible_json(info.metadata) if info.metadata else "",
    }
    for name, value in fields.items():
        if value:
            yield Text.assemble((f"{name:<10}", "dim"), value)


def markdown(text: str) -> RenderableType:
    """A text rendered as Markdown, in which nothing is lost: HTML, images, entities and line breaks are shown."""
    from rich.text import Text

    harmless = "\n".join(visible_lines(text))
    if len(harmless) > _MARKDOWN_MOST:
        return Text(harmless)
    from markdown_it import MarkdownIt
    from rich.markdown import Markdown

    parser = MarkdownIt("commonmark", {"html": False}).enable(["strikethrough", "table"])
    parser.disable(["entity", "html_block", "html_inline", "image", "reference"])
    rendered = Markdown("", hyperlinks=False, code_theme="ansi_dark")
    rendered.parsed = parser.parse(harmless)
    for token in rendered.parsed:
        for inner in token.children or ():
            if inner.type == "softbreak":  # who chats means the line breaks
                inner.type = "hardbreak"
    return rendered


def _body(part: Part, full: bool) -> RenderableType:
    from rich.text import Text

    if part.kind == "text":
        return markdown(part.text)
    lines = "\n".join(part.lines(full=full))
    if part.kind in {"call", "result"}:
        return _panel(part, lines)
    if part.kind == "reasoning":
        return Text(f"thinks: {lines}", "dim italic")
    return Text(f"{visible(part.title)}: {lines}" if part.title else lines, "dim")


def _panel(part: Part, lines: str) -> RenderableType:
    from rich.box import ROUNDED
    from rich.highlighter import JSONHighlighter
    from rich.panel import Panel
    from rich.text import Text

    text = Text(lines)
    if lines.startswith(("{", "[")) and len(lines) <= _HIGHLIGHTED_MOST:
        JSONHighlighter().highlight(text)
    if part.kind == "result":
        return Panel(text, box=ROUNDED, border_style="dim")
    title = Text.assemble("calls ", (visible(part.title) or "(no name)", "bold"))
    note = Text(visible(part.note), "dim") if part.note else None
    return Panel(
        text,
        box=ROUNDED,
        border_style="magenta",
        title=title,
        title_align="left",
        subtitle=note,
        subtitle_align="right",
    )


def _harmless(segments: Any) -> Iterator[Segment]:
    """What was rendered, with every character in it visible, and without links and controls."""
    from rich.segment import Segment

    for text, style, control in segments:
        if control:
            continue
        shown = text if text.isprintable() else "\n".join(map(visible, text.split("\n")))
        yield Segment(shown, style.update_link(None) if style is not None and style.link else style)
