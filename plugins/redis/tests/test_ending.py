"""Sessions that end by themselves: when, and what is left of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from redis.cluster import RedisCluster
from sessionkit_redis.keyspace import Keyspace, SessionKeys
from sessionkit_redis.listing import Listing

from sessionkit import ConfigError, SessionStore, open_store

KEY = "k"
MILLISECONDS = 1_000_000
SOON = 60_000

WRITES: dict[str, Callable[[SessionStore], object]] = {
    "append": lambda store: store.add_message(KEY, "user", "more"),
    "batch": lambda store: store.add_messages(KEY, [{"role": "user", "content": "a"}] * 3),
    "short replacement": lambda store: store.set_history(KEY, [{"role": "user", "content": "new"}]),
    "long replacement": lambda store: store.set_history(KEY, [{"role": "user", "content": "new"}] * 1200),
    "truncation": lambda store: store.truncate_history(KEY, 1),
    "summary": lambda store: store.set_summary(KEY, "s"),
    "metadata": lambda store: store.update_session(KEY, metadata={"n": 1}),
}


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
def prefix(server: Any) -> str:
    return f"e{next(server.numbers)}"


@pytest.fixture
def keys(prefix: str) -> SessionKeys:
    return Keyspace(prefix).session(KEY)


@pytest.fixture
def url(server: Any, prefix: str) -> str:
    found: str = server.url(prefix=prefix, ttl=MILLISECONDS // 1000)
    return found


@pytest.fixture
def store(url: str) -> Iterator[SessionStore]:
    """Its session has two messages."""
    with open_store(url, on_write_error="raise") as store:
        store.add_messages(KEY, [{"role": "user", "content": text} for text in "ab"])
        yield store


@pytest.mark.parametrize("write", WRITES)
def test_each_write_puts_off_the_end_of_both_keys(
    store: SessionStore, client: Any, keys: SessionKeys, write: str
) -> None:
    client.pexpire(keys.data, SOON)
    client.pexpire(keys.messages, SOON)
    WRITES[write](store)
    assert SOON < client.pttl(keys.data) <= MILLISECONDS
    assert client.pttl(keys.data) < client.pttl(keys.messages) <= MILLISECONDS + 1000


def test_reading_puts_nothing_off(store: SessionStore, client: Any, keys: SessionKeys) -> None:
    client.pexpire(keys.data, SOON)
    client.pexpire(keys.messages, SOON)
    store.get_history(KEY)
    store.get_session(KEY)
    store.get_summary(KEY)
    assert [info.key for info in store.list_sessions()] == [KEY]
    store.save(KEY)
    assert client.pttl(keys.data) <= SOON
    assert client.pttl(keys.messages) <= SOON


@pytest.mark.parametrize("write", WRITES)
def test_a_write_without_time_to_live_takes_the_end_away(
    server: Any, store: SessionStore, client: Any, prefix: str, keys: SessionKeys, write: str
) -> None:
    with open_store(server.url(prefix=prefix), on_write_error="raise") as lasting:
        WRITES[write](lasting)
    assert client.pttl(keys.data) == client.pttl(keys.messages) == -1
    WRITES["append"](store)
    assert 0 < client.pttl(keys.data) <= MILLISECONDS


def test_a_session_is_gone_when_its_time_is_over(server: Any, client: Any, until: Callable[..., None]) -> None:
    with open_store(server.url(ttl=0.05)) as store:
        store.add_message(KEY, "user", "hello")
        until(lambda: not store.get_session(KEY).exists)
        assert store.get_history(KEY) == []


def test_a_listing_takes_ended_sessions_out_of_the_index(store: SessionStore, client: Any, keys: SessionKeys) -> None:
    client.delete(keys.data, keys.messages)  # as the server does when the time is over
    assert client.zcard(keys.index) == 1
    assert list(store.list_sessions()) == []
    assert client.zcard(keys.index) == 0


def test_a_session_that_was_begun_again_meanwhile_stays_in_the_index(
    store: SessionStore, client: Any, prefix: str, keys: SessionKeys
) -> None:
    Listing(client, Keyspace(prefix))._forget([KEY.encode()])  # somebody saw it ended, a moment ago
    assert [info.key for info in store.list_sessions()] == [KEY]


def test_who_may_only_read_lists_all_the_same(
    server: Any, store: SessionStore, client: Any, prefix: str, keys: SessionKeys
) -> None:
    store.add_message("other", "user", "hello")
    client.delete(keys.data, keys.messages)
    client.execute_command("ACL SETUSER", "reader", "reset", "on", ">p", f"~{prefix}:*", "+@read", "+@connection")
    try:
        with open_store(server.url(prefix=prefix, username="reader", password="p")) as reading:
            assert [info.key for info in reading.list_sessions()] == ["other"]
        assert client.zcard(keys.index) == 1
    finally:
        client.acl_deluser("reader")


def test_an_ended_session_of_a_cluster_leaves_the_index_too(cluster: Any) -> None:
    prefix = f"e{next(cluster.numbers)}"
    index = Keyspace(prefix).session(KEY).index
    with (
        open_store(cluster.url(ttl=0.05, prefix=prefix)) as store,
        RedisCluster(host="127.0.0.1", port=cluster.ports[0]) as client,
    ):
        store.add_message(KEY, "user", "hello")
        assert client.zcard(index) == 1
        cluster.until(lambda: not list(store.list_sessions()) and client.zcard(index) == 0)


def test_without_a_time_to_live_nothing_expires(server: Any, client: Any, prefix: str, keys: SessionKeys) -> None:
    with open_store(server.url(prefix=prefix)) as store:
        for write in WRITES.values():
            write(store)
            assert client.pttl(keys.data) == client.pttl(keys.messages) == -1


def test_a_negative_time_is_refused(server: Any) -> None:
    with pytest.raises(ConfigError, match="ttl"):
        open_store(server.url(ttl=-1))
