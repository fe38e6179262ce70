"""How much is read at once."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import Message, SessionStore, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.sessions import History
from sessionkit.store.paging import PAGE_BYTES, PAGE_MESSAGES, PageSize
from sessionkit.store.runtime import Recipe

KEY = "agent:main"


class PagingBackend(MemoryBackend):
    """Notes how many bytes of messages each page has."""

    def __init__(self) -> None:
        super().__init__()
        self.pages: list[list[int]] = []

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        history = super().sessionkit_get_history(key, start, limit)
        self.pages.append([len(message.to_json()) for message in history.messages])
        return history


def read(contents: list[str]) -> tuple[list[str], list[list[int]]]:
    """What the iteration over a session of these contents yields, and the pages that it read."""
    backend = PagingBackend()
    recipe = Recipe(name="test", source="tests", backend=lambda: backend, on_write_error="raise")
    with SessionStore(recipe) as store:
        if contents:
            store.add_messages(KEY, [Message.simple("user", content) for content in contents])
        return [message.text for message in store.iter_history(KEY)], backend.pages


def test_pages_of_short_messages_grow_to_the_most_there_is() -> None:
    contents = [str(number) for number in range(5_000)]
    found, pages = read(contents)
    assert found == contents
    assert [len(page) for page in pages[:6]] == [4, 16, 64, 256, PAGE_MESSAGES, PAGE_MESSAGES]


def test_pages_of_long_messages_have_a_few_megabytes() -> None:
    contents = [str(number) + "x" * (PAGE_BYTES // 3) for number in range(12)]
    found, pages = read(contents)
    assert found == contents
    assert max(map(len, pages[1:])) == 2


def test_messages_that_become_long_shrink_the_pages() -> None:
    contents = ["x"] * 20 + ["x" * (PAGE_BYTES // 32)] * 100
    found, pages = read(contents)
    assert found == contents
    assert [len(page) for page in pages] == [4, 16, 64, 31, 5]


@given(st.integers(0, PAGE_MESSAGES), st.integers(0, 2 * PAGE_BYTES))
def test_a_page_is_never_empty_nor_larger_than_the_most_there_is(messages: int, size: int) -> None:
    page = PageSize()
    for _ in range(6):
        page.follow(messages, size)
        assert 1 <= page.messages <= PAGE_MESSAGES


@pytest.mark.parametrize("count", [0, 1, 3, 4, 5, 20, 21, 84, 85])
def test_what_fills_pages_exactly_is_read_whole(count: int) -> None:
    contents = [str(number) for number in range(count)]
    assert read(contents)[0] == contents


@pytest.mark.parametrize(("start", "first"), [(0, 0), (7, 7), (-30, 70), (-200, 0), (100, 100), (500, 100)])
def test_an_iteration_begins_where_it_is_asked_to(start: int, first: int) -> None:
    recipe = Recipe(name="test", source="tests", backend=MemoryBackend, on_write_error="raise")
    with SessionStore(recipe) as store:
        store.add_messages(KEY, [Message.simple("user", str(number)) for number in range(100)])
        assert [message.text for message in store.iter_history(KEY, start)] == [str(n) for n in range(first, 100)]
