"""Damaged keys of sessions: each damage is found and named, and a repair keeps all that can be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

import attrs
import pytest
from sessionkit_redis.keyspace import Keyspace, SessionKeys

from sessionkit import SessionStore, open_store
from sessionkit.damage import Damage

KEY = "k"


@attrs.frozen
class Case:
    """What is done to a session of three messages, what is to be found, and what is there after a repair.

    Attributes:
        aside: what must be kept under other keys afterwards.
        exists: whether the session is there after a repair.
    """

    damage: Callable[[Any, SessionKeys], object]
    kinds: tuple[str, ...]
    texts: list[str]
    summary: str = "s"
    aside: tuple[bytes, ...] = ()
    exists: bool = True


def _drop_and_set(name: str) -> Callable[[Any, SessionKeys], object]:
    def damage(client: Any, keys: SessionKeys) -> None:
        client.delete(getattr(keys, name))
        client.set(getattr(keys, name), b"another program's")

    return damage


ALL: Final = ["one", "two", "three"]
CASES: Final[dict[str, Case]] = {
    "the messages are gone": Case(lambda client, keys: client.delete(keys.messages), ("lost-messages",), []),
    "some messages are gone": Case(
        lambda client, keys: client.lpop(keys.messages), ("lost-messages",), ["two", "three"]
    ),
    "the hash is gone": Case(lambda client, keys: client.delete(keys.data), ("lost-fields",), ALL, ""),
    "a part of the hash is gone": Case(lambda client, keys: client.hdel(keys.data, "v"), ("lost-fields",), ALL),
    "a record that is no JSON": Case(
        lambda client, keys: client.lset(keys.messages, 1, b"\xffbad"),
        ("bad-records",),
        ["one", "three"],
        aside=(b"\xffbad",),
    ),
    "records that are no objects": Case(
        lambda client, keys: [client.lset(keys.messages, at, value) for at, value in ((0, b"[1]"), (2, b"null"))],
        ("bad-records",),
        ["two"],
        aside=(b"[1]", b"null"),
    ),
    "metadata that is no JSON": Case(
        lambda client, keys: client.hset(keys.data, "d", b"{"), ("bad-fields",), ALL, aside=(b"{",)
    ),
    "aliases that are no list": Case(
        lambda client, keys: client.hset(keys.data, "a", b"5"), ("bad-fields",), ALL, aside=(b"5",)
    ),
    "a summary that is no text": Case(
        lambda client, keys: client.hset(keys.data, "s", b"\xff"), ("bad-fields",), ALL, "", aside=(b"\xff",)
    ),
    "messages of another kind": Case(
        _drop_and_set("messages"), ("lost-messages", "wrong-type"), [], aside=(b"another program's",)
    ),
    "a hash of another kind": Case(
        _drop_and_set("data"), ("lost-fields", "wrong-type"), ALL, "", aside=(b"another program's",)
    ),
    "an entry without session": Case(
        lambda client, keys: client.delete(keys.data, keys.messages), ("stale-entry",), [], "", exists=False
    ),
}


@pytest.fixture
def url(server: Any) -> str:
    made: str = server.url(deadline=1)
    return made


@pytest.fixture
def prefix(url: str) -> str:
    return url.partition("prefix=")[2].partition("&")[0]


@pytest.fixture
def keys(prefix: str) -> SessionKeys:
    return Keyspace(prefix).session(KEY)


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
def store(url: str) -> Iterator[SessionStore]:
    with open_store(url, on_write_error="raise") as store:
        store.update_session(KEY, messages=[{"role": "user", "content": text} for text in ALL], summary="s")
        store.add_message("other", "user", "hello")
        yield store


def snapshot(client: Any, prefix: str) -> dict[bytes, bytes]:
    """Everything under the prefix, as the server would dump it."""
    return {name: client.dump(name) for name in client.scan_iter(f"{prefix}:*")}


def kinds(found: list[Damage]) -> tuple[str, ...]:
    return tuple(sorted(damage.kind for damage in found if damage.kind != "unreadable"))


@pytest.mark.parametrize("name", CASES)
def test_each_damage_is_found_and_mended(
    name: str, store: SessionStore, client: Any, keys: SessionKeys, prefix: str
) -> None:
    case = CASES[name]
    case.damage(client, keys)
    before = snapshot(client, prefix)
    found = list(store.verify([KEY])) if case.exists else list(store.verify())
    assert kinds(found) == case.kinds
    assert all(damage.stays == case.exists for damage in found)
    assert snapshot(client, prefix) == before or not case.exists  # a listing takes ended sessions out of the index
    client.zadd(keys.index, {KEY: 0})
    assert case.kinds == kinds([damage for damage in store.repair() if damage.mended])
    assert store.get_session(KEY).exists == case.exists
    assert [message.text for message in store.get_history(KEY)] == case.texts
    assert store.get_summary(KEY) == case.summary
    assert not any(damage.stays for damage in store.verify())
    kept = [client.get(name) for name in client.scan_iter(f"{prefix}:*:o:*")] + client.lrange(keys.damaged, 0, -1)
    assert all(value in kept for value in case.aside)
    after = snapshot(client, prefix)
    assert not any(damage.mended for damage in store.repair())
    assert snapshot(client, prefix) == after


@pytest.mark.parametrize("name", ["the hash is gone", "a hash of another kind", "metadata that is no JSON"])
def test_what_a_listing_cannot_show_hides_no_other_session_and_is_found(
    name: str, store: SessionStore, client: Any, keys: SessionKeys
) -> None:
    CASES[name].damage(client, keys)
    assert kinds(list(store.verify())) == CASES[name].kinds
    assert [info.key for info in store.list_sessions()] == ["other"]
    assert kinds(list(store.verify())) == CASES[name].kinds  # a listing has forgotten nothing


def test_a_session_can_be_written_to_after_a_repair(store: SessionStore, client: Any, keys: SessionKeys) -> None:
    CASES["the hash is gone"].damage(client, keys)
    list(store.repair())
    store.add_message(KEY, "user", "four")
    store.truncate_history(KEY, 2)
    assert [message.text for message in store.get_history(KEY)] == ["three", "four"]


def test_what_was_set_aside_goes_with_its_session(store: SessionStore, client: Any, keys: SessionKeys) -> None:
    CASES["a record that is no JSON"].damage(client, keys)
    list(store.repair([KEY]))
    assert client.exists(keys.damaged)
    store.delete_session(KEY)
    assert not client.exists(keys.damaged)


def test_a_session_that_ends_by_itself_is_not_brought_back(server: Any, client: Any) -> None:
    url = server.url(ttl=100)
    with open_store(url) as store:
        store.add_message(KEY, "user", "one")
        client.delete(Keyspace(url.partition("prefix=")[2].partition("&")[0]).session(KEY).data)
        assert list(store.repair()) == []
        assert not store.get_session(KEY).exists


def test_a_sound_store_is_left_as_it_is(store: SessionStore, client: Any, prefix: str) -> None:
    store.update_session(KEY, metadata={"a": 1}, aliases=["nick"], updated="2026-01-31T12:00:00+01:00")
    before = snapshot(client, prefix)
    assert list(store.verify()) == list(store.repair()) == []
    assert snapshot(client, prefix) == before
