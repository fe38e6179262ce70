"""What a server's own words mean for conversations; those of managed services, too."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sessionkit_redis import RedisOptions
from sessionkit_redis.server_checks import Answers, check_server

from sessionkit import Finding, Level

SOUND: dict[str, Any] = {
    "server_name": "valkey",
    "valkey_version": "9.1.2",
    "redis_version": "7.2.4",
    "maxmemory": 1 << 30,
    "maxmemory_policy": "noeviction",
    "used_memory": 1 << 20,
    "aof_enabled": 1,
    "rdb_last_bgsave_status": "ok",
    "aof_last_write_status": "ok",
    "role": "master",
    "slave0": {"ip": "10.0.0.2", "port": 6379, "state": "online", "offset": 1, "lag": 0},
    "connected_clients": 3,
    "maxclients": 10_000,
    "cluster_enabled": 0,
}

MANAGED: dict[str, Any] = {
    "redis_version": "7.1.0",
    "maxmemory": 1 << 30,
    "maxmemory_policy": "volatile-lru",
    "used_memory": 1 << 20,
    "aof_enabled": 0,
    "role": "master",
}
"""A service that forbids ``CONFIG`` and has the policy that such services begin with."""


def of(check: str, info: dict[str, Any] | None, settings: dict[str, str] | None = None, **options: Any) -> Finding:
    found = check_server(Answers(info=info, settings=settings or {}), RedisOptions(**options))
    (finding,) = [finding for finding in found if finding.check == check]
    return finding


def test_a_sound_server_has_neither_warnings_nor_problems() -> None:
    settings = {"appendfsync": "everysec", "save": ""}
    found = list(check_server(Answers(info=SOUND, settings=settings), RedisOptions(durability="replicas")))
    assert {finding.level for finding in found} == {Level.OK}
    assert found[0].found == "valkey 9.1.2, compatible with Redis 7.2.4"


def test_a_server_that_may_not_be_asked_is_no_error() -> None:
    finding = of("server", None)
    assert finding.level is Level.UNKNOWN
    assert "noeviction" in finding.advice
    assert "+info" in finding.advice


def test_a_server_that_is_too_old_is_a_problem() -> None:
    assert of("server", {**SOUND, "server_name": None, "redis_version": "5.0.14"}).level is Level.PROBLEM
    assert of("server", {**SOUND, "redis_version": "6.0.0"}).level is Level.OK


@pytest.mark.parametrize(
    ("policy", "ttl", "level"),
    [
        ("noeviction", 0, Level.OK),
        ("noeviction", 60, Level.OK),
        ("allkeys-lru", 0, Level.PROBLEM),
        ("allkeys-lfu", 60, Level.PROBLEM),
        ("volatile-lru", 0, Level.WARNING),
        ("volatile-ttl", 60, Level.PROBLEM),
        ("", 0, Level.UNKNOWN),
    ],
)
def test_a_server_that_drops_conversations_when_it_is_full_is_a_problem(policy: str, ttl: float, level: Level) -> None:
    finding = of("eviction", {**SOUND, "maxmemory_policy": policy}, ttl=ttl)
    assert finding.level is level
    assert finding.found.startswith(policy)


def test_the_policy_is_also_read_from_the_settings() -> None:
    info = {name: value for name, value in SOUND.items() if name != "maxmemory_policy"}
    assert of("eviction", info, {"maxmemory-policy": "allkeys-random"}).level is Level.PROBLEM


@pytest.mark.parametrize(
    ("used", "limit", "level"),
    [
        (79, 100, Level.OK),
        (80, 100, Level.WARNING),
        (95, 100, Level.PROBLEM),
        (79, 0, Level.OK),
        (81, 0, Level.PROBLEM),
    ],
)
def test_a_server_that_is_nearly_full_is_told(used: int, limit: int, level: Level) -> None:
    assert of("memory", {**SOUND, "used_memory": used, "maxmemory": limit, "total_system_memory": 100}).level is level


@pytest.mark.parametrize(
    ("appended", "settings", "durability", "level", "said"),
    [
        (1, {"appendfsync": "always"}, "none", Level.OK, "a crash loses nothing"),
        (1, {"appendfsync": "everysec"}, "aof", Level.OK, "about a second"),
        (1, {"appendfsync": "no"}, "none", Level.WARNING, "may lose minutes"),
        (1, {}, "none", Level.OK, "append-only file"),
        (0, {"save": "3600 1"}, "none", Level.WARNING, r"snapshots only \(save 3600 1\)"),
        (0, {"save": ""}, "none", Level.WARNING, "every session"),
        (0, {}, "none", Level.WARNING, "or everything"),
        (0, {"save": ""}, "aof", Level.PROBLEM, "has no append-only file"),
        (None, {}, "none", Level.UNKNOWN, "does not tell"),
    ],
)
def test_what_a_restart_takes_is_told(
    appended: int | None, settings: dict[str, str], durability: str, level: Level, said: str
) -> None:
    finding = of("persistence", {**SOUND, "aof_enabled": appended}, settings, durability=durability)
    assert finding.level is level
    assert re.search(said, finding.found)


def test_waiting_for_the_disk_needs_a_server_that_can() -> None:
    assert of("durability", {**SOUND, "redis_version": "7.0.15"}, durability="aof").level is Level.PROBLEM


def test_a_snapshot_or_a_log_that_failed_is_told() -> None:
    assert of("snapshots", {**SOUND, "rdb_last_bgsave_status": "err"}).level is Level.WARNING
    assert of("append-only file", {**SOUND, "aof_last_write_status": "err"}).level is Level.PROBLEM
    assert of("append-only file", {**SOUND, "aof_last_bgrewrite_status": "err"}).level is Level.PROBLEM


def test_replicas_that_writes_wait_for_and_that_are_not_there_are_a_problem() -> None:
    assert of("replication", SOUND, durability="replicas", replicas=2).level is Level.PROBLEM
    behind = {**SOUND, "slave0": {"state": "wait_bgsave"}}
    assert of("replication", behind, durability="replicas").level is Level.PROBLEM
    assert of("replication", behind).level is Level.OK


def test_a_replica_is_told_to_be_one() -> None:
    finding = of("replication", {**SOUND, "role": "slave", "master_link_status": "down"})
    assert (finding.level, "link to its master: down" in finding.found) == (Level.PROBLEM, True)


def test_many_connections_are_told() -> None:
    assert of("clients", {**SOUND, "connected_clients": 8000}).level is Level.WARNING
    assert of("clients", {**SOUND, "maxclients": None}).level is Level.OK


def test_a_node_of_a_cluster_that_is_used_as_a_single_server_is_a_problem() -> None:
    assert of("cluster", {**SOUND, "cluster_enabled": 1}).level is Level.PROBLEM
    found = check_server(Answers(info={**SOUND, "cluster_enabled": 1}), RedisOptions(mode="cluster", nodes="h"))
    assert "cluster" not in {finding.check for finding in found}


def test_a_managed_service_that_forbids_config_is_judged_by_what_it_tells() -> None:
    found = {finding.check: finding.level for finding in check_server(Answers(info=MANAGED), RedisOptions())}
    assert found["eviction"] is Level.WARNING
    assert found["persistence"] is Level.WARNING
    assert found["memory"] is Level.OK
