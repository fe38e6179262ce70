"""Writes to a session whose slot is on its way from one node of a cluster to another: done, or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import attrs
import pytest
from redis.cluster import RedisCluster
from sessionkit_redis.keyspace import Keyspace

from sessionkit import BackendUnavailableError, SessionStore, open_store

KEY = "k"


def _messages(count: int, text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{text} {number}"} for number in range(count)]


def _texts(store: SessionStore) -> list[str]:
    return [message.text for message in store.get_history(KEY)]


@attrs.frozen
class Moving:
    """A slot that goes from a node to another one, and in the end stays where it was."""

    client: Any
    slot: int
    source: Any
    target: Any

    def begin(self) -> None:
        source, target = (
            self.client.execute_command("CLUSTER MYID", target_nodes=node).decode()
            for node in (self.source, self.target)
        )
        self._tell(self.target, "IMPORTING", source)
        self._tell(self.source, "MIGRATING", target)

    def move_the_keys(self) -> None:
        self._move(self.source, self.target)

    def end(self) -> None:
        self._tell(self.source, "STABLE")
        self._move(self.target, self.source)
        self._tell(self.target, "STABLE")

    def _tell(self, node: Any, *what: str) -> None:
        self.client.execute_command("CLUSTER SETSLOT", self.slot, *what, target_nodes=node)

    def _move(self, source: Any, target: Any) -> None:
        names = self.client.execute_command("CLUSTER GETKEYSINSLOT", self.slot, 1000, target_nodes=source)
        if names:
            command = ["MIGRATE", target.host, target.port, "", 0, 5000, "REPLACE", "KEYS", *names]
            self.client.execute_command(*command, target_nodes=source)


@pytest.fixture
def prefix(cluster: Any) -> str:
    return f"m{next(cluster.numbers)}"


@pytest.fixture
def moving(cluster: Any, prefix: str) -> Iterator[Moving]:
    name = Keyspace(prefix).session(KEY).messages.decode()
    with RedisCluster(host="127.0.0.1", port=cluster.ports[0]) as client:
        source = client.get_node_from_key(name)
        target = next(node for node in client.get_primaries() if node != source)
        moving = Moving(client, client.cluster_keyslot(name), source, target)
        yield moving
        moving.end()


OLD = [f"old {number}" for number in range(5)]
WRITES: dict[str, tuple[Callable[[SessionStore], object], list[str]]] = {
    "append": (lambda store: store.add_message(KEY, "user", "more"), [*OLD, "more"]),
    "replace": (lambda store: store.set_history(KEY, _messages(2, "new")), ["new 0", "new 1"]),
    "empty": (lambda store: store.set_history(KEY, []), []),
    "truncate": (lambda store: store.truncate_history(KEY, 1), OLD[-1:]),
    "truncate to nothing": (lambda store: store.truncate_history(KEY, 0), []),
    "summary": (lambda store: store.set_summary(KEY, "s"), OLD),
}


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(("write", "expected"), WRITES.values(), ids=WRITES)
def test_a_session_can_be_written_while_its_slot_moves(
    cluster: Any,
    moving: Moving,
    prefix: str,
    write: Callable[[SessionStore], object],
    expected: list[str],
    moved: bool,
) -> None:
    with open_store(cluster.url(prefix=prefix, ttl=3600, deadline=3), on_write_error="raise") as store:
        store.set_history(KEY, _messages(5, "old"))
        moving.begin()
        if moved:
            moving.move_the_keys()
        version = write(store)
        moving.end()
        assert _texts(store) == expected
        assert store.get_session(KEY).version == version


@pytest.mark.parametrize("moved", [False, True])
@pytest.mark.parametrize(("old", "count"), [(5, 1200), (1500, 2), (1500, 1200)])
def test_a_history_is_replaced_while_its_slot_moves_or_stays_as_it_was(
    cluster: Any, moving: Moving, prefix: str, old: int, count: int, moved: bool
) -> None:
    with open_store(cluster.url(prefix=prefix, deadline=0.3), on_write_error="raise") as store:
        store.set_history(KEY, _messages(old, "old"))
        moving.begin()
        if moved:
            moving.move_the_keys()
        expected = [f"new {number}" for number in range(count)]
        try:
            store.set_history(KEY, _messages(count, "new"))
        except BackendUnavailableError:
            expected = [f"old {number}" for number in range(old)]
        moving.end()
        assert _texts(store) == expected
