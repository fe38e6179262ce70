"""What compacting, verifying and repairing must leave alone, and what verifying must find."""

from __future__ import annotations

from typing import Any

from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source, simple

KEY = "k"


class MendingClauses(ConformanceBase):
    """Rule: ``sessionkit_compact``, ``sessionkit_verify`` and ``sessionkit_repair``, which are optional."""

    def test_compacting_changes_nothing_that_can_be_read(self, store: SessionStore) -> None:
        """Neither the session, its version included, nor what a listing tells of it; and it can be written to."""
        before = _filled(store)
        assert store.compact(KEY) >= 0
        assert _seen(store) == before
        store.add_message(KEY, "user", "next")
        assert [message.text for message in store.get_history(KEY)] == ["18", "19", "next"]

    def test_a_sound_store_is_found_sound(self, store: SessionStore) -> None:
        """Whole, and each session alone; and looking changes nothing."""
        before = _filled(store)
        assert [damage for damage in store.verify() if damage.stays] == []
        assert [damage for damage in store.verify([KEY]) if damage.stays] == []
        assert _seen(store) == before

    def test_repairing_a_sound_store_changes_nothing(self, store: SessionStore) -> None:
        """Not even a version: nobody's ``if_version`` fails for it."""
        before = _filled(store)
        assert [damage for damage in store.repair() if damage.stays] == []
        assert [damage for damage in store.repair([KEY]) if damage.stays] == []
        assert _seen(store) == before

    def test_damage_is_found(self, source: Source) -> None:
        """A session that cannot be read is told of, and no other."""
        with self.with_damage(source, KEY) as store:
            assert [damage for damage in store.verify([KEY]) if damage.stays] != []
            assert [damage for damage in store.verify(["whole"]) if damage.stays] == []


def _filled(store: SessionStore) -> Any:
    """Give a store something to look through, and something to compact."""
    store.add_messages(KEY, simple(*range(18)))
    store.add_messages(KEY, simple(18, 19))
    store.truncate_history(KEY, 2, summary="so far")
    store.update_session("other", messages=simple("a"), metadata={"m": 1})
    for key in (KEY, "other"):
        store.save(key)
    return _seen(store)


def _seen(store: SessionStore) -> Any:
    return store.get_session(KEY), store.get_session("other"), sorted(store.list_sessions(), key=lambda info: info.key)
