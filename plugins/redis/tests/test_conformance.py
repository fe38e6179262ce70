"""The redis backend keeps the contract."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any

import pytest
from redis.cluster import RedisCluster
from sessionkit_redis.connecting import connect
from sessionkit_redis.keyspace import Keyspace, SessionKeys

from sessionkit.config import resolve
from sessionkit.testing import SessionStoreConformance


class RedisConformance(SessionStoreConformance):
    def read_raw(self, source: Any, key: str) -> list[dict[str, Any]]:
        client, keys = place(source, key)
        values: list[bytes] = client.lrange(keys.messages.decode(), 0, -1)
        return [json.loads(value) for value in values]

    def write_raw(self, source: Any, key: str, messages: Sequence[dict[str, Any]]) -> bool:
        client, keys = place(source, key)
        for message in messages:
            client.rpush(keys.messages.decode(), json.dumps(message))
        fields = {"v": "raw", "g": "raw", "n": str(len(messages)), "w": "0", "u": "0"}
        for name, value in fields.items():
            client.hset(keys.data.decode(), name, value)
        client.zadd(keys.index.decode(), {key: 0})
        return True

    def break_storage(self, source: Any) -> AbstractContextManager[object]:
        return full(place(source, "")[0])

    def damage(self, source: Any, key: str) -> bool:
        client, keys = place(source, key)
        client.set(keys.data.decode(), "another program's")
        return True

    def unreachable(self, source: Any) -> tuple[Any, str]:
        return "redis://bot:s3cret-of-redis@127.0.0.1:1?deadline=0.1", "s3cret-of-redis"


class TestValkey(RedisConformance):
    @pytest.fixture
    def source(self, server: Any) -> str:
        url: str = server.url()
        return url


class TestRedis62(RedisConformance):
    @pytest.fixture
    def source(self, old_server: Any) -> str:
        url: str = old_server.url()
        return url


@pytest.mark.slow
class TestCluster(RedisConformance):
    @pytest.fixture
    def source(self, cluster: Any) -> str:
        url: str = cluster.url()
        return url


def place(source: Any, key: str) -> tuple[Any, SessionKeys]:
    """A client of its own, and the keys of a session."""
    options = resolve(source).options
    return connect(options), Keyspace(options.prefix).session(key)


@contextlib.contextmanager
def full(client: Any) -> Iterator[None]:
    """Let a server have no memory left."""
    nodes = {"target_nodes": client.PRIMARIES} if isinstance(client, RedisCluster) else {}
    client.config_set("maxmemory", 1, **nodes)
    try:
        yield
    finally:
        client.config_set("maxmemory", 0, **nodes)
