"""The pane with the transcript: lines that are rendered when their messages come, and drawn when they are seen."""

from __future__ import annotations

from bisect import bisect_right
from typing import ClassVar

from rich.cells import cell_len
from rich.console import RenderableType
from rich.style import Style
from rich.text import Text
from textual.binding import Binding, BindingType
from textual.events import Resize
from textual.geometry import Size
from textual.message import Message as Event
from textual.scroll_view import ScrollView
from textual.strip import Strip

from sessionkit.cli.browse.window import Window
from sessionkit.cli.transcript import HeadView, MessageView

_FOUND = Style.parse("black on yellow")


class Transcript(ScrollView, can_focus=True):
    """Shows what a :class:`Window` holds, as ``sessionkit show`` does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("g,home", "first", "Begin", show=False),
        Binding("G,end", "last", "End", show=False),
        Binding("j", "scroll_down", "Down", show=False),
        Binding("k", "scroll_up", "Up", show=False),
    ]

    class Edge(Event):
        """The reader has come to the first lines (``earlier``) or the last ones."""

        def __init__(self, *, earlier: bool) -> None:
            super().__init__()
            self.earlier = earlier

    class Jump(Event):
        """The reader wants to see the first message of the session (``first``) or the last."""

        def __init__(self, *, first: bool) -> None:
            super().__init__()
            self.first = first

    def __init__(self) -> None:
        super().__init__(id="transcript")
        self._window: Window | None = None
        self._text = Text()  # is shown where there is no window
        self._lines: list[Strip] = []
        self._places: list[int] = []  # the line on which each message begins
        self._rendered: dict[int, list[Strip]] = {}  # by position
        self._found = ""

    @property
    def bottom(self) -> int:
        """The position of the message at the bottom of the screen, 0 when there is none."""
        return self._message_on(int(self.scroll_offset.y) + self.size.height - 1)[0]

    @property
    def text(self) -> str:
        """All lines that are here, seen or not."""
        return "\n".join(strip.text.rstrip() for strip in self._lines)

    def show(self, window: Window, *, at: int | None = None, found: str = "") -> None:
        """Show what a window holds.

        Args:
            window: the window. What is read stays where it is on the screen.
            at: the position of the message to go to; the last one for a session that was not shown before.
            found: the text to be marked.
        """
        same = self._window is window
        following, anchor = not same or self._is_at_end(), self._anchor()
        if not same:
            self._rendered.clear()
        self._window, self._found = window, found
        self._render_all()
        if at is not None:
            self._go_to(self._line_of(at))
        elif following:
            self._go_to(len(self._lines))
        else:
            self._go_to(self._line_of(anchor[0]) + anchor[1])

    def show_text(self, text: Text) -> None:
        """Show a text in place of a transcript."""
        self._window, self._places, self._text = None, [], text
        self._lines = self._strips(text)
        self.virtual_size = Size(self._width, len(self._lines))
        self._go_to(0)

    def render_line(self, y: int) -> Strip:
        """One line of the screen; called by textual."""
        line = int(self.scroll_offset.y) + y
        strip = self._lines[line] if line < len(self._lines) else Strip.blank(self._width)
        strip = self._marked(strip) if self._found else strip
        return strip.extend_cell_length(self._width).crop(0, self._width).apply_style(self.rich_style)

    def on_resize(self, event: Resize) -> None:
        """Wrap the lines anew; called by textual."""
        if self._window is None:
            self.show_text(self._text)
            return
        following, anchor = self._is_at_end(), self._anchor()
        self._rendered.clear()
        self._render_all()
        self._go_to(len(self._lines) if following else self._line_of(anchor[0]) + anchor[1])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Ask for more when the reader comes to an edge; called by textual."""
        super().watch_scroll_y(old_value, new_value)
        if self._window is None:
            return
        if new_value < old_value and new_value < self.size.height:
            self.post_message(self.Edge(earlier=True))
        elif new_value > old_value and self._is_at_end():
            self.post_message(self.Edge(earlier=False))

    def action_first(self) -> None:
        """Go to the first message of the session."""
        self.post_message(self.Jump(first=True))

    def action_last(self) -> None:
        """Go to the last message of the session."""
        self.post_message(self.Jump(first=False))

    @property
    def _width(self) -> int:
        return max(self.scrollable_content_region.width, 20)

    def _is_at_end(self) -> bool:
        return self.scroll_offset.y >= self.max_scroll_y - 1

    def _anchor(self) -> tuple[int, int]:
        return self._message_on(int(self.scroll_offset.y))

    def _message_on(self, line: int) -> tuple[int, int]:
        """The position of the message on a line, and how many of its lines are above."""
        if self._window is None or not self._places:
            return 0, 0
        place = max(bisect_right(self._places, line) - 1, 0)
        return self._window.start + place, line - self._places[place]

    def _line_of(self, position: int) -> int:
        if self._window is None or not self._places:
            return 0
        return self._places[min(max(position - self._window.start, 0), len(self._places) - 1)]

    def _go_to(self, line: int) -> None:
        self.scroll_to(y=max(line, 0), animate=False, immediate=True, force=True)
        self.refresh()

    def _render_all(self) -> None:
        window = self._window
        assert window is not None, "called with a window alone"
        before: RenderableType = HeadView(window.session, window.total)
        if window.start:
            before = Text(f"{window.start:,} earlier messages: scroll up", "dim")
        self._lines, self._places, rendered = self._strips(before), [], {}
        for position, message in enumerate(window.messages, start=window.start):
            strips = self._rendered.get(position) or self._strips(MessageView(message, position + 1))
            rendered[position] = strips
            self._lines.append(Strip.blank(self._width))
            self._places.append(len(self._lines))
            self._lines += strips
        if window.end < window.total:
            self._lines += self._strips(Text(f"{window.total - window.end:,} later messages: scroll down", "dim"))
        self._rendered = rendered
        self.virtual_size = Size(self._width, len(self._lines))

    def _strips(self, renderable: RenderableType) -> list[Strip]:
        console = self.app.console
        options = console.options.update(width=self._width, height=None, highlight=False)
        return [Strip(line) for line in console.render_lines(renderable, options, pad=False)]

    def _marked(self, strip: Strip) -> Strip:
        text, wanted = strip.text, self._found.casefold()
        folded = text.casefold()
        begin = folded.find(wanted)
        if begin < 0 or len(folded) != len(text):
            return strip
        first, last = cell_len(text[:begin]), cell_len(text[: begin + len(wanted)])
        pieces = [strip.crop(0, first), strip.crop(first, last).apply_style(_FOUND), strip.crop(last)]
        return Strip.join(pieces)
