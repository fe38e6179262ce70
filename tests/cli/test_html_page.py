"""``sessionkit export --format html``: nothing that stands in a conversation becomes a part of the page."""

from __future__ import annotations

import hashlib
import itertools
import re
import tracemalloc
import xml.etree.ElementTree as ET
from base64 import b64encode
from collections.abc import Iterable, Iterator

import html5lib
import pytest

from sessionkit import SessionStore
from sessionkit.cli.pages import make_page
from sessionkit.messages import Message
from sessionkit.sessions import Session

from .conftest import URL, Run
from .hostile import FORBIDDEN, HOSTILE
from .injections import INJECTIONS, PICTURES, session_with

_ELEMENTS = {
    *("html", "head", "meta", "title", "style", "body", "main", "section", "header", "article", "div", "span", "time"),
    *("details", "summary", "dl", "dt", "dd", "h1", "h2", "h3", "h4", "h5", "h6", "p", "br", "hr", "pre", "code"),
    *("em", "strong", "s", "a", "img", "ul", "ol", "li", "blockquote", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {
    *(("html", "lang"), ("meta", "charset"), ("meta", "http-equiv"), ("meta", "name"), ("meta", "content")),
    *(("h1", "dir"), ("div", "dir"), ("article", "id"), ("a", "href"), ("a", "rel"), ("time", "datetime")),
    *(("details", "open"), ("img", "src"), ("img", "alt"), ("ol", "start")),
    *((name, "class") for name in ("section", "article", "div", "span", "p", "a", "details", "th", "td")),
}
_CLASSES = {
    *(
        "conversation",
        "facts",
        "more",
        "summary",
        "user",
        "assistant",
        "system",
        "tool",
        "other",
        "who",
        "name",
        "when",
    ),
    *("model", "number", "body", "thoughts", "call", "result", "size", "gist", "id", "picture", "right", "center"),
}


def _page(session: Session, messages: Iterable[Message]) -> str:
    page = make_page("html")
    return page.begin(session.key) + "".join(page.conversation(session, [list(messages)])) + page.end()


def _parsed(page: str) -> ET.Element:
    parsed: ET.Element = html5lib.parse(page, namespaceHTMLElements=False)
    return parsed


def _tags(page: str) -> list[str]:
    """The elements but those that tell how long a text is."""
    return [str(element.tag) for element in _parsed(page).iter() if element.get("class") != "size"]


def _check(page: str) -> None:
    """Hold every element and attribute to those that the page has."""
    for element in _parsed(page).iter():
        assert element.tag in _ELEMENTS
        for name, value in element.attrib.items():
            assert (element.tag, name) in _ATTRIBUTES
            assert name != "class" or value in _CLASSES
            assert name != "href" or re.match(r"https?://|mailto:|#m[\d-]+$", value)
            assert name != "src" or re.fullmatch(r"data:image/png;base64,[A-Za-z0-9+/=]+", value)


@pytest.mark.parametrize("text", INJECTIONS)
def test_a_text_becomes_no_element_no_attribute_and_no_link_of_its_own(text: str) -> None:
    _check(_page(*session_with(text)))


@pytest.mark.parametrize("text", INJECTIONS)
def test_what_is_no_markdown_changes_nothing_of_the_page_and_is_read_as_it_stands(text: str) -> None:
    plain, page = _page(*session_with("word", said="said")), _page(*session_with(text, said="said"))
    text = text.partition("\n")[0].replace("\0", "").replace("\t", "").replace("\x01", "")
    assert _tags(page) == _tags(plain)
    assert text in "".join(_parsed(page).itertext()).replace("\\x00", "").replace("\\t", "").replace("\\x01", "")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_what_steers_the_eye_is_shown_as_an_escape(text: str) -> None:
    page = _page(*session_with(text.replace("\ud800", "\\ud800")))
    _check(page)
    assert not (FORBIDDEN - {"\n"}) & set(page)


@pytest.mark.parametrize("part", PICTURES)
def test_only_a_picture_that_the_message_carries_is_shown(part: dict[str, object]) -> None:
    page = _page(Session(key="k", count=1), [Message.from_dict({"role": "user", "content": [part]})])
    _check(page)
    assert ("<img " in page) == (part == PICTURES[-1])


def test_the_policy_forbids_all_but_the_style_and_the_pictures_of_the_page() -> None:
    parsed = _parsed(_page(*session_with("word")))
    (policy,) = [meta.get("content") for meta in parsed.iter("meta") if meta.get("http-equiv")]
    (style,) = parsed.iter("style")
    digest = b64encode(hashlib.sha256((style.text or "").encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def test_markdown_of_messages_is_rendered() -> None:
    text = "**bold** and\na [link](https://a.example)\n\n| a |\n|--:|\n| 1 |\n\n```python\nx < 1\n```\n"
    page = _page(Session(key="k", count=1), [Message.simple("assistant", text)])
    assert "<strong>bold</strong> and<br>" in page
    assert '<a href="https://a.example" rel="noopener noreferrer nofollow">link</a>' in page
    assert '<td class="right">1</td>' in page
    assert "<pre><code>x &lt; 1\n</code></pre>" in page


def test_calls_are_folded_and_of_the_results_the_long_ones() -> None:
    call = {"id": "c1", "function": {"name": "look", "arguments": '{"at":1}'}}
    short, long = "4 words of it", "x" * 500
    messages = [{"role": "assistant", "content": None, "tool_calls": [call]}]
    messages += [{"role": "tool", "tool_call_id": "c1", "content": text} for text in (short, long)]
    page = _page(Session(key="k", count=3), map(Message.from_dict, messages))
    size = '<span class="size">1 line</span>'
    assert re.findall(r"<details.*?</summary>", page) == [
        '<details class="call"><summary><code>look</code><span class="gist">{&quot;at&quot;:1}</span></summary>',
        '<details class="result" open><summary><code>look</code><span class="gist">4 words of it</span></summary>',
        f'<details class="result"><summary><code>look</code>{size}<span class="gist">{"x" * 160}…</span></summary>',
    ]


def test_a_text_that_is_too_long_for_markdown_is_shown_as_it_stands() -> None:
    page = _page(Session(key="k", count=1), [Message.simple("user", "*a* " * 50_000)])
    assert "<pre>*a* *a*" in page


def test_a_long_session_is_written_in_bounded_memory() -> None:
    def batches() -> Iterator[list[Message]]:
        for _ in range(100):
            yield [Message.simple("user", f"message *{number}* " + "x" * 1000) for number in range(20)]

    page = make_page("html")
    list(page.conversation(Session(key="k", count=20), itertools.islice(batches(), 1)))  # loads what is loaded once
    tracemalloc.start()
    try:
        written = sum(len(piece) for piece in page.conversation(Session(key="k", count=2000), batches()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert written > 2_000_000
    assert peak < 500_000


def test_sessions_go_to_one_page_with_places_of_their_own(run: Run, store: SessionStore) -> None:
    store.add_message("a", "user", "hello")
    store.add_message("b", "user", "bye")
    result = run("export", "--all", "--format", "html", "--store", URL)
    _check(result.stdout)
    assert [element.get("id") for element in _parsed(result.stdout).iter("article")] == ["m1", "m2-1"]
    assert result.stderr == "Exported 2 sessions (2 messages).\n"


def test_the_title_is_the_key(run: Run, store: SessionStore) -> None:
    store.add_message("a<b", "user", "hello")
    result = run("export", "a<b", "--format", "html", "--store", URL)
    assert [element.text for element in _parsed(result.stdout).iter("title")] == ["a<b"]
