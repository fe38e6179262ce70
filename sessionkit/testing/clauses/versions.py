"""Versions, generations, and what depends on them: conditional writes and summaries."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from sessionkit.errors import VersionConflict
from sessionkit.sessions import ABSENT
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, deletions_on_condition, simple, state, texts

KEY = "k"

CHANGES: dict[str, Callable[[SessionStore], object]] = {
    "append": lambda store: store.add_message(KEY, "user", "x"),
    "append the same": lambda store: store.add_messages(KEY, simple("a", "b", "c")),
    "replace": lambda store: store.set_history(KEY, simple("z")),
    "replace by as many": lambda store: store.set_history(KEY, simple("x", "y", "z")),
    "truncate": lambda store: store.truncate_history(KEY, 2),
    "summary": lambda store: store.set_summary(KEY, "new"),
    "metadata": lambda store: store.update_session(KEY, metadata={"m": 2}),
    "aliases": lambda store: store.update_session(KEY, aliases=["other"]),
    "created": lambda store: store.update_session(KEY, created="2001-01-01T00:00:00Z"),
}
_CUTS = {"replace", "replace by as many", "truncate"}


@contextmanager
def refused_deletion() -> Iterator[None]:
    """What is done inside is a deletion whose condition does not hold."""
    with deletions_on_condition(), pytest.raises(VersionConflict):
        yield


class VersionClauses(ConformanceBase):
    """Rule: ``version`` changes with every change and is never repeated for a key, deletion included."""

    @pytest.mark.parametrize("change", CHANGES)
    def test_every_change_changes_the_version(self, store: SessionStore, change: str) -> None:
        """Whatever was changed."""
        store.add_messages(KEY, simple("a", "b", "c"))
        before = store.get_session(KEY).version
        CHANGES[change](store)
        assert store.get_session(KEY).version != before

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_write_returns_the_version_that_is_read_afterwards(self, store: SessionStore, change: str) -> None:
        """So that the next conditional write needs no read."""
        store.add_messages(KEY, simple("a", "b", "c"))
        assert CHANGES[change](store) == store.get_session(KEY).version

    def test_reading_and_saving_do_not_change_the_version(self, store: SessionStore) -> None:
        """A save is no change, even when it rewrites files."""
        store.add_messages(KEY, simple("a", "b", "c"))
        store.truncate_history(KEY, 1)
        before = store.get_session(KEY)
        store.get_history(KEY)
        list(store.list_sessions())
        store.save(KEY)
        after = store.get_session(KEY)
        assert (after.version, after.generation) == (before.version, before.generation)

    def test_an_update_or_truncation_of_nothing_keeps_the_version(self, store: SessionStore) -> None:
        """Nothing changed, so the answer is the version that it had."""
        store.add_messages(KEY, simple("a", "b"))
        version = store.get_session(KEY).version
        assert store.update_session(KEY) == version
        assert store.truncate_history(KEY, 5) == version
        assert store.get_session(KEY).version == version

    def test_a_version_is_never_repeated(self, store: SessionStore) -> None:
        """Neither when a session returns to an earlier content nor when it is deleted and made again."""
        seen: set[str | None] = set()
        for _ in range(4):
            writes: list[Callable[[], str | None]] = [
                lambda: store.add_message(KEY, "user", "same"),
                lambda: store.set_summary(KEY, "same"),
                lambda: store.set_history(KEY, simple("same")),
                lambda: store.truncate_history(KEY, 0),
                lambda: store.set_summary(KEY, ""),
            ]
            for write in writes:
                version = write()
                assert version not in seen
                seen.add(version)
            store.delete_session(KEY)
        assert ABSENT not in seen

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_replacement_in_another_state_is_refused(self, store: SessionStore, change: str) -> None:
        """``if_version`` of an update: nothing is changed when somebody wrote in between."""
        store.add_messages(KEY, simple("a", "b", "c"))
        seen = store.get_session(KEY).version
        CHANGES[change](store)
        before = state(store, KEY)
        with pytest.raises(VersionConflict):
            store.update_session(KEY, messages=[], summary="lost", metadata={}, if_version=seen)
        assert state(store, KEY) == before

    def test_a_truncation_in_another_state_is_refused(self, store: SessionStore) -> None:
        """``if_version`` of a truncation, with and without a summary, also when nothing would go."""
        store.add_messages(KEY, simple("a", "b", "c"))
        seen = store.get_session(KEY).version
        store.add_message(KEY, "user", "d")
        before = state(store, KEY)
        for keep_last in (1, 9):
            with pytest.raises(VersionConflict):
                store.truncate_history(KEY, keep_last, if_version=seen)
            with pytest.raises(VersionConflict):
                store.truncate_history(KEY, keep_last, summary="lost", if_version=seen)
        assert state(store, KEY) == before

    def test_a_write_in_the_same_state_is_done(self, store: SessionStore) -> None:
        """A condition that holds does not hinder."""
        version = store.add_messages(KEY, simple("a", "b", "c"))
        version = store.truncate_history(KEY, 2, if_version=version)
        version = store.update_session(KEY, summary="s", if_version=version)
        store.set_history(KEY, simple("z"), if_version=version)
        assert (texts(store, KEY), store.get_summary(KEY)) == (["z"], "s")

    def test_absent_means_create_only(self, store: SessionStore) -> None:
        """``if_version=ABSENT`` is refused for every session that exists, an empty one too."""
        store.update_session(KEY, if_version=ABSENT)
        with pytest.raises(VersionConflict):
            store.update_session(KEY, summary="lost", if_version=ABSENT)
        assert store.get_summary(KEY) == ""
        store.delete_session(KEY)
        store.update_session(KEY, summary="new", if_version=ABSENT)
        assert store.get_summary(KEY) == "new"

    def test_a_deleted_session_is_in_no_earlier_state(self, store: SessionStore) -> None:
        """A conditional write does not bring a deleted session back."""
        version = store.add_message(KEY, "user", "a")
        store.delete_session(KEY)
        with pytest.raises(VersionConflict):
            store.set_history(KEY, simple("back"), if_version=version)
        with pytest.raises(VersionConflict):
            store.truncate_history(KEY, 1, if_version=version)
        assert not store.get_session(KEY).exists

    @pytest.mark.parametrize("change", CHANGES)
    def test_a_deletion_in_another_state_is_refused(self, store: SessionStore, change: str) -> None:
        """``if_version`` of a deletion: everything stays when somebody wrote in between."""
        store.add_messages(KEY, simple("a", "b", "c"))
        seen = store.get_session(KEY).version
        CHANGES[change](store)
        before = state(store, KEY)
        with refused_deletion():
            store.delete_session(KEY, if_version=seen)
        with refused_deletion():
            store.delete_session(KEY, if_version=ABSENT)
        assert state(store, KEY) == before

    def test_a_deletion_in_the_same_state_is_done(self, store: SessionStore) -> None:
        """A condition that holds does not hinder, also that there is no such session."""
        version = store.add_message(KEY, "user", "a")
        store.save(KEY)
        assert version is not None
        with deletions_on_condition():
            assert store.delete_session(KEY, if_version=version) is True
            assert store.delete_session(KEY, if_version=ABSENT) is False
        assert not store.get_session(KEY).exists

    def test_a_deletion_of_what_is_gone_is_refused(self, store: SessionStore) -> None:
        """The session was in some state, and is in none now: somebody else deleted it."""
        version = store.add_message(KEY, "user", "a")
        store.delete_session(KEY)
        with refused_deletion():
            store.delete_session(KEY, if_version=version)
        store.add_message(KEY, "user", "a")
        with refused_deletion():
            store.delete_session(KEY, if_version=version)
        assert texts(store, KEY) == ["a"]

    def test_a_condition_counts_also_when_nothing_is_to_change(self, store: SessionStore) -> None:
        """An update of nothing with ``if_version`` asks whether the session is in that state."""
        version = store.add_message(KEY, "user", "a")
        assert store.update_session(KEY, if_version=version) == version
        store.add_message(KEY, "user", "b")
        with pytest.raises(VersionConflict):
            store.update_session(KEY, if_version=version)

    @pytest.mark.parametrize("change", CHANGES)
    def test_the_generation_changes_exactly_with_removal_and_replacement(
        self, store: SessionStore, change: str
    ) -> None:
        """Appends, summaries and metadata leave it; a truncation or a new history changes it."""
        store.add_messages(KEY, simple("a", "b", "c"))
        before = store.get_session(KEY).generation
        CHANGES[change](store)
        assert (store.get_session(KEY).generation != before) == (change in _CUTS)

    def test_the_generation_is_not_repeated_after_a_deletion(self, store: SessionStore) -> None:
        """A new session of the same key is of another generation."""
        store.add_messages(KEY, simple("a"))
        before = store.get_session(KEY).generation
        store.delete_session(KEY)
        store.add_messages(KEY, simple("a"))
        assert store.get_session(KEY).generation != before

    def test_summarize_keeps_what_arrived_meanwhile(self, store: SessionStore) -> None:
        """``if_generation`` of a truncation holds over appends, new summaries, metadata and a save."""
        store.add_messages(KEY, simple("a", "b", "c"))
        session = store.get_session(KEY)
        store.add_message(KEY, "user", "d")
        store.update_session(KEY, metadata={"m": 1})
        store.save(KEY)
        store.summarize(KEY, session, 2, "a, b")
        assert (texts(store, KEY), store.get_summary(KEY)) == (["c", "d"], "a, b")

    @pytest.mark.parametrize("competitor", ["truncate", "replace", "pop", "delete", "recreate", "summarize"])
    def test_summarize_is_refused_after_a_competing_cut(self, store: SessionStore, competitor: str) -> None:
        """The summary tells of messages that are not at the beginning any more: nothing is changed."""
        store.add_messages(KEY, simple("a", "b", "c"))
        session = store.get_session(KEY)
        if competitor == "truncate":
            store.truncate_history(KEY, 2)
        elif competitor == "replace":
            store.set_history(KEY, session.messages)
        elif competitor == "pop":
            store.pop_messages(KEY)
        elif competitor == "summarize":
            store.summarize(KEY, session, 1, "a")
        else:
            store.delete_session(KEY)
        if competitor == "recreate":
            store.add_messages(KEY, session.messages)
        before = state(store, KEY)
        with pytest.raises(VersionConflict):
            store.summarize(KEY, session, 2, "lost")
        assert state(store, KEY) == before

    def test_a_summary_of_an_absent_session_is_refused_when_there_is_one_now(self, store: SessionStore) -> None:
        """``if_generation=""``: the session must not exist; when there is none still, the summary makes it."""
        session = store.get_session(KEY)
        store.summarize(KEY, session, 0, "first")
        assert store.get_summary(KEY) == "first"
        with pytest.raises(VersionConflict):
            store.summarize(KEY, session, 0, "lost")
        assert store.get_summary(KEY) == "first"
