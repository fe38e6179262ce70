"""What the backend tells of real servers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sessionkit_redis import rights
from sessionkit_redis.keyspace import Keyspace

from sessionkit import BackendUnavailableError, Finding, Level, open_store

PASSWORD = "s3cret-of-the-tests"
PAGE = Path(__file__).parents[3] / "docs/explanation/redis-format.md"


def diagnosis(url: str) -> dict[str, list[Finding]]:
    with open_store(url, on_write_error="raise") as store:
        found: dict[str, list[Finding]] = {}
        for finding in store.diagnose():
            found.setdefault(finding.check, []).append(finding)
        return found


@pytest.fixture
def client(server: Any) -> Iterator[Any]:
    with server.client() as client:
        yield client


@pytest.fixture
def limited(server: Any, client: Any) -> Iterator[Callable[..., str]]:
    """Makes a user with these rights, and a URL with it."""

    def limited(*rules: str) -> str:
        client.execute_command("ACL SETUSER", "limited", "reset", "on", f">{PASSWORD}", "~limited:*", *rules)
        url: str = server.url(prefix="limited", username="limited", password=PASSWORD, deadline=0.2)
        return url

    yield limited
    client.acl_deluser("limited")


def documented() -> list[str]:
    found = re.search(r"these rights is enough: `([^`]+)`", PAGE.read_text("utf-8"))
    assert found is not None
    return found[1].split()


def test_a_real_server_is_told_whole_and_keeps_no_probe(server: Any, client: Any) -> None:
    url = server.url(prefix="looked")
    with open_store(url) as store:
        store.add_message("k", "user", "hello")
        before = sorted(client.keys("looked:*"))
        found = {finding.check: finding.level for finding in store.diagnose()}
        assert sorted(client.keys("looked:*")) == before
    assert found == {
        "connection": Level.OK,
        "writing": Level.OK,
        "rights": Level.OK,
        "format": Level.OK,
        "server": Level.OK,
        "eviction": Level.OK,
        "memory": Level.OK,
        "persistence": Level.WARNING,  # the server of these tests keeps nothing
        "replication": Level.OK,
        "clients": Level.OK,
    }


def test_the_oldest_server_answers_the_same_questions(old_server: Any) -> None:
    found = diagnosis(old_server.url())
    assert found["server"][0].found.startswith("redis 6.2")
    assert found["eviction"][0].level is Level.OK
    assert found["rights"][0].level is Level.OK


def test_the_documented_user_learns_all_that_it_may_and_nothing_is_an_error(limited: Callable[..., str]) -> None:
    found = diagnosis(limited(*documented()))
    assert found["rights"][0].level is Level.OK
    assert found["writing"][0].level is Level.OK
    assert found["server"][0].level is Level.UNKNOWN
    assert all(finding.level in (Level.OK, Level.UNKNOWN) for findings in found.values() for finding in findings)
    assert PASSWORD not in str(found)


def test_with_info_allowed_the_eviction_policy_is_known(limited: Callable[..., str]) -> None:
    found = diagnosis(limited(*documented(), "+info"))
    assert found["eviction"][0].level is Level.OK
    assert found["persistence"][0].level is Level.WARNING


def test_each_right_that_is_missing_is_named(limited: Callable[..., str]) -> None:
    rules = [rule for rule in documented() if rule not in ("+zrangebylex", "+pexpire")]
    (finding,) = diagnosis(limited(*rules))["rights"]
    assert (finding.level, finding.found) == (Level.PROBLEM, "this user may not run pexpire, zrangebylex")
    assert finding.advice == "extend its rules: +pexpire +zrangebylex"


@pytest.mark.parametrize("name", ["multi", "exec"])
def test_a_transaction_that_may_not_be_made_is_named(limited: Callable[..., str], name: str) -> None:
    (finding,) = diagnosis(limited(*(rule for rule in documented() if rule != f"+{name}")))["rights"]
    assert finding.found == f"this user may not run {name}"


def test_scripts_that_may_not_be_run_are_named(limited: Callable[..., str]) -> None:
    (finding,) = diagnosis(limited(*(rule for rule in documented() if rule != "+eval")))["rights"]
    assert finding.found == "this user may not run eval"


def test_the_oldest_server_names_missing_rights_too(old_server: Any) -> None:
    with old_server.client() as client:
        rules = [rule for rule in documented() if "|" not in rule and rule != "+hget"]
        client.execute_command("ACL SETUSER", "older", "reset", "on", f">{PASSWORD}", "~older:*", *rules)
        (finding,) = diagnosis(old_server.url(prefix="older", username="older", password=PASSWORD))["rights"]
        assert finding.found == "this user may not run hget"
        client.acl_deluser("older")


def test_every_right_that_the_documentation_names_is_tried() -> None:
    raw = {"+eval", "+evalsha", "+multi", "+exec"}
    assert {rule for rule in documented() if f"try('{rule[1:]}'" not in rights._SCRIPT} <= raw


def test_an_eviction_policy_that_eats_conversations_is_a_problem(server: Any, client: Any) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    try:
        (finding,) = diagnosis(server.url())["eviction"]
    finally:
        client.config_set("maxmemory-policy", "noeviction")
    assert (finding.level, finding.found) == (Level.PROBLEM, "allkeys-lru: a full server drops conversations")


def test_a_full_server_is_a_problem(server: Any, client: Any) -> None:
    url = server.url()
    with open_store(url) as store:
        store.add_message("k", "user", "hello")
    client.config_set("maxmemory", 1)
    try:
        found = diagnosis(url)
    finally:
        client.config_set("maxmemory", 0)
    assert "is full (maxmemory)" in found["writing"][0].found
    assert found["memory"][0].level is Level.PROBLEM
    assert found["rights"][0].level is Level.OK


def test_a_replica_is_a_problem(start_server: Any) -> None:
    replica = start_server()
    url = replica.url(deadline=0.2, prefix="replicated")
    with replica.client() as client:
        client.set(Keyspace("replicated").marker, "1 buckets=256")
        client.execute_command("REPLICAOF", "127.0.0.1", 1)
        found = diagnosis(url)
        assert found["replication"][0].level is Level.PROBLEM
        assert "takes no writes" in found["writing"][0].found


def test_a_server_that_goes_away_meanwhile_is_an_error(start_server: Any) -> None:
    server = start_server()
    with open_store(server.url(deadline=0.2)) as store:
        server.process.kill()
        server.process.wait()
        with pytest.raises(BackendUnavailableError, match="cannot be reached"):
            store.diagnose()


def test_replicas_that_are_asked_for_and_missing_are_a_problem(server: Any) -> None:
    assert diagnosis(server.url(durability="replicas"))["replication"][0].level is Level.PROBLEM


def test_a_cluster_is_asked_node_by_node(cluster: Any) -> None:
    url = cluster.url(durability="replicas")
    cluster.until(lambda: "cluster replicas" not in diagnosis(url))  # a young cluster does not know all of them
    found = diagnosis(url)
    assert found["cluster"][0].found == "3 masters serve all 16,384 slots"
    assert found["cluster state"][0].level is Level.OK
    assert found["rights"][0].level is Level.OK
    assert [finding.found for finding in found["replication"]] == ["1 replica connected"]
    assert len(found["memory"]) >= 1


def test_what_one_node_of_a_cluster_has_is_told_with_its_name(cluster: Any) -> None:
    with cluster.node(1) as node:
        node.config_set("maxmemory-policy", "allkeys-lru")
        try:
            found = diagnosis(cluster.url())["eviction"]
        finally:
            node.config_set("maxmemory-policy", "noeviction")
    (problem,) = [finding for finding in found if finding.level is Level.PROBLEM]
    assert problem.found.startswith(f"127.0.0.1:{cluster.ports[1]}: allkeys-lru")


def test_an_embedded_server_tells_of_its_disk_too(tmp_path: Path) -> None:
    found = diagnosis(f"redis+embedded://{tmp_path}/e")
    assert found["persistence"][0].found == "append-only file, appendfsync always: a crash loses nothing"
    assert found["disk: room"]
