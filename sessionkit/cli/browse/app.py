"""The full-screen program. What is read is read in a thread, so that the screen answers meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from itertools import islice
from typing import ClassVar, Final, TypeVar

from rich.text import Text
from textual import on, work
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Footer, Input, OptionList
from textual.widgets.option_list import Option

from sessionkit.cli.browse.pane import Transcript
from sessionkit.cli.browse.window import Window
from sessionkit.cli.neutral import visible
from sessionkit.cli.output import plural
from sessionkit.cli.times import short_time
from sessionkit.errors import SessionKitError
from sessionkit.sessions import SessionInfo
from sessionkit.store import SessionStore

_T = TypeVar("_T")

_POLL_SECONDS: Final = 0.2
_MOST_LISTED: Final = 1000
"""How many sessions the list shows; a filter finds the others."""

_READ_AT_ONCE: Final = 500
_TO_THE_MINUTE: Final = len("2026-05-15 15:00")

_HELP: Final = """\
Tab           from the list to the transcript, and back
↑ ↓ PgUp PgDn scroll, also j and k; at an edge more messages are read
g G           first and last message
Enter         open the session that is chosen in the list
f             filter the sessions by their keys and summaries
/             search in the transcript, to older messages
n N           next older, next newer message with the text
r             read the list of sessions again
Esc           back, out of the filter or the search
?             this help
q             quit

