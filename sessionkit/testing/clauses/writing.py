"""What each write means."""

from __future__ import annotations

import pytest

from sessionkit.sessions import ABSENT
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, comparable, simple, state, texts

KEY = "telegram:-100/7"


class WritingClauses(ConformanceBase):
    """Rule: the docstrings of ``sessionkit.hookspecs.Backend``."""

    def test_an_append_adds_at_the_end(self, store: SessionStore) -> None:
        """``sessionkit_add_messages``: messages stand in the order in which they were written, oldest first."""
        for text in "abc":
            store.add_message(KEY, "user", text)
        assert texts(store, KEY) == ["a", "b", "c"]

    def test_a_batch_is_stored_whole_and_in_order(self, store: SessionStore) -> None:
        """``sessionkit_add_messages`` gets a batch in one call and stores all of it."""
        store.add_messages(KEY, simple(*range(250)))
        assert texts(store, KEY) == [str(number) for number in range(250)]

    def test_equal_messages_are_all_kept(self, store: SessionStore) -> None:
        """Two messages with the same content are two messages; ids repeat from turn to turn."""
        store.add_messages(KEY, simple("same", "same"))
        store.add_message(KEY, "user", "same")
        assert texts(store, KEY) == ["same"] * 3

    def test_an_append_leaves_the_rest_of_the_session_alone(self, store: SessionStore) -> None:
        """Summary, metadata, aliases and the time of creation survive an append."""
        store.update_session(KEY, messages=simple("a"), summary="s", metadata={"m": [1]}, aliases=["nick"])
        before = store.get_session(KEY)
        store.add_message(KEY, "user", "b")
        after = store.get_session(KEY)
        assert comparable(after)[1:] == comparable(before)[1:]
        assert after.created == before.created

    def test_an_update_of_nothing_creates_an_unknown_session(self, store: SessionStore) -> None:
        """``sessionkit_update_session`` with nothing to change creates a session that is not there."""
        store.update_session(KEY)
        session = store.get_session(KEY)
        assert session.exists
        assert comparable(session) == ([], "", {}, ())

    def test_set_history_replaces_the_messages_and_nothing_else(self, store: SessionStore) -> None:
        """``messages`` of an update is the whole new history; what is UNCHANGED stays."""
        store.update_session(KEY, messages=simple("a", "b"), summary="s", metadata={"m": 1}, aliases=["nick"])
        store.set_history(KEY, simple("c"))
        assert state(store, KEY) == ([{"role": "user", "content": "c"}], "s", {"m": 1}, ("nick",))

    def test_set_history_of_nothing_leaves_an_empty_session(self, store: SessionStore) -> None:
        """An empty history is a history: the session goes on to exist."""
        store.add_message(KEY, "user", "a")
        store.set_history(KEY, [])
        assert store.get_session(KEY).exists
        assert store.get_history(KEY) == []

    @pytest.mark.parametrize(("field", "value"), [("summary", "t"), ("metadata", {"n": 2}), ("aliases", ("x", "y"))])
    def test_an_update_changes_what_is_given_and_nothing_else(
        self, store: SessionStore, field: str, value: object
    ) -> None:
        """``UNCHANGED`` leaves a field alone."""
        store.update_session(KEY, messages=simple("a"), summary="s", metadata={"m": 1}, aliases=["nick"])
        store.update_session(KEY, **{field: value})  # type: ignore[arg-type]
        expected = {"summary": "s", "metadata": {"m": 1}, "aliases": ("nick",)} | {field: value}
        assert state(store, KEY) == ([{"role": "user", "content": "a"}], *expected.values())

    def test_fields_can_be_emptied(self, store: SessionStore) -> None:
        """``""``, ``{}`` and ``()`` are values, not ``UNCHANGED``."""
        store.update_session(KEY, messages=simple("a"), summary="s", metadata={"m": 1}, aliases=["nick"])
        store.update_session(KEY, summary="", metadata={}, aliases=())
        assert state(store, KEY)[1:] == ("", {}, ())

    @pytest.mark.parametrize(("keep_last", "left"), [(1, "c"), (2, "bc"), (3, "abc"), (4, "abc")])
    def test_truncation_keeps_the_last_messages(self, store: SessionStore, keep_last: int, left: str) -> None:
        """``keep_last`` is how many messages stay."""
        store.add_messages(KEY, simple(*"abc"))
        store.truncate_history(KEY, keep_last)
        assert texts(store, KEY) == list(left)

    @pytest.mark.parametrize("keep_last", [0, -1])
    def test_truncation_to_none_or_fewer_empties_the_history(self, store: SessionStore, keep_last: int) -> None:
        """All messages go for a ``keep_last`` of 0 or less; the session stays."""
        store.add_messages(KEY, simple(*"abc"))
        store.truncate_history(KEY, keep_last)
        assert store.get_history(KEY) == []
        assert store.get_session(KEY).exists

    def test_truncation_with_a_summary_changes_both(self, store: SessionStore) -> None:
        """``sessionkit_truncate_history`` sets the summary too, also when no message has to go."""
        store.add_messages(KEY, simple(*"abc"))
        store.truncate_history(KEY, 1, summary="a, b")
        assert (texts(store, KEY), store.get_summary(KEY)) == (["c"], "a, b")
        store.truncate_history(KEY, 5, summary="again")
        assert (texts(store, KEY), store.get_summary(KEY)) == (["c"], "again")

    def test_truncation_without_a_summary_keeps_it(self, store: SessionStore) -> None:
        """``UNCHANGED`` leaves the summary alone."""
        store.update_session(KEY, messages=simple(*"abc"), summary="s", metadata={"m": 1}, aliases=["nick"])
        store.truncate_history(KEY, 1)
        assert state(store, KEY)[1:] == ("s", {"m": 1}, ("nick",))

    def test_truncating_an_unknown_session_creates_nothing(self, store: SessionStore) -> None:
        """Without a summary to keep, the answer is ``ABSENT``."""
        assert store.truncate_history(KEY, 3) == ABSENT
        assert not store.get_session(KEY).exists
        assert list(store.list_sessions()) == []

    def test_truncating_an_unknown_session_with_a_summary_keeps_the_summary(self, store: SessionStore) -> None:
        """A summary is something to keep: the session is created."""
        store.truncate_history(KEY, 3, summary="s")
        assert store.get_summary(KEY) == "s"

    @pytest.mark.parametrize(("drop_first", "left"), [(0, "abc"), (1, "bc"), (2, "c"), (3, ""), (9, "")])
    def test_drop_first_removes_the_oldest_messages(self, store: SessionStore, drop_first: int, left: str) -> None:
        """``drop_first`` is how many messages go, from the beginning."""
        store.add_messages(KEY, simple(*"abc"))
        self.hooks(store).truncate_history(KEY, "write", drop_first=drop_first, summary="s")
        assert (texts(store, KEY), store.get_summary(KEY)) == (list(left), "s")

    def test_appends_after_a_truncation_follow_what_was_kept(self, store: SessionStore) -> None:
        """A truncation hides the beginning for good, whatever is written afterwards."""
        store.add_messages(KEY, simple(*"abc"))
        store.truncate_history(KEY, 1)
        store.save(KEY)
        store.add_message(KEY, "user", "d")
        store.truncate_history(KEY, 5)
        assert texts(store, KEY) == ["c", "d"]

    def test_created_is_set_once(self, store: SessionStore) -> None:
        """The time of creation never changes unless an update gives one."""
        store.add_message(KEY, "user", "a")
        created = store.get_session(KEY).created
        assert created
        store.add_message(KEY, "user", "b")
        store.set_history(KEY, simple("c"))
        store.truncate_history(KEY, 0, summary="s")
        store.update_session(KEY, metadata={"m": 1})
        store.save(KEY)
        assert store.get_session(KEY).created == created

    def test_times_that_are_given_are_kept_digit_for_digit(self, store: SessionStore) -> None:
        """An import keeps the times of the original, nanoseconds and zone included."""
        created, updated = "2024-01-02T03:04:05.123456789+02:00", "2024-02-03T04:05:06.100Z"
        store.update_session(KEY, created=created, updated=updated)
        session = store.get_session(KEY)
        assert (session.created, session.updated) == (created, updated)

    def test_updated_is_set_and_never_goes_back(self, store: SessionStore) -> None:
        """``updated`` is the later of the old time and the present one."""
        store.update_session(KEY, updated="2999-01-01T00:00:00Z")
        store.set_summary(KEY, "s")
        assert store.get_session(KEY).updated == "2999-01-01T00:00:00Z"
        store.set_summary("other", "s")
        assert store.get_session("other").updated

    def test_delete_removes_everything_of_a_session(self, store: SessionStore) -> None:
        """``sessionkit_delete_session``; a new session of the same key begins with nothing."""
        store.update_session(KEY, messages=simple("a"), summary="s", metadata={"m": 1}, aliases=["nick"])
        assert store.delete_session(KEY)
        assert comparable(store.get_session(KEY)) == ([], "", {}, ())
        assert not store.get_session(KEY).exists
        store.add_message(KEY, "user", "new")
        assert state(store, KEY) == ([{"role": "user", "content": "new"}], "", {}, ())

    def test_delete_tells_whether_there_was_a_session(self, store: SessionStore) -> None:
        """True for a session that was there, False for an unknown one."""
        assert store.delete_session(KEY) is False
        store.add_message(KEY, "user", "a")
        assert store.delete_session(KEY) is True
        assert store.delete_session(KEY) is False

    def test_delete_leaves_other_sessions_alone(self, store: SessionStore) -> None:
        """Also those whose key begins alike."""
        for key in ("a", "ab", "a:b", "a/b"):
            store.update_session(key, messages=simple(key), summary=key)
        store.delete_session("a")
        assert sorted(info.key for info in store.list_sessions()) == ["a/b", "a:b", "ab"]
        assert all(texts(store, key) == [key] for key in ("ab", "a:b", "a/b"))

    def test_a_fork_shares_nothing_with_its_origin(self, store: SessionStore) -> None:
        """Writes to one are not seen in the other."""
        store.update_session(KEY, messages=simple("a"), summary="s", metadata={"m": 1})
        store.fork_session(KEY, "fork")
        store.add_message(KEY, "user", "b")
        store.add_message("fork", "user", "c")
        store.delete_session(KEY)
        assert (texts(store, "fork"), store.get_summary("fork")) == (["a", "c"], "s")

    def test_save_of_any_session_returns(self, store: SessionStore) -> None:
        """``sessionkit_save`` of an unknown, an unchanged and a changed session; it creates nothing."""
        store.save("unknown")
        store.add_message(KEY, "user", "a")
        store.save(KEY)
        store.save(KEY)
        assert [info.key for info in store.list_sessions()] == [KEY]
        assert texts(store, KEY) == ["a"]
