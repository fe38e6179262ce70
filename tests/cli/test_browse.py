"""``sessionkit browse``, driven by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sessionkit import SessionStore, open_store
from sessionkit.cli.browse.window import MOST, PAGE, Window

from .conftest import URL, Run
from .hostile import FORBIDDEN, HOSTILE, MARKUP

pytest.importorskip("textual", reason='browse needs the extra "browse"')

from textual.pilot import Pilot
from textual.widgets import Input

from sessionkit.cli.browse.app import BrowseApp
from sessionkit.cli.browse.pane import Transcript

Steps = Callable[[Pilot[None]], Awaitable[None]]


def _browse(store: SessionStore, steps: Steps, key: str | None = None) -> None:
    async def run() -> None:
        async with BrowseApp(store, key).run_test(size=(100, 30)) as pilot:
            await _until(pilot, lambda: bool(_screen(pilot).strip()))
            await steps(pilot)

    asyncio.run(run())


def _screen(pilot: Pilot[None]) -> str:
    strips = pilot.app.screen._compositor.render_strips()
    return "\n".join(strip.text.rstrip() for strip in strips)


async def _until(pilot: Pilot[None], holds: Callable[[], bool]) -> None:
    try:
        async with asyncio.timeout(30):
            while not holds():
                await pilot.pause(0.01)
    except TimeoutError:
        pytest.fail(f"it never came; the screen is\n{_screen(pilot)}")


async def _shows(pilot: Pilot[None], text: str) -> None:
    await _until(pilot, lambda: text in _screen(pilot))


def _fill(store: SessionStore, key: str, count: int) -> None:
    store.add_messages(key, [{"role": "user", "content": f"message {number}"} for number in range(1, count + 1)])


def test_a_session_is_chosen_and_its_end_shown(store: SessionStore) -> None:
    _fill(store, "a", 3)
    _fill(store, "b", 100)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "2 sessions")
        await pilot.press("down", "enter")
        await _shows(pilot, "message 100")
        assert "message 51" not in _screen(pilot)

    _browse(store, steps)


def test_scrolling_up_reads_earlier_messages_and_the_first_is_reached(store: SessionStore) -> None:
    _fill(store, "a", 500)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "message 500")
        transcript = pilot.app.query_one(Transcript)
        transcript.focus()
        for _ in range(10):
            await pilot.press("pageup")
        assert 0 < transcript.bottom < 500 - PAGE
        await pilot.press("g")
        await _shows(pilot, "[1] user")
        await pilot.press("G")
        await _shows(pilot, "message 500")

    _browse(store, steps, "a")


def test_what_another_store_writes_appears(store: SessionStore) -> None:
    _fill(store, "a", 100)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "message 100")
        with open_store(URL) as other:
            other.add_message("a", "assistant", "written by another")
            await _shows(pilot, "written by another")
            other.truncate_history("a", 1)
            await _shows(pilot, "1 message ")

    _browse(store, steps, "a")


def test_a_text_is_found_in_older_messages_and_marked(store: SessionStore) -> None:
    _fill(store, "a", 400)
    store.add_messages("a", [{"role": "user", "content": "end"}] * 100)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "[500] user")
        await pilot.press("slash", *"MESSAGE 3", "enter")
        await _shows(pilot, "[399] user")
        await pilot.press("n")
        await _until(pilot, lambda: _screen(pilot).count("message 398") == 1 and "[397]" not in _screen(pilot))
        await pilot.press("slash", *"x", "enter")
        await _shows(pilot, "no older message has it")

    _browse(store, steps, "a")


def test_the_list_is_filtered_by_keys_and_summaries(store: SessionStore) -> None:
    for key in ("one", "two", "three"):
        store.set_summary(key, f"Summary of {key}.")

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "3 sessions")
        await pilot.press("f", *"of tw")
        await _shows(pilot, "1 session")
        assert "Summary of two." in _screen(pilot)
        assert pilot.app.query_one("#filter", Input).value == "of tw"

    _browse(store, steps)


def test_before_a_session_is_chosen_it_is_told_what_to_do_in_one_line(store: SessionStore) -> None:
    _fill(store, "a", 1)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "Choose a session, and press Enter.  ? shows all keys.")

    _browse(store, steps)


def test_a_store_without_sessions_says_so_until_there_is_one(store: SessionStore) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "There are no sessions.")
        _fill(store, "a", 1)
        await pilot.press("r")
        await _shows(pilot, "1 message")

    _browse(store, steps)


def test_keys_are_explained(store: SessionStore) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await pilot.press("question_mark")
        await _shows(pilot, "filter the sessions")

    _browse(store, steps)


def test_an_unreadable_session_is_told(store: SessionStore) -> None:
    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "Error: session 'corrupt' cannot be read")

    _browse(store, steps, "corrupt")


@pytest.mark.parametrize("text", ["".join(HOSTILE.values()).replace("\ud800", ""), MARKUP], ids=["hostile", "markup"])
def test_nothing_that_steers_a_terminal_reaches_the_screen(store: SessionStore, text: str) -> None:
    call = {"id": text, "function": {"name": text, "arguments": text}}
    messages: list[dict[str, Any]] = [{"role": "assistant", "content": text, "tool_calls": [call]}, {"role": text}]
    store.update_session(text.replace("\0", ""), messages=messages, summary=text)

    async def steps(pilot: Pilot[None]) -> None:
        await _shows(pilot, "1 session")
        await pilot.press("enter")
        await _shows(pilot, "2 messages")
        await _shows(pilot, "(no role)" if not text else "[2]")
        assert not (FORBIDDEN - {"\n"}) & set(_screen(pilot))
        assert text is not MARKUP or "[red]red[/red] [/]" in _screen(pilot)

    _browse(store, steps)


def test_a_window_never_holds_more_than_it_may(store: SessionStore) -> None:
    _fill(store, "a", 1000)
    window = Window.at_end(store, "a")
    assert (window.start, window.end) == (1000 - PAGE, 1000)
    while window.earlier():
        assert len(window.messages) <= MOST
        assert window.messages[0].text == f"message {window.start + 1}"
    assert (window.start, window.end) == (0, MOST)
    while window.later():
        assert len(window.messages) <= MOST
        assert window.messages[-1].text == f"message {window.end}"
    assert window.end == 1000


def test_a_window_follows_a_session_that_was_replaced(store: SessionStore) -> None:
    _fill(store, "a", 100)
    window = Window.at_end(store, "a")
    assert not window.later()
    store.set_history("a", [{"role": "user", "content": "new"}])
    assert window.later()
    assert [message.text for message in window.messages] == ["new"]


def test_without_a_terminal_it_says_what_to_use(run: Run, store: SessionStore) -> None:
    assert "browse needs a terminal" in run("browse", "--store", URL, status=2).stderr