New messages appear by themselves. Nothing here changes a session.
"""


class BrowseApp(App[None]):
    """The list of sessions on the left, the transcript of one on the right.

    Args:
        store: whose sessions are shown.
        key: the session to begin with.
    """

    TITLE = "sessionkit"
    ENABLE_COMMAND_PALETTE = False
    CSS = """
    #left { width: 34; }
    #filter, #search { height: 1; border: none; padding: 0 1; background: $surface; }
    #sessions, #transcript { height: 1fr; border: none; background: $background; }
    #sessions { padding: 0; text-wrap: nowrap; text-overflow: ellipsis; }
    #transcript { padding: 0 1; overflow-x: hidden; overflow-y: scroll; scrollbar-size-vertical: 1; }
    #search { display: none; }
    #search.shown { display: block; }
    #left, #right { border: round $panel; border-title-color: $text-muted; border-subtitle-color: $text-muted; }
    #left:focus-within, #right:focus-within { border: round $accent; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "switch", "Switch pane", priority=True),
        Binding("f", "filter", "Filter"),
        Binding("slash", "search", "Search"),
        Binding("n", "next(True)", "Older hit", show=False),
        Binding("N", "next(False)", "Newer hit", show=False),
        Binding("r", "reload", "Reload"),
        Binding("question_mark", "help", "Keys"),
        Binding("escape", "back", "Back", show=False),
        Binding("q", "quit", "Quit"),
    ]

    def __init__(self, store: SessionStore, key: str | None = None) -> None:
        super().__init__()
        self.animation_level = "none"  # text that moves cannot be read
        self._store = store
        self._first_key = key
        self._infos: list[SessionInfo] = []
        self._shown: list[SessionInfo] = []
        self._window: Window | None = None
        self._hit: int | None = None  # the position of the message that was found last
        self._reading = asyncio.Lock()
        self._transcript = Transcript()

    def compose(self) -> ComposeResult:
        """The widgets; called by textual."""
        with Horizontal():
            with Vertical(id="left"):
                yield Input(placeholder="filter", id="filter", select_on_focus=False)
                yield OptionList(id="sessions", markup=False)
            with Vertical(id="right"):
                yield self._transcript
                yield Input(placeholder="search in this session", id="search")
        yield Footer()

    def on_mount(self) -> None:
        """Begin; called by textual."""
        self.query_one("#left").border_title = "Sessions"
        self.query_one("#sessions").focus()
        self.action_reload()
        if self._first_key is not None:
            self.open_session(self._first_key)
        else:
            self._transcript.show_text(Text("Choose a session, and press Enter.  ? shows all keys.", "dim"))
        self.set_interval(_POLL_SECONDS, self._poll)

    def action_reload(self) -> None:
        """Read the list of sessions again."""
        self._read_list()

    def action_switch(self) -> None:
        """Go to the other pane."""
        sessions = self.query_one("#sessions")
        (sessions if self._transcript.has_focus else self._transcript).focus()

    def action_filter(self) -> None:
        """Go to the filter."""
        self.query_one("#filter").focus()

    def action_search(self) -> None:
        """Ask what to search for."""
        search = self.query_one("#search", Input)
        search.add_class("shown")
        search.focus()

    async def action_back(self) -> None:
        """Leave the filter, the search, or the help."""
        if self.query_one("#search").has_focus:
            self.query_one("#search").remove_class("shown")
            self._transcript.focus()
        elif self.query_one("#filter", Input).has_focus:
            self.query_one("#sessions").focus()
        elif self._window is not None:
            self._show()

    def action_help(self) -> None:
        """Show the keys."""
        self._transcript.show_text(Text(_HELP))

    def action_next(self, backwards: bool) -> None:
        """Go to the next message with the text that was searched for."""
        self._find(backwards)

    @on(Input.Changed, "#filter")
    def _filter_changed(self) -> None:
        self._list_again()

    @on(Input.Submitted, "#filter")
    def _filter_done(self) -> None:
        self.query_one("#sessions").focus()

    @on(Input.Submitted, "#search")
    def _search_asked(self) -> None:
        self.query_one("#search").remove_class("shown")
        self._transcript.focus()
        self._hit = None
        self._find(backwards=True)

    @on(OptionList.OptionSelected, "#sessions")
    def _session_chosen(self, event: OptionList.OptionSelected) -> None:
        if event.option_index < len(self._shown):
            self.open_session(self._shown[event.option_index].key)
            self._transcript.focus()

    @on(Transcript.Edge)
    def _edge_reached(self, event: Transcript.Edge) -> None:
        if self._window is not None:
            self._change(self._window.earlier if event.earlier else self._window.later)

    @on(Transcript.Jump)
    def _jump_asked(self, event: Transcript.Jump) -> None:
        window = self._window
        if window is not None and event.first:
            self._change(lambda: window.to(0), at=0)
        elif window is not None:
            self._change(window.to_end, at=window.total)

    @work(group="list", exclusive=True)
    async def _read_list(self) -> None:
        sessions = self._store.list_sessions()
        self._infos = []
        while infos := await self._read(lambda: list(islice(sessions, _READ_AT_ONCE))):
            self._infos += infos
            self._list_again()
        self._list_again()
        if infos is not None and not self._infos and self._window is None:  # None: that it failed is shown
            self._transcript.show_text(Text("There are no sessions.  r looks again.", "dim"))

    def _list_again(self) -> None:
        wanted = self.query_one("#filter", Input).value.casefold()
        found = [info for info in self._infos if wanted in info.key.casefold() or wanted in info.summary.casefold()]
        options = self.query_one("#sessions", OptionList)
        chosen = self._shown[options.highlighted].key if options.highlighted is not None else self._first_key or ""
        self._shown = found[:_MOST_LISTED]
        options.clear_options()
        options.add_options([Option(_entry(info)) for info in self._shown])
        places = {info.key: place for place, info in enumerate(self._shown)}
        options.highlighted = places.get(chosen, 0) if places else None
        hidden = f", {len(self._shown):,} shown" if len(found) > len(self._shown) else ""
        self.query_one("#left").border_subtitle = f"{plural(len(found), 'session')}{hidden}"

    @work(group="transcript", exclusive=True)
    async def open_session(self, key: str) -> None:
        """Show the end of a session."""
        self._window = self._hit = None
        window = await self._read(lambda: Window.at_end(self._store, key))
        if window is not None:
            self._window = window
            self._show()

    @work(group="transcript")
    async def _change(self, change: Callable[[], object], at: int | None = None) -> None:
        """Let the window read, and show what it holds then."""
        window = self._window
        async with self._reading:
            changed = await self._read(lambda: change() is not False)
        if changed and window is self._window:
            self._show(at=at)

    @work(group="poll")
    async def _poll(self) -> None:
        """Take up what others wrote, when the end of the session is here."""
        window = self._window
        if window is None or self._reading.locked() or window.end < window.total:
            return
        async with self._reading:
            changed = await self._read(window.later)
        if changed and window is self._window:
            self._show()

    @work(group="find", exclusive=True)
    async def _find(self, backwards: bool) -> None:
        window, text = self._window, self.query_one("#search", Input).value
        if window is None or not text:
            return
        start = self._transcript.bottom + 1 if self._hit is None else self._hit
        async with self._reading:
            found = await self._read(lambda: window.find(text, start, backwards=backwards))
            if found is not None and not window.start <= found < window.end:
                await self._read(lambda: window.to(found))
        if window is not self._window:
            return
        if found is None:
            self.query_one("#right").border_subtitle = f"no {'older' if backwards else 'newer'} message has it"
        else:
            self._hit = found
            self._show(at=found)

    def _show(self, at: int | None = None) -> None:
        window = self._window
        if window is None:
            return
        self._transcript.show(window, at=at, found=self.query_one("#search", Input).value)
        right = self.query_one("#right")
        right.border_title = Text(visible(window.session.key))
        right.border_subtitle = f"{plural(window.total, 'message')} · {short_time(window.session.updated)}"

    async def _read(self, read: Callable[[], _T]) -> _T | None:
        """Run something that reads the store in a thread. What cannot be read is told, and None returned."""
        try:
            return await asyncio.to_thread(read)
        except (SessionKitError, OSError) as error:
            self._window = None
            self._transcript.show_text(Text(visible(f"Error: {error}"), "red"))
            return None


def _entry(info: SessionInfo) -> Text:
    """A session in the list: its key, and below it what is known of it in short."""
    first_line = info.summary.strip().partition("\n")[0]
    about = f"{plural(info.count, 'message')} · {short_time(info.updated)[:_TO_THE_MINUTE]}"
    lines = [Text(visible(info.key), "bold"), Text(f" {about}", "dim"), Text(f" {visible(first_line)}", "dim italic")]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Text("\n", no_wrap=True, overflow="ellipsis").join([line for line in lines if line.plain.strip()])
