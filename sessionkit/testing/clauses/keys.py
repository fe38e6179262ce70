"""Two keys never share a session, whatever they look like where they are stored."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionkit.keys import MAX_KEY_BYTES
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, texts

HOSTILE_KEYS = (
    "a:b",
    "a/b",
    "a\\b",
    "a_b",
    "A_B",
    "a_B",
    "A:B",
    "a b",
    "a b ",
    " a b",
    "a.b",
    "a.b.",
    ".",
    "..",
    "../a",
    "/a",
    "~",
    ".meta",
    "a.meta",
    "a.meta.json",
    "a.json",
    "a.jsonl",
    "a.jsonl.tmp",
    "-",
    "--help",
    "%2e%2e",
    "a%b",
    "a_%",
    "*",
    "a*",
    "a?b",
    "[a]",
    "{a}",
    "{a}b",
    "a\nb",
    "a\rb",
    "a\tb",
    "\x1b[2J",
    "\u00e9",
    "e\u0301",
    "\u0130",
    "i\u0307",
    "\u00df",
    "ss",
    "\u202eabc",
    "\U0001f600",
    "CON",
    "nul",
    "x" * 240,
    "x" * 255,
    "x" * 256,
    "x" * 300,
    "x" * 300 + "y",
    "x" * MAX_KEY_BYTES,
    "x" * (MAX_KEY_BYTES - 1) + "y",
    "\u00e9" * (MAX_KEY_BYTES // 2),
)

KEYS = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=40)


class KeyClauses(ConformanceBase):
    """Rule: any Unicode text of 1 to 1,024 UTF-8 bytes, without NUL and lone surrogates, is a key of its own."""

    def test_hostile_keys_do_not_share_a_session(self, store: SessionStore) -> None:
        """Case, separators, dots, wildcards, normal forms, length: each is a difference."""
        for key in HOSTILE_KEYS:
            store.add_message(key, "user", key)
            store.set_summary(key, key)
        assert {key: (texts(store, key), store.get_summary(key)) for key in HOSTILE_KEYS} == {
            key: ([key], key) for key in HOSTILE_KEYS
        }

    def test_a_listing_gives_every_key_as_it_was_written(self, store: SessionStore) -> None:
        """The key comes back exactly, and once."""
        for key in HOSTILE_KEYS:
            store.add_message(key, "user", "x")
        listed = [info.key for info in store.list_sessions()]
        assert len(listed) == len(set(listed))
        assert set(listed) == set(HOSTILE_KEYS)

    def test_deleting_one_of_two_similar_keys_leaves_the_other(self, store: SessionStore) -> None:
        """And the other does not move into its place."""
        for gone, kept in (("a:b", "a_b"), ("A", "a"), ("\u00e9", "e\u0301"), ("x" * 300, "x" * 301)):
            store.add_message(gone, "user", "gone")
            store.add_message(kept, "user", "kept")
            store.delete_session(gone)
            assert (texts(store, gone), texts(store, kept)) == ([], ["kept"])
            store.add_message(gone, "user", "new")
            assert (texts(store, gone), texts(store, kept)) == (["new"], ["kept"])

    @settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
    @given(keys=st.lists(KEYS, min_size=1, max_size=6, unique=True))
    def test_any_keys_are_kept_apart(self, store: SessionStore, keys: list[str]) -> None:
        """Arbitrary Unicode."""
        for key in keys:
            store.set_history(key, [{"role": "user", "content": key}])
        assert [texts(store, key) for key in keys] == [[key] for key in keys]
        for key in keys:
            assert store.delete_session(key)
