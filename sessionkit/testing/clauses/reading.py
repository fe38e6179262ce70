"""What each read means."""

from __future__ import annotations

import pytest

from sessionkit.operations import window
from sessionkit.sessions import ABSENT
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, comparable, simple, texts

KEY = "cli:direct"


class ReadingClauses(ConformanceBase):
    """Rule: the docstrings of ``sessionkit.hookspecs.Backend``."""

    def test_an_unknown_session_is_empty_and_absent(self, store: SessionStore) -> None:
        """Reading what is not there is no error; its version is ``ABSENT``."""
        assert comparable(store.get_session(KEY)) == ([], "", {}, ())
        assert store.get_session(KEY).version == ABSENT
        history = self.hooks(store).get_history(KEY, 0, None)
        assert (list(history.messages), history.total, history.version) == ([], 0, ABSENT)

    def test_reading_creates_nothing(self, store: SessionStore) -> None:
        """No read makes a session exist."""
        store.get_history(KEY)
        store.get_summary(KEY)
        store.get_session(KEY)
        assert list(store.list_sessions()) == []
        assert not store.get_session(KEY).exists

    @pytest.mark.parametrize("limit", [1, 2, 5, 9])
    def test_a_limit_returns_the_newest(self, store: SessionStore, limit: int) -> None:
        """The last messages, oldest of them first."""
        store.add_messages(KEY, simple(*range(5)))
        expected = [str(number) for number in range(5)][-limit:]
        assert [message.text for message in store.get_history(KEY, limit)] == expected
        assert [message.text for message in store.get_session(KEY, limit).messages] == expected

    @pytest.mark.parametrize("limit", [0, -1])
    def test_a_limit_of_none_or_fewer_returns_nothing(self, store: SessionStore, limit: int) -> None:
        """Zero is a limit, not "no limit"."""
        store.add_messages(KEY, simple(*range(5)))
        assert store.get_history(KEY, limit) == []
        assert store.get_session(KEY, limit).messages == ()

    @pytest.mark.parametrize("truncated", [False, True])
    def test_every_stretch_of_a_history_can_be_read(self, store: SessionStore, truncated: bool) -> None:
        """``sessionkit_get_history`` with ``start`` from either end, and the place of the stretch in the whole."""
        store.add_messages(KEY, simple(*range(-4 if truncated else 0, 6)))
        if truncated:
            store.truncate_history(KEY, 6)
        for start in (-9, -6, -5, -1, 0, 1, 5, 6, 9):
            for limit in (None, 0, 1, 3, 6, 9):
                history = self.hooks(store).get_history(KEY, start, limit)
                first, last = window(6, start, limit)
                assert [message.text for message in history.messages] == [str(n) for n in range(first, last)]
                assert history.total == 6
                assert history.start == first or not history.messages

    def test_a_snapshot_counts_all_messages_whatever_the_limit(self, store: SessionStore) -> None:
        """``count`` is of the whole history."""
        store.add_messages(KEY, simple(*range(5)))
        assert [store.get_session(KEY, limit).count for limit in (None, 0, 2)] == [5, 5, 5]

    def test_what_was_read_does_not_change_with_later_writes(self, store: SessionStore) -> None:
        """A history and a snapshot are of one moment."""
        store.update_session(KEY, messages=simple("a"), metadata={"list": [1]})
        history = self.hooks(store).get_history(KEY, 0, None)
        session = store.get_session(KEY)
        store.add_message(KEY, "user", "b")
        store.update_session(KEY, metadata={"list": [2]}, summary="s")
        assert [message.text for message in history.messages] == ["a"]
        assert comparable(session) == ([{"role": "user", "content": "a"}], "", {"list": [1]}, ())

    def test_a_long_history_is_read_whole(self, store: SessionStore) -> None:
        """There is no silent cap: neither at 1,000 nor at 10,000."""
        store.add_messages(KEY, simple(*range(10_500)))
        expected = [str(number) for number in range(10_500)]
        assert texts(store, KEY) == expected
        assert [message.text for message in store.iter_history(KEY)] == expected
        assert [message.text for message in store.get_history(KEY, 3)] == expected[-3:]

    def test_an_alias_is_no_key(self, store: SessionStore) -> None:
        """Aliases never resolve by themselves; ``resolve`` finds them, and an exact key wins."""
        store.update_session(KEY, messages=simple("a"), aliases=["nick"])
        assert not store.get_session("nick").exists
        assert store.resolve("nick") == KEY
        store.add_message("nick", "user", "b")
        assert (texts(store, KEY), texts(store, "nick")) == (["a"], ["b"])
        assert store.resolve("nick") == "nick"

    def test_history_session_and_listing_agree(self, store: SessionStore) -> None:
        """One state, whichever way it is read."""
        store.update_session(KEY, messages=simple(*"abc"), summary="s", metadata={"m": 1}, aliases=["nick"])
        store.truncate_history(KEY, 2)
        store.add_message(KEY, "user", "d")
        session = store.get_session(KEY)
        history = self.hooks(store).get_history(KEY, 0, None)
        (info,) = store.list_sessions()
        assert list(session.messages) == store.get_history(KEY)
        assert session.version == history.version == info.version
        assert session.generation == history.generation == info.generation
        assert (info.key, info.count, info.summary, info.metadata, info.aliases, info.created, info.updated) == (
            KEY,
            session.count,
            session.summary,
            session.metadata,
            session.aliases,
            session.created,
            session.updated,
        )
