"""A long history that is replaced: it is out of the way in one step, and removed in pieces; nothing of it stays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import attrs
import pytest
from redis.cluster import RedisCluster
from sessionkit_redis.keyspace import Keyspace, SessionKeys
from sessionkit_redis.replacing import Staging

from sessionkit import SessionStore, VersionConflict, open_store

KEY = "k"
LONG = 2001
MINUTE = 60_000


@attrs.frozen
class Place:
    """A server or a cluster, with a prefix that no other test has, and a client that sees what is really there."""

    made_by: Any
    client: Any
    prefix: str

    @property
    def keys(self) -> SessionKeys:
        return Keyspace(self.prefix).session(KEY)

    def open(self, **options: object) -> SessionStore:
        return open_store(self.made_by.url(prefix=self.prefix, **options), on_write_error="raise")

    def staged(self) -> list[bytes]:
        """The lists in the slot of the session that are no session's."""
        where = {}
        if isinstance(self.client, RedisCluster):
            where = {"target_nodes": self.client.get_node_from_key(self.keys.messages)}  # type: ignore[no-untyped-call]
        found: list[bytes] = self.client.keys(self.keys.staging("") + b"*", **where)
        return found


@pytest.fixture(params=["server", "old_server", "cluster"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    made_by = request.getfixturevalue(request.param)
    in_cluster = request.param == "cluster"
    with RedisCluster(host="127.0.0.1", port=made_by.ports[0]) if in_cluster else made_by.client() as client:
        yield Place(made_by, client, f"r{next(made_by.numbers)}")


@pytest.fixture
def abandoned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients die before they remove what they put aside."""
    monkeypatch.setattr(Staging, "remove", lambda staging, name, count: None)


def _messages(count: int, text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"{text} {number}"} for number in range(count)]


def _texts(store: SessionStore) -> list[str]:
    return [message.text for message in store.get_history(KEY)]


@pytest.mark.parametrize("count", [0, LONG])
def test_nothing_stays_of_a_long_history_that_was_replaced(place: Place, count: int) -> None:
    with place.open() as store:
        store.set_history(KEY, _messages(LONG, "old"))
        version = store.set_history(KEY, _messages(count, "new"))
        assert _texts(store) == [f"new {number}" for number in range(count)]
        assert store.get_session(KEY, 0).version == version
    assert place.staged() == []
    assert place.client.pttl(place.keys.messages) == (-1 if count else -2)


@pytest.mark.usefixtures("abandoned")
@pytest.mark.parametrize(("count", "ttl"), [(1, 3600), (LONG, 0)])
def test_what_a_client_leaves_when_it_dies_goes_within_a_minute(place: Place, count: int, ttl: int) -> None:
    with place.open(ttl=ttl) as store:
        store.set_history(KEY, _messages(LONG, "old"))
        store.set_history(KEY, _messages(count, "new"))
        assert len(store.get_history(KEY)) == count
        assert [(info.key, info.count) for info in store.list_sessions()] == [(KEY, count)]
    (left,) = place.staged()
    assert place.client.llen(left) == LONG
    assert 0 < place.client.pttl(left) <= MINUTE
    assert (place.client.pttl(place.keys.messages) > MINUTE) == (ttl > 0)


@pytest.mark.usefixtures("abandoned")
def test_a_thousand_messages_are_removed_at_once(place: Place) -> None:
    with place.open() as store:
        store.set_history(KEY, _messages(1000, "old"))
        store.set_history(KEY, [])
        assert place.staged() == []
        store.set_history(KEY, _messages(1001, "old"))
        store.set_history(KEY, [])
        assert len(place.staged()) == 1


@pytest.mark.parametrize("place", ["server"], indirect=True)
def test_a_long_history_is_removed_in_pieces(place: Place) -> None:
    with place.open() as store, place.made_by.client() as other, other.monitor() as monitor:
        store.set_history(KEY, _messages(LONG, "old"))
        store.set_history(KEY, [])
        place.client.echo("end")
        commands = []
        while (command := monitor.next_command()["command"]) != "ECHO end":
            commands.append(command.split())
    (name,) = [command[2] for command in commands if command[:2] == ["RENAME", place.keys.messages.decode()]]
    assert [command for command in commands if command[0] == "LTRIM"] == [["LTRIM", name, "1000", "-1"]] * 3
    unlinked = [command for command in commands if command[0] == "UNLINK"]
    assert len(unlinked) == 1  # by the first call, which found nothing


@pytest.mark.parametrize("place", ["server"], indirect=True)
def test_a_replacement_is_done_when_its_old_history_cannot_be_removed(place: Place) -> None:
    rights = ["ACL SETUSER", "untidy", "reset", "on", ">p", f"~{place.prefix}:*", "+@all", "-ltrim"]
    place.client.execute_command(*rights)
    try:
        with place.open(username="untidy", password="p") as store:
            store.set_history(KEY, _messages(LONG, "old"))
            version = store.set_history(KEY, _messages(2, "new"))
            assert _texts(store) == ["new 0", "new 1"]
            assert store.get_session(KEY).version == version
    finally:
        place.client.acl_deluser("untidy")
    (left,) = place.staged()
    assert 0 < place.client.pttl(left) <= MINUTE


def test_a_replacement_that_is_refused_leaves_a_long_history_alone(place: Place) -> None:
    with place.open() as store:
        first = store.set_history(KEY, _messages(LONG, "old"))
        second = store.add_message(KEY, "user", "later")
        for count in (1, LONG):
            with pytest.raises(VersionConflict):
                store.set_history(KEY, _messages(count, "new"), if_version=first)
        assert store.get_session(KEY, 0).version == second
        assert len(_texts(store)) == LONG + 1
    assert place.staged() == []
