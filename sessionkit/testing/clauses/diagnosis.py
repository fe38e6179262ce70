"""What a backend tells of the state of its storage."""

from __future__ import annotations

from sessionkit.config import resolve
from sessionkit.findings import Finding
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source, simple

KEY = "k"


class DiagnosisClauses(ConformanceBase):
    """Rule: ``sessionkit_diagnose``, which is optional: a backend without it has nothing to say."""

    def test_a_diagnosis_leaves_everything_as_it_is(self, store: SessionStore) -> None:
        """What was tried is gone afterwards: sessions, their versions and the listing are the same."""
        store.update_session(KEY, messages=simple(*"abc"), summary="s", metadata={"m": 1})
        store.save(KEY)
        before = (store.get_session(KEY), list(store.list_sessions()))
        for _ in range(2):
            assert all(isinstance(finding, Finding) for finding in store.diagnose())
        assert (store.get_session(KEY), list(store.list_sessions())) == before

    def test_a_diagnosis_tells_no_contents_and_no_secrets(self, source: Source, store: SessionStore) -> None:
        """Not a text, not a summary, not the value of an option that is secret."""
        store.update_session(KEY, messages=simple("of-the-user"), summary="of-the-summary")
        store.save(KEY)
        secrets = {str(item.value) for item in resolve(source).settings if item.secret and item.value}
        told = "\n".join(map(str, store.diagnose()))
        assert not [secret for secret in ("of-the-user", "of-the-summary", *secrets) if secret in told]
