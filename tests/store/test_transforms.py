"""Transforms around the backend: encoded on the way in, decoded on the way out."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessionkit import (
    Backend,
    BackendUnavailableError,
    Encoded,
    InvalidMessageError,
    Message,
    MissingTransformError,
    SessionStore,
    StoreError,
    Transform,
    WriteFailedError,
)
from sessionkit.codec import decode, encode
from sessionkit.plugins.transforms import Kind
from sessionkit.store.runtime import Recipe

from .backends import FlakyBackend, store_on, texts

KEY = "k"


class Rot13(Transform):
    """Encodes the JSON of an item."""

    def __init__(self) -> None:
        self.closed = False

    def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
        return [Encoded(codecs.encode(encode(item).decode(), "rot13")) for item in items]

    def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
        return [decode(codecs.decode(payload, "rot13")) for payload in payloads]

    def close(self) -> None:
        self.closed = True


class Tag(Transform):
    """Shows the order: appends its letter on the way in, and wants to find it at the end on the way out."""

    def __init__(self, letter: str) -> None:
        self.letter = letter

    def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
        return [Encoded({"item": item, "by": self.letter}) for item in items]

    def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
        assert all(payload["by"] == self.letter for payload in payloads)
        return [payload["item"] for payload in payloads]


class Redact(Transform):
    """Not to be undone: what it returns is stored as it is."""

    def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
        if kind != "message":
            return items
        return [{**item, "content": item["content"].replace("secret", "***")} for item in items]

    def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
        raise AssertionError("nothing of it is to be decoded")


def stored(backend: FlakyBackend) -> list[dict[str, Any]]:
    return [message.to_dict() for message in backend.sessionkit_get_history(KEY, 0, None).messages]


def test_content_is_stored_encoded_and_read_decoded(backend: FlakyBackend) -> None:
    with store_on(backend, extensions=[("rot", Rot13())]) as store:
        store.add_message(KEY, "user", "hello")
        store.update_session(KEY, summary="greeted", metadata={"mood": "good"})
        raw = backend.sessionkit_get_session(KEY, None)
        assert "hello" not in repr((raw.messages, raw.summary, raw.metadata))
        assert "greeted" not in raw.summary
        session = store.get_session(KEY)
        assert ([m.text for m in session.messages], session.summary) == (["hello"], "greeted")
        assert session.metadata == {"mood": "good"}
        assert next(store.list_sessions()).summary == "greeted"
        assert store.get_history(KEY) == list(store.iter_history(KEY)) == list(session.messages)


def test_the_role_stays_readable_and_the_item_names_its_transform(backend: FlakyBackend) -> None:
    with store_on(backend, extensions=[("rot", Rot13())]) as store:
        store.add_message(KEY, "assistant", "hello")
    assert (stored(backend)[0]["role"], stored(backend)[0]["_sessionkit"]["transform"]) == ("assistant", "rot")


def test_two_transforms_encode_in_order_and_decode_in_reverse(backend: FlakyBackend) -> None:
    with store_on(backend, extensions=[("a", Tag("a")), ("b", Tag("b"))]) as store:
        store.add_message(KEY, "user", "hello")
        outer = stored(backend)[0]["_sessionkit"]
        assert (outer["transform"], outer["payload"]["item"]["_sessionkit"]["transform"]) == ("b", "a")
        assert texts(store, KEY) == ["hello"]


def test_reading_does_not_depend_on_the_configured_order(backend: FlakyBackend) -> None:
    store_on(backend, extensions=[("a", Tag("a")), ("b", Tag("b"))]).add_message(KEY, "user", "hello")
    assert texts(store_on(backend, extensions=[("b", Tag("b")), ("a", Tag("a"))]), KEY) == ["hello"]


def test_an_item_whose_transform_is_missing_is_an_error_and_never_shown(backend: FlakyBackend) -> None:
    with store_on(backend, extensions=[("rot", Rot13())]) as store:
        store.update_session(KEY, messages=[Message.simple("user", "hello")], summary="s", metadata={"m": 1})
    bare = store_on(backend)
    explanation = (
        "session 'k': its message was stored by the extension 'rot', which this store does not have; "
        "add it to the configured extensions"
    )
    with pytest.raises(MissingTransformError) as error:
        bare.get_history(KEY)
    assert str(error.value) == explanation
    for read in (bare.get_session, bare.get_summary, lambda key: list(bare.list_sessions())):
        with pytest.raises(MissingTransformError):
            read(KEY)
    with pytest.raises(MissingTransformError):
        bare.pop_messages(KEY)
    with pytest.raises(MissingTransformError):
        bare.fork_session(KEY, "copy")
    assert len(stored(backend)) == 1


def test_items_from_before_the_transform_pass_through(backend: FlakyBackend) -> None:
    store_on(backend).add_message(KEY, "user", "plain")
    store = store_on(backend, extensions=[("rot", Rot13())])
    store.add_message(KEY, "user", "encoded")
    assert texts(store, KEY) == ["plain", "encoded"]


def test_a_redaction_is_stored_plain(backend: FlakyBackend) -> None:
    store = store_on(backend, extensions=[("redact", Redact())])
    store.add_message(KEY, "user", "my secret word")
    assert stored(backend) == [{"role": "user", "content": "my *** word"}]
    assert texts(store_on(backend), KEY) == ["my *** word"]


def test_a_redaction_before_an_encryption_works_in_this_order(backend: FlakyBackend) -> None:
    store = store_on(backend, extensions=[("redact", Redact()), ("rot", Rot13())])
    store.add_message(KEY, "user", "my secret word")
    assert texts(store, KEY) == ["my *** word"]


def test_whole_turns_are_found_in_the_decoded_messages(backend: FlakyBackend) -> None:
    class Hide(Rot13):
        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            return super().encode(key, kind, items)

    store = store_on(backend, extensions=[("hide", Hide())])
    call = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": {"name": "f"}}]}
    store.add_messages(KEY, [{"role": "user"}, call, {"role": "tool", "tool_call_id": "c"}] * 2)
    store.truncate_history(KEY, 1, whole_turns=True)
    assert [message.role for message in store.get_history(KEY)] == ["user", "assistant", "tool"]


def test_popping_does_not_encode_anew_what_stays(backend: FlakyBackend) -> None:
    store_on(backend).add_message(KEY, "user", "plain")
    store = store_on(backend, extensions=[("rot", Rot13())])
    store.add_message(KEY, "user", "encoded")
    assert [message.text for message in store.pop_messages(KEY)] == ["encoded"]
    assert stored(backend) == [{"role": "user", "content": "plain"}]


def test_a_fork_is_encoded_anew_for_its_key(backend: FlakyBackend) -> None:
    class Keyed(Tag):
        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            return [Encoded({"item": item, "by": key}) for item in items]

        def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
            assert all(payload["by"] == key for payload in payloads)
            return [payload["item"] for payload in payloads]

    store = store_on(backend, extensions=[("keyed", Keyed(""))])
    store.update_session(KEY, messages=[Message.simple("user", "x")], summary="s", metadata={"m": 1})
    store.fork_session(KEY, "copy")
    assert (texts(store, "copy"), store.get_session("copy").metadata) == (["x"], {"m": 1})


def test_a_transform_that_loses_an_item_is_an_error_and_nothing_is_stored(backend: FlakyBackend) -> None:
    class Lossy(Rot13):
        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            return super().encode(key, kind, items)[1:]

    with store_on(backend, extensions=[("lossy", Lossy())], on_write_error="raise") as store:
        with pytest.raises(StoreError, match="extension 'lossy' returned 0 items from encode for 1"):
            store.add_message(KEY, "user", "x")
        assert store.get_history(KEY) == []


def test_a_transform_that_fails_is_a_failed_write_and_is_tried_again(backend: FlakyBackend) -> None:
    class KeyServer(Rot13):
        up = False

        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            if not self.up:
                raise ConnectionError("no key")
            return super().encode(key, kind, items)

    transform = KeyServer()
    store = store_on(backend, extensions=[("rot", transform)])
    store.add_message(KEY, "user", "x")
    with pytest.raises(WriteFailedError, match="no key"):
        store.save(KEY)
    transform.up = True
    store.save(KEY)
    assert texts(store, KEY) == ["x"]


def test_transforms_are_closed_with_the_store(backend: FlakyBackend) -> None:
    transform = Rot13()
    store_on(backend, extensions=[("rot", transform)]).close()
    assert transform.closed


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
marked = st.fixed_dictionaries(
    {"_sessionkit": st.fixed_dictionaries({"transform": st.text(max_size=4), "payload": json_values})}
)
messages = st.dictionaries(st.sampled_from(["role", "content", "x", "_sessionkit"]), json_values | marked, max_size=4)


@given(messages=st.lists(messages | marked, min_size=1, max_size=4), chain=st.sampled_from(["", "r", "rt", "tr"]))
def test_any_message_comes_back_as_it_went_in(messages: list[dict[str, Any]], chain: str) -> None:
    available = {"r": ("rot", Rot13()), "t": ("tag", Tag("t"))}
    store: SessionStore = store_on(FlakyBackend(), extensions=[available[letter] for letter in chain])
    store.add_messages(KEY, messages)
    assert [encode(m.to_dict()) for m in store.get_history(KEY)] == [encode(m) for m in messages]


@given(
    summary=st.text() | st.builds("_sessionkit:{}".format, st.text() | json_values.map(lambda v: encode(v).decode()))
)
def test_any_summary_comes_back_as_it_went_in(summary: str) -> None:
    for chain in ([], [("rot", Rot13())]):
        store = store_on(FlakyBackend(), extensions=chain)
        store.set_summary(KEY, summary)
        assert store.get_summary(KEY) == summary


class Fixed(Transform):
    """Returns from its steps what a test says."""

    def __init__(self, encoded: Any = None, decoded: Any = None) -> None:
        self.encoded, self.decoded = encoded, decoded

    def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Any:
        return [Encoded("x")] if self.encoded is None else self.encoded

    def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Any:
        return self.decoded


WHOLE: list[dict[str, Any]] = [{"messages": [{"role": "user"}]}, {"summary": "s"}, {"metadata": {"m": 1}}]


@pytest.mark.parametrize("fields", WHOLE)
@pytest.mark.parametrize("encoded", [{}, "x", iter([{}]), [], [1], [Encoded(b"x")], [Encoded(float("nan"))]])
def test_a_transform_that_encodes_to_something_else_is_an_error_and_nothing_is_stored(
    backend: FlakyBackend, fields: dict[str, Any], encoded: Any
) -> None:
    store = store_on(backend, extensions=[("odd", Fixed(encoded))])
    with pytest.raises((StoreError, InvalidMessageError), match="extension 'odd'"):
        store.update_session(KEY, **fields)
    assert not store.get_session(KEY).exists


def test_metadata_that_a_transform_leaves_plain_is_json(backend: FlakyBackend) -> None:
    store = store_on(backend, extensions=[("odd", Fixed([{"m": b"x"}]))])
    with pytest.raises(InvalidMessageError, match=r"metadata\.m is of type bytes"):
        store.update_session(KEY, metadata={"m": "x"})
    assert not store.get_session(KEY).exists


@pytest.mark.parametrize("fields", WHOLE)
@pytest.mark.parametrize("decoded", [None, "x", [], [1]])
def test_a_transform_that_decodes_to_something_else_is_an_error(
    backend: FlakyBackend, fields: dict[str, Any], decoded: Any
) -> None:
    store = store_on(backend, extensions=[("odd", Fixed(None, decoded))])
    store.update_session(KEY, **fields)
    with pytest.raises(StoreError, match="extension 'odd' returned"):
        store.get_session(KEY)


def test_a_transform_whose_decode_returns_what_it_encoded_is_an_error_and_no_endless_loop(
    backend: FlakyBackend,
) -> None:
    marked = {"_sessionkit": {"transform": "odd", "payload": "x"}}
    store = store_on(backend, extensions=[("odd", Fixed(None, [marked]))])
    store.add_message(KEY, "user", "hello")
    with pytest.raises(StoreError, match="returned an item that it encoded, from decode"):
        store.get_history(KEY)


def test_a_redaction_sees_the_message_that_the_caller_marks_like_an_encoded_one(backend: FlakyBackend) -> None:
    store = store_on(backend, extensions=[("redact", Redact())])
    store.add_full_message(KEY, {"role": "user", "content": "my secret", "_sessionkit": {}})
    assert "secret" not in repr(stored(backend))
    assert texts(store, KEY) == ["my ***"]


def test_a_transform_cannot_change_the_list_of_items(backend: FlakyBackend) -> None:
    class Vandal(Tag):
        def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
            assert isinstance(items, tuple)
            return super().encode(key, kind, items)

    store = store_on(backend, extensions=[("v", Vandal("v"))])
    store.add_message(KEY, "user", "x")
    assert texts(store, KEY) == ["x"]


def test_all_transforms_are_closed_when_one_fails_to_and_what_is_not_stored_is_told(backend: FlakyBackend) -> None:
    class Stuck(Redact):
        def close(self) -> None:
            raise OSError("cannot close")

    other = Rot13()
    store = store_on(backend, extensions=[("rot", other), ("stuck", Stuck())])
    backend.fail(OSError("disk full"))
    store.add_message(KEY, "user", "x")
    with pytest.raises(WriteFailedError, match="disk full"):
        store.close()
    assert (other.closed, backend.closed) == (True, 1)


def test_transforms_are_closed_when_the_backend_cannot_be_opened() -> None:
    def make() -> Backend:
        raise OSError("no such directory")

    transform = Rot13()
    recipe = Recipe(name="test", source="tests", backend=make, extensions=[("rot", lambda: transform)])
    with pytest.raises(BackendUnavailableError, match="no such directory"):
        SessionStore(recipe)
    assert transform.closed
