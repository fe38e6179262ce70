"""Nothing that was stored is lost or changed by reading it again."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sessionkit.codec import encode
from sessionkit.store import SessionStore
from sessionkit.testing.base import ConformanceBase, Source

_KEYS = count()

_text = st.text() | st.text(st.characters(codec=None), max_size=5)
_numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
JSON_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | _numbers | _text,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_text, inner, max_size=4),
    max_leaves=12,
)
_fields = st.sampled_from(["role", "content", "tool_calls", "tool_call_id", "name", "created_at", "media"])
MESSAGES = st.dictionaries(_fields | _text, JSON_VALUES, max_size=6)
"""JSON objects of every kind, many of them looking like messages, with lone surrogates now and then."""

ODD_TEXTS = {
    "empty": "",
    "spaces": "  leading and trailing \t ",
    "newlines": "a\nb\r\nc\rd\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029e",
    "control": "".join(map(chr, range(32))) + "\x7f\x80\x9f",
    "nul": "a\0b",
    "escape": "\x1b]52;c;aGk=\x07\x1b[2J",
    "combining": "e\u0301 \u00e9 \u212b \u00c5",
    "astral": "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0010ffff",
    "bidi": "\u202eabc\u202c \u05d0\u05d1",
    "surrogate": "\ud800 and \udfff and \udc80",
    "noncharacters": "\ufffe \uffff \ufdd0 \ufeff",
    "quotes": "\"'\\`$(x)%s{}<>&",
    "json": '{"role":"user"}\n{"role":"user"}',
    "wide": "\uffff" * 1000,
}

_MESSAGE = {
    "role": "assistant",
    "content": None,
    "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": '{"a": 1}', "x": 1.0}, "y": None}],
    "created_at": "2024-01-02T03:04:05.123456789+02:00",
    "extra": {"nested": [True, 1, 1.0, "1", None, {"": []}], "big": 2**70, "small": 5e-324, "zero": -0.0},
}


class ContentsClauses(ConformanceBase):
    """Rule: the model (``sessionkit.messages``): the same JSON object goes out that came in."""

    def test_every_field_of_a_message_comes_back(self, store: SessionStore) -> None:
        """Known and unknown fields, at every level; null is not absent, 1 is not 1.0 is not true."""
        store.add_full_message("k", _MESSAGE)
        assert encode(store.get_history("k")[0].to_dict()) == encode(_MESSAGE)

    @settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
    @given(messages=st.lists(MESSAGES, min_size=1, max_size=4))
    def test_any_json_object_comes_back_unchanged(self, store: SessionStore, messages: list[dict[str, Any]]) -> None:
        """Compared as JSON, key order included."""
        key = f"any-{next(_KEYS)}"
        store.add_messages(key, messages)
        assert [encode(message.to_dict()) for message in store.get_history(key)] == [encode(m) for m in messages]

    @pytest.mark.parametrize("name", ODD_TEXTS)
    def test_text_of_every_kind_comes_back(self, store: SessionStore, name: str) -> None:
        """No normalising, stripping or splitting."""
        text = ODD_TEXTS[name]
        store.update_session("k", messages=[{"role": "user", "content": text, text: text}], summary=text)
        store.update_session("k", metadata={"text": text, text: [text]})
        session = store.get_session("k")
        assert session.messages[0].to_dict() == {"role": "user", "content": text, text: text}
        assert session.summary == text
        assert session.metadata == {"text": text, text: [text]}

    @pytest.mark.parametrize("size", [70_000, 3_000_000])
    def test_a_large_message_comes_back(self, store: SessionStore, size: int) -> None:
        """Pages, screenshots and tool results are large."""
        store.add_message("k", "tool", "x" * size)
        store.add_message("k", "user", "after")
        assert [len(message.text) for message in store.get_history("k")] == [size, 5]

    def test_metadata_comes_back_with_its_types(self, store: SessionStore) -> None:
        """Metadata is a JSON object; the order of its own fields says nothing."""
        metadata = {"scope": {"channel": "c", "ids": [1, 1.0, True, None]}, "": {}, "n": 2**60}
        store.update_session("k", metadata=metadata)
        found = store.get_session("k").metadata
        assert {name: encode(value) for name, value in found.items()} == {
            name: encode(value) for name, value in metadata.items()
        }

    def test_aliases_come_back_in_order(self, store: SessionStore) -> None:
        """Aliases are a list of texts."""
        aliases = ["b", "a", "é:/\\ \n", "b" * 300]
        store.update_session("k", aliases=aliases)
        assert list(store.get_session("k").aliases) == aliases

    def test_what_is_stored_can_be_read_without_the_backend(self, source: Source) -> None:
        """Encoding is right by itself, and not only undone by the same fault in decoding."""
        with self.open(source) as store:
            store.add_full_message("k", _MESSAGE)
            store.save("k")
            raw = self.read_raw(source, "k")
        if raw is None:
            pytest.skip("the backend's author offers no read_raw()")
        assert [encode(message) for message in raw] == [encode(_MESSAGE)]

    def test_what_was_stored_without_the_backend_can_be_read(self, source: Source) -> None:
        """Decoding is right by itself."""
        if not self.write_raw(source, "k", [_MESSAGE, _MESSAGE]):
            pytest.skip("the backend's author offers no write_raw()")
        with self.open(source) as store:
            assert [encode(message.to_dict()) for message in store.get_history("k")] == [encode(_MESSAGE)] * 2
