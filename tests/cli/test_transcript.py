"""How messages look in a terminal."""

from __future__ import annotations

import io
from typing import Any

import pytest
from rich.console import Console

from sessionkit import Message
from sessionkit.cli.transcript import HeadView, MessageView
from sessionkit.sessions import SessionInfo

from .hostile import FORBIDDEN, HOSTILE, MARKUP


def rendered(what: Any, *, colours: bool = False, width: int = 100) -> str:
    console = Console(
        file=io.StringIO(),
        force_terminal=True,
        color_system="truecolor" if colours else None,
        width=width,
        no_color=False,
    )
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def spoken(content: Any, **fields: Any) -> MessageView:
    return MessageView(Message.from_dict({"role": "assistant", "content": content, **fields}), 1)


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_nothing_that_steers_a_terminal_comes_out(text: str) -> None:
    call = {"id": text, "function": {"name": text, "arguments": f'{{"a": "{text}"}}', text: text}, text: [text]}
    view = spoken(
        f"{text}\n# {text}\n`{text}`\n```{text}\n{text}\n```", reasoning_content=text, tool_calls=[call], x=text
    )
    info = SessionInfo(key=text, summary=text, created=text, updated=text, aliases=[text], metadata={text: text})
    result = MessageView(Message.from_dict({"role": "tool", "content": text, "name": text, "tool_call_id": text}), 1)
    use = {"type": "tool_use", "id": text, "name": text, "input": {text: text}, text: text}
    answer = {"type": "tool_result", "tool_use_id": text, "content": [{"text": text}, {text: text}], text: text}
    parts = spoken([use, answer, {"toolUse": {"name": text, "input": text}}])
    item = MessageView(
        Message.from_dict({"type": "function_call", "call_id": text, "name": text, "arguments": text}), 1
    )
    for shown in (view, result, parts, item, HeadView(info, 0)):
        assert not (FORBIDDEN - {"\n"}) & set(rendered(shown))


@pytest.mark.parametrize("entity", ["&#x202e;", "&#27;", "&#x9b;", "&ZeroWidthSpace;", "&shy;"])
def test_what_markdown_could_decode_is_shown_as_it_stands(entity: str) -> None:
    assert entity in rendered(spoken(f"a {entity} b"))


def test_a_link_shows_where_it_leads_and_is_none_for_the_terminal() -> None:
    shown = rendered(spoken("[good](https://example.com/bad) <https://example.com/2>"), colours=True)
    assert "https://example.com/bad" in shown
    assert "\x1b]8" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <b>c</b>",
        "<!-- comment -->",
        "[r]: http://x.example",
        "![alt](http://x.example)",
    ],
)
def test_nothing_of_a_text_is_lost_in_markdown(text: str) -> None:
    words = [word for word in text.replace("(", " ").replace(")", " ").split() if word.isalnum() or "." in word]
    shown = rendered(spoken(text))
    assert all(word in shown for word in words)
    assert "<" not in text or text in shown


def test_the_line_breaks_of_a_text_stay() -> None:
    assert [line.strip() for line in rendered(spoken("one\ntwo")).splitlines()[1:]] == ["one", "two"]


def test_markup_of_the_library_is_literal() -> None:
    assert "[red]red[/red]" in rendered(spoken(MARKUP))
    assert "[bold]" in rendered(spoken("", tool_calls=[{"function": {"name": "[bold]f", "arguments": "[/]"}}]))


@pytest.mark.parametrize("text", [">" * 3000, "* " * 2000, "[" * 3000, "`" * 3000, "1. " * 1000, "| a " * 500])
@pytest.mark.parametrize("width", [1, 20, 100])
def test_deep_markdown_is_shown_at_any_width(text: str, width: int) -> None:
    assert rendered(spoken(text), width=width)


def test_arguments_that_are_no_string_are_shown() -> None:
    assert '"city": "Rome"' in rendered(
        spoken(None, tool_calls=[{"function": {"name": "f", "arguments": {"city": "Rome"}}}])
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"x-unknown": {"deep": "needle"}},
        {"name": ["needle"]},
        {"tool_calls": "needle"},
        {"tool_calls": ["needle"]},
        {"reasoning_content": {"a": "needle"}},
        {"attachments": [{"ref": "needle"}]},
        {"content": {"a": "needle"}},
        {"tool_calls": [{"index": "needle"}]},
        {"tool_calls": [{"function": {"name": "f", "strict": "needle"}}]},
        {"content": [{"type": "image_url", "url": "needle"}]},
    ],
    ids=str,
)
def test_nothing_that_is_stored_looks_absent(fields: dict[str, Any]) -> None:
    assert "needle" in rendered(MessageView(Message.from_dict({"role": "user", **fields}), 1))
