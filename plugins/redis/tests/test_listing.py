"""Listings: what they tell of the memory that sessions take, and of what it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import redis
from sessionkit_redis.keyspace import Keyspace

from sessionkit import BackendUnavailableError, SessionStore, open_store

PASSWORD = "hunter2-hunter2"


@pytest.fixture(params=["server", "old_server", "cluster"])
def url(request: pytest.FixtureRequest) -> str:
    text: str = request.getfixturevalue(request.param).url()
    return text


@pytest.fixture
def store(url: str) -> Iterator[SessionStore]:
    with open_store(url, on_write_error="raise") as store:
        yield store


def sizes(store: SessionStore) -> dict[str, int | None]:
    return {info.key: info.size for info in store.list_sessions()}


def test_the_size_is_the_memory_of_messages_and_fields(store: SessionStore) -> None:
    store.set_summary("empty", "")
    store.set_summary("summary", "s" * 20_000)
    store.add_messages("long", [{"role": "user", "content": "x" * 1_000}] * 100)
    taken = sizes(store)
    assert 0 < (taken["empty"] or 0) < 2_000
    assert 20_000 < (taken["summary"] or 0) < 40_000
    assert 100_000 < (taken["long"] or 0) < 150_000


def test_headings_do_not_ask_for_it(server: Any) -> None:
    with open_store(server.url(), on_write_error="raise") as store, server.client() as client:
        store.update_session("k", aliases=["a"])
        before = client.info("commandstats").get("cmdstat_memory|usage", {"calls": 0})["calls"]
        assert store.resolve("a") == "k"
        assert client.info("commandstats").get("cmdstat_memory|usage", {"calls": 0})["calls"] == before
        assert sizes(store)["k"]
        assert client.info("commandstats")["cmdstat_memory|usage"]["calls"] > before


def test_who_may_not_ask_for_it_lists_all_the_same(server: Any) -> None:
    with server.client() as client:
        client.execute_command("ACL SETUSER", "blind", "reset", "on", f">{PASSWORD}", "~*", "+@all", "-memory")
        try:
            with open_store(server.url(username="blind", password=PASSWORD), on_write_error="raise") as store:
                store.add_message("k", "user", "hello")
                assert [(info.key, info.count, info.size) for info in store.list_sessions()] == [("k", 1, None)]
        finally:
            client.acl_deluser("blind")


def test_a_slot_on_its_way_to_a_node_that_had_none_hinders_listings_no_longer_than_that(
    start_server: Any, free_ports: Any, cluster: Any
) -> None:
    ports = free_ports(2)
    for port in ports:
        start_server(port=port, bind="127.0.0.1", cluster_enabled="yes", cluster_config_file="nodes.conf")
    with redis.Redis(port=ports[0]) as source, redis.Redis(port=ports[1]) as target:
        source.execute_command("CLUSTER ADDSLOTSRANGE", 0, 16383)
        source.execute_command("CLUSTER MEET", "127.0.0.1", ports[1])
        cluster.until(lambda: target.execute_command("CLUSTER INFO")["cluster_state"] == "ok")
        from_id, to_id = (node.execute_command("CLUSTER MYID").decode() for node in (source, target))
        with open_store(f"redis+cluster://127.0.0.1:{ports[0]}?deadline=0.5", on_write_error="raise") as store:
            store.set_summary("k", "without messages")
            assert sizes(store)["k"]
            slot = source.execute_command("CLUSTER KEYSLOT", Keyspace("sessionkit").session("k").data)
            target.execute_command("CLUSTER SETSLOT", slot, "IMPORTING", from_id)
            source.execute_command("CLUSTER SETSLOT", slot, "MIGRATING", to_id)
            assert sizes(store) == {"k": None}  # its list, which is not there, is asked for at the new node
            names = source.execute_command("CLUSTER GETKEYSINSLOT", slot, 100)
            source.execute_command("MIGRATE", "127.0.0.1", ports[1], "", 0, 5000, "KEYS", *names)
            with pytest.raises(BackendUnavailableError, match="a slot moves to a node that is not known yet"):
                sizes(store)
            for node in (target, source):
                node.execute_command("CLUSTER SETSLOT", slot, "NODE", to_id)
            assert sizes(store)["k"]
