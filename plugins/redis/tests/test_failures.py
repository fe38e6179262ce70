"""Each way in which a server fails is an error of its own, and leaves nothing half-written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from sessionkit_redis import RedisBackend, RedisOptions
from sessionkit_redis.keyspace import Keyspace

from sessionkit import (
    BackendUnavailableError,
    ConfigError,
    CorruptSessionError,
    MessageTooLargeError,
    SessionStore,
    open_store,
)

KEY = "k"
PASSWORD = "s3cret-of-the-tests"


@pytest.fixture
def source(server: Any) -> str:
    url: str = server.url(deadline=0.2)
    return url


@pytest.fixture
def store(source: str) -> Iterator[SessionStore]:
    with open_store(source, on_write_error="raise") as store:
        store.add_message(KEY, "user", "one")
        yield store


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with server.client() as client:
        yield client


def _keys(source: str) -> Any:
    return Keyspace(source.partition("prefix=")[2].partition("&")[0]).session(KEY)


def _writes(store: SessionStore) -> list[Any]:
    return [
        lambda: store.add_message(KEY, "user", "two"),
        lambda: store.set_history(KEY, [{"role": "user", "content": "anew"}]),
        lambda: store.set_history(KEY, [{"role": "user", "content": str(number)} for number in range(1200)]),
        lambda: store.truncate_history(KEY, 0),
        lambda: store.set_summary(KEY, "s"),
    ]


def _state(client: Any, source: str) -> tuple[Any, ...]:
    keys = _keys(source)
    return client.hgetall(keys.data), client.lrange(keys.messages, 0, -1), client.zrange(keys.index, 0, -1)


@pytest.mark.parametrize("number", range(5))
def test_a_full_server_is_named_and_nothing_is_written(
    store: SessionStore, source: str, client: Any, number: int
) -> None:
    before = _state(client, source)
    client.config_set("maxmemory", 1)
    try:
        if number == 3:  # what makes room is allowed
            _writes(store)[number]()
            return
        with pytest.raises(BackendUnavailableError, match=r"session 'k': .* is full \(maxmemory\)"):
            _writes(store)[number]()
    finally:
        client.config_set("maxmemory", 0)
    assert _state(client, source) == before


@pytest.mark.parametrize("which", ["data", "messages", "index"])
@pytest.mark.parametrize("number", range(5))
def test_a_key_of_another_program_is_named_and_left_alone(
    store: SessionStore, source: str, client: Any, which: str, number: int
) -> None:
    store.delete_session(KEY)
    name = getattr(_keys(source), which)
    client.set(name, "theirs")
    if number == 3:  # there is nothing to truncate
        return
    with pytest.raises(CorruptSessionError, match="another program uses the same prefix"):
        _writes(store)[number]()
    assert client.get(name) == b"theirs"
    others = {getattr(_keys(source), other) for other in ("data", "messages", "index")} - {name}
    assert client.exists(*others) == 0


@pytest.mark.parametrize("number", [0, 1, 2, 3])
def test_what_another_program_put_in_place_of_the_messages_is_left_alone(
    store: SessionStore, source: str, client: Any, number: int
) -> None:
    name = _keys(source).messages
    client.set(name, "theirs")
    with pytest.raises(CorruptSessionError, match="another program uses the same prefix"):
        _writes(store)[number]()
    with pytest.raises(CorruptSessionError, match="another program uses the same prefix"):
        store.get_history(KEY)
    assert client.get(name) == b"theirs"


def test_messages_that_the_server_dropped_are_no_shorter_history(store: SessionStore, source: str, client: Any) -> None:
    client.delete(_keys(source).messages)
    for read in (store.get_history, store.get_session, lambda key: store.truncate_history(key, 1)):
        with pytest.raises(CorruptSessionError, match="eviction policy"):
            read(KEY)


def test_messages_whose_session_the_server_dropped_do_not_come_back(
    store: SessionStore, source: str, client: Any
) -> None:
    client.delete(_keys(source).data)
    assert store.get_history(KEY) == []
    store.add_message(KEY, "user", "again")
    assert [message.text for message in store.get_history(KEY)] == ["again"]


def test_a_message_that_is_no_json_is_an_error(store: SessionStore, source: str, client: Any) -> None:
    client.lset(_keys(source).messages, 0, b"not JSON")
    with pytest.raises(CorruptSessionError, match="cannot be read"):
        store.get_history(KEY)


def test_a_message_that_is_too_large_is_refused(server: Any) -> None:
    with open_store(server.url(max_message_bytes=100)) as store, pytest.raises(MessageTooLargeError, match="bytes"):
        store.add_message(KEY, "user", "x" * 100)


def test_a_wrong_password_is_told_at_once_and_not_shown(start_server: Any) -> None:
    server = start_server(requirepass=PASSWORD)
    for password in ("", f"wrong-{PASSWORD}"):
        with pytest.raises(BackendUnavailableError, match="refuses the user name or password") as caught:
            open_store(f"redis+unix://:{password}@{server.socket}?deadline=60")
        assert PASSWORD not in str(caught.value)


def test_a_right_that_is_missing_is_named(server: Any, client: Any) -> None:
    client.acl_setuser("poor", enabled=True, passwords=["+" + PASSWORD], keys=["*"], commands=["+get", "+set"])
    try:
        url = server.url(deadline=60, username="poor", password=PASSWORD)
        with (
            open_store(url, on_write_error="raise") as store,
            pytest.raises(BackendUnavailableError, match="does not allow this user") as caught,
        ):
            store.add_message(KEY, "user", "one")
        assert "evalsha" in str(caught.value)
        assert PASSWORD not in str(caught.value)
    finally:
        client.acl_deluser("poor")


@pytest.mark.parametrize("lacking", ["lrange", "multi", "exec"])
def test_a_right_that_reading_lacks_is_named(server: Any, client: Any, lacking: str) -> None:
    rights = [f"+{name}" for name in ("get", "set", "multi", "exec", "hmget", "llen", "lrange") if name != lacking]
    client.acl_setuser("reader", enabled=True, passwords=["+" + PASSWORD], keys=["*"], commands=rights)
    try:
        with (
            open_store(server.url(username="reader", password=PASSWORD)) as store,
            pytest.raises(BackendUnavailableError, match=rf"does not allow this user.*'{lacking}'"),
        ):
            store.get_history(KEY)
    finally:
        client.acl_deluser("reader")


def test_the_rights_that_the_documentation_names_are_enough(server: Any, client: Any) -> None:
    page = (Path(__file__).parents[3] / "docs/explanation/redis-format.md").read_text("utf-8")
    rights = re.search(r"these rights is enough: `([^`]+)`", page)
    assert rights is not None
    client.execute_command("ACL SETUSER", "least", "reset", "on", f">{PASSWORD}", "~least:*", *rights[1].split())
    try:
        url = server.url(prefix="least", username="least", password=PASSWORD)
        with open_store(url, on_write_error="raise") as store:
            for write in _writes(store):
                write()
            store.update_session(KEY, aliases=["a"], metadata={"n": 1}, updated="2030-01-01T00:00:00+01:00")
            store.add_message(KEY, "user", "one")
            store.add_messages("long", [{"role": "user", "content": str(number)} for number in range(1200)])
            assert len(store.get_history("long")) == 1200
            assert [info.key for info in store.list_sessions()] == [KEY, "long"]
            assert store.delete_session(KEY)
    finally:
        client.acl_deluser("least")


def test_a_replica_takes_no_writes_and_says_so(start_server: Any, source: str, store: SessionStore) -> None:
    replica = start_server(replicaof="127.0.0.1 1")
    with pytest.raises(BackendUnavailableError, match="takes no writes now"):
        open_store(f"redis+unix://{replica.socket}?deadline=0.2")


def test_a_prefix_of_another_format_is_refused(server: Any, client: Any) -> None:
    client.set("older:format", "0 buckets=16")
    with pytest.raises(ConfigError, match="has another format"):
        open_store(server.url(prefix="older"))


def test_a_client_of_the_program_is_used_and_left_open(server: Any) -> None:
    with server.client() as client:
        with open_store({"backend": "redis", "backends": {"redis": {"client": client, "prefix": "own"}}}) as store:
            store.add_message(KEY, "user", "one")
        assert client.exists("own:format") == 1


def test_a_client_that_answers_text_is_refused(server: Any) -> None:
    client = redis.Redis(unix_socket_path=str(server.socket), decode_responses=True)
    with client, pytest.raises(ConfigError, match="decode_responses"):
        RedisBackend(RedisOptions(client=client))
