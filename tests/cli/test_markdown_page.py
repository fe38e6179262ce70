"""``sessionkit export --format markdown``: what stands in a conversation stays in its quotation, and is no HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest
from markdown_it import MarkdownIt
from markdown_it.token import Token

from sessionkit import SessionStore
from sessionkit.cli.pages import make_page
from sessionkit.cli.pages.prose import allowed_link
from sessionkit.messages import Message
from sessionkit.sessions import Session

from .conftest import URL, Run
from .hostile import FORBIDDEN, HOSTILE
from .injections import INJECTIONS, PICTURES, session_with

_READER = MarkdownIt("commonmark").enable(["table", "strikethrough"])


def _page(session: Session, messages: Iterable[Message]) -> str:
    page = make_page("markdown")
    return page.begin(session.key) + "".join(page.conversation(session, [list(messages)])) + page.end()


def _all(tokens: Iterable[Token]) -> Iterator[Token]:
    for token in tokens:
        yield token
        yield from _all(token.children or ())


def _outline(page: str) -> list[str]:
    return [token.type for token in _READER.parse(page) if token.level == 0]


def _check(page: str) -> None:
    for token in _all(_READER.parse(page)):
        assert token.type not in {"html_inline", "image"}
        if token.type == "html_block":
            folds = token.content.strip()
            assert folds == "</details>" or folds.startswith("<details><summary>")
            assert folds.count("<") == (1 if folds == "</details>" else 3)
        if token.type == "link_open":
            assert allowed_link(str(token.attrs["href"]))


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_text_becomes_no_html_and_no_link_of_its_own_and_stays_in_its_quotation(text: str) -> None:
    page = _page(*session_with(text))
    _check(page)
    assert _outline(page) == _outline(_page(*session_with("word")))


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_steers_the_eye_is_shown_as_an_escape(text: str) -> None:
    page = _page(*session_with(text.replace("\ud800", "\\ud800")))
    _check(page)
    assert not (FORBIDDEN - {"\n"}) & set(page)


@pytest.mark.parametrize("part", PICTURES)
def test_pictures_are_named(part: dict[str, object]) -> None:
    page = _page(Session(key="k", count=1), [Message.from_dict({"role": "user", "content": [part]})])
    _check(page)


def test_markdown_and_code_stay_as_they_are() -> None:
    text = "**bold** [link](https://a.example)\n\n| a |\n|--:|\n| 1 |\n\n```html\n<b>\n```"
    page = _page(Session(key="k", count=1), [Message.simple("assistant", text)])
    assert "\n".join(f"> {line}" if line else ">" for line in text.split("\n")) in page


def test_html_outside_of_code_is_escaped() -> None:
    page = _page(Session(key="k", count=1), [Message.simple("assistant", "<b>x</b>\n\n    <i>")])
    assert "> &lt;b>x&lt;/b>\n>\n>     <i>\n" in page


def test_what_cannot_be_escaped_stands_in_a_fence() -> None:
    page = _page(Session(key="k", count=1), [Message.simple("assistant", "~~~\n```\nopen")])
    assert "> ````\n> ~~~\n> ```\n> open\n> ````\n" in page


def test_a_session_is_exported(run: Run, store: SessionStore) -> None:
    store.add_message("a_b", "user", "hello\nyou")
    result = run("export", "a_b", "--format", "markdown", "--store", URL)
    assert result.stdout.startswith("# a\\_b\n\n1 message · updated ")
    assert result.stdout.endswith("\n1 · **user**\n\n> hello\n> you\n\n")
    assert result.stderr == "Exported 1 session (1 message).\n"
