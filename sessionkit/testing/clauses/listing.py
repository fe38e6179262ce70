"""Listing: every session once, page by page, whatever is written meanwhile."""

from __future__ import annotations

import os
from collections.abc import Callable

from sessionkit.sessions import SessionInfo
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, simple


class ListingClauses(ConformanceBase):
    """Rule: ``sessionkit_list_sessions``."""

    def pages(self, store: SessionStore, prefix: str, limit: int) -> list[list[SessionInfo]]:
        """All pages of a listing; ends with an assertion when it does not end."""
        pages: list[list[SessionInfo]] = []
        cursor = None
        while len(pages) < 1_000:
            page = self.hooks(store).list_sessions(prefix, cursor, limit)
            pages.append(list(page.sessions))
            cursor = page.next
            if cursor is None:
                return pages
        raise AssertionError("the listing does not end: a page whose next is None ends it")

    def test_a_listing_of_nothing_is_empty(self, store: SessionStore) -> None:
        """No session, no entry."""
        assert list(store.list_sessions()) == []

    def test_pages_hold_every_session_once_and_no_more_than_asked_for(self, store: SessionStore) -> None:
        """At every size of a page."""
        keys = [f"k{number:02}" for number in range(11)]
        for key in keys:
            store.add_message(key, "user", "x")
        for limit in (1, 2, 3, 5, 10, 11, 12, 100):
            pages = self.pages(store, "", limit)
            assert all(len(page) <= limit for page in pages)
            assert sorted(info.key for page in pages for info in page) == keys

    def test_a_listing_keeps_to_the_prefix(self, store: SessionStore) -> None:
        """The prefix is text, not a pattern, and matches at the beginning only."""
        for key in ("a%b", "a_b", "axb", "A_b", "ba_b", "a_", "a*", "[a]_b", "é_b"):
            store.add_message(key, "user", "x")
        for prefix, expected in (
            ("a_", ["a_", "a_b"]),
            ("a%", ["a%b"]),
            ("a*", ["a*"]),
            ("[a]", ["[a]_b"]),
            ("é", ["é_b"]),
            ("zz", []),
        ):
            assert sorted(info.key for info in store.list_sessions(prefix)) == expected
            assert sorted(info.key for page in self.pages(store, prefix, 1) for info in page) == expected

    def test_a_long_listing_is_whole(self, store: SessionStore) -> None:
        """There is no silent cap, and every page leads to the next."""
        keys = [f"k{number:03}" for number in range(220)]
        for key in keys:
            store.update_session(key)
        assert sorted(info.key for info in store.list_sessions()) == keys
        assert sorted(info.key for page in self.pages(store, "k", 7) for info in page) == keys

    def test_writes_do_not_move_sessions_between_pages(self, store: SessionStore) -> None:
        """Pages are cut by the key: who is there throughout appears exactly once, though others come and go."""
        keys = [f"k{number:02}" for number in range(20)]
        for key in keys:
            store.add_message(key, "user", "x")
        seen: list[str] = []
        cursor = None
        for round_ in range(1_000):
            page = self.hooks(store).list_sessions("", cursor, 3)
            seen += [info.key for info in page.sessions]
            cursor = page.next
            if cursor is None:
                break
            for key in keys[:2] + seen[-1:]:
                store.add_message(key, "user", "again")
            store.add_message(f"a{round_}", "user", "new")
            store.add_message(f"k{round_:02}-new", "user", "new")
            store.delete_session(f"a{round_ - 1}")
        assert sorted(key for key in seen if key in keys) == keys

    def test_a_session_that_is_deleted_while_it_is_listed_does_not_end_the_listing(self, store: SessionStore) -> None:
        """The place where a page ended may be gone."""
        keys = [f"k{number:02}" for number in range(10)]
        for key in keys:
            store.add_message(key, "user", "x")
        first = self.hooks(store).list_sessions("", None, 4)
        for info in first.sessions:
            store.delete_session(info.key)
        rest, cursor = [], first.next
        while cursor is not None:
            page = self.hooks(store).list_sessions("", cursor, 4)
            rest += [info.key for info in page.sessions]
            cursor = page.next
        assert sorted([*(info.key for info in first.sessions), *rest]) == keys

    def test_a_deleted_session_is_not_listed(self, store: SessionStore) -> None:
        """Nor is one that was only read."""
        store.add_message("gone", "user", "x")
        store.add_message("kept", "user", "x")
        store.delete_session("gone")
        store.get_history("read")
        assert [info.key for info in store.list_sessions()] == ["kept"]

    def test_headings_are_those_of_the_listing(self, store: SessionStore) -> None:
        """Rule: ``sessionkit_list_headings``, which is optional. At once after each write, at every size of a page."""
        for key in ("a:1", "a:2", "b", "empty"):
            store.update_session(key, summary=f"of {key}", metadata={"m": key}, aliases=[f"@{key}"])
        for key in ("a:1", "a:2", "b", "c", "gone"):
            store.add_message(key, "user", "x")
        for write in (
            lambda: store.delete_session("gone"),
            lambda: store.set_summary("a:2", "another"),
            lambda: store.truncate_history("b", 0),
            lambda: store.set_history("c", simple("y", "z")),
        ):
            write()
            for prefix, limit in (("", 1), ("", 3), ("", 100), ("a:", 1)):
                assert self.headings(store, prefix, limit) == [
                    (info.key, info.summary, info.metadata, info.aliases)
                    for page in self.pages(store, prefix, limit)
                    for info in page
                ]

    def headings(self, store: SessionStore, prefix: str, limit: int) -> list[tuple[object, ...]]:
        found: list[tuple[object, ...]] = []
        cursor = None
        for _ in range(1_000):
            page = self.hooks(store).list_headings(prefix, cursor, limit)
            assert len(page.headings) <= limit
            found += [(each.key, each.summary, each.metadata, each.aliases) for each in page.headings]
            cursor = page.next
            if cursor is None:
                return found
        raise AssertionError("the headings do not end: a page whose next is None ends them")

    def test_a_size_that_is_told_is_that_of_what_is_stored(self, store: SessionStore) -> None:
        """Rule: ``size`` of a session, which is optional. A whole number of bytes, larger where much more is stored."""
        store.add_message("small", "user", "x")
        store.add_messages("large", simple(*(os.urandom(4_000).hex() for _ in range(8))))
        for key in ("small", "large"):
            store.save(key)
        sizes = {info.key: info.size for info in store.list_sessions()}
        assert all(size is None or (type(size) is int and size >= 0) for size in sizes.values())
        small, large = sizes["small"], sizes["large"]
        assert small is None or large is None or small + 16_000 < large

    def test_an_empty_session_is_listed(self, store: SessionStore) -> None:
        """A session exists without messages too."""
        store.update_session("empty")
        store.add_messages("emptied", simple("x"))
        store.truncate_history("emptied", 0)
        assert sorted((info.key, info.count) for info in store.list_sessions()) == [("emptied", 0), ("empty", 0)]

    def test_a_listing_is_up_to_date(self, store: SessionStore) -> None:
        """What it tells of a session is what a read tells, at once after each write."""
        writes: list[Callable[[], object]] = [
            lambda: store.add_messages("k", simple("a", "b", "c")),
            lambda: store.set_summary("k", "s"),
            lambda: store.truncate_history("k", 1),
            lambda: store.set_history("k", simple("x", "y")),
            lambda: store.update_session("k", metadata={"m": 1}, aliases=["nick"]),
        ]
        for write in writes:
            write()
            (info,) = store.list_sessions()
            session = store.get_session("k")
            for field in ("count", "summary", "metadata", "aliases", "created", "updated", "version", "generation"):
                assert getattr(info, field) == getattr(session, field), field
