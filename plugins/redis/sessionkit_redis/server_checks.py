"""What the answers of ``INFO`` and ``CONFIG GET`` mean for conversations. Nothing here asks a server.

Managed services leave out fields, and some forbid the command: what is not there is told as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import attrs

from sessionkit.findings import Finding
from sessionkit.sizes import size
from sessionkit_redis.options import RedisOptions

_OLDEST: Final = (6, 0)
_WAITAOF: Final = (7, 2)
_NEARLY: Final = 0.8
_FULL: Final = 0.95


@attrs.frozen(kw_only=True)
class Answers:
    """What a server says of itself.

    Attributes:
        info: the fields of ``INFO``, of all sections; None when it may not be asked.
        settings: what ``CONFIG GET`` says; a setting is missing when it may not be asked.
    """

    info: Mapping[str, Any] | None
    settings: Mapping[str, str] = attrs.field(factory=dict)


def check_server(answers: Answers, options: RedisOptions) -> Iterator[Finding]:
    """Everything that the answers tell of one server."""
    info = answers.info
    if info is None:
        yield Finding.unknown(
            "server",
            "this user may not ask it about itself (INFO): eviction, memory, persistence and replicas stay unknown",
            "ask whoever runs it whether maxmemory-policy is noeviction and appendonly is on, or allow +info",
        )
        return
    yield _version(info)
    yield from _cluster_node(info, options)
    yield _eviction(info, answers.settings, options)
    yield from _memory(info)
    yield from _persistence(info, answers.settings, options)
    yield from _replication(info, options)
    yield from _clients(info)


def _version(info: Mapping[str, Any]) -> Finding:
    name = str(info.get("server_name") or "redis")
    compatible = str(info.get("redis_version") or "")
    version = str(info.get(f"{name}_version") or compatible or "of unknown version")
    shown = f"{name} {version}" + (f", compatible with Redis {compatible}" if name != "redis" and compatible else "")
    if compatible and _numbers(compatible) < _OLDEST:
        return Finding.problem("server", f"{shown}: too old", "use Redis 6.0 or later, or Valkey")
    return Finding.ok("server", shown)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdigit())


def _cluster_node(info: Mapping[str, Any], options: RedisOptions) -> Iterator[Finding]:
    if _number(info, "cluster_enabled") == 1 and options.mode in ("single", "sentinel") and options.client is None:
        yield Finding.problem(
            "cluster",
            "the server is a node of a cluster, and answers for a part of the sessions only",
            "name the cluster: redis+cluster://host:port",
        )


def _eviction(info: Mapping[str, Any], settings: Mapping[str, str], options: RedisOptions) -> Finding:
    policy = str(info.get("maxmemory_policy") or settings.get("maxmemory-policy") or "")
    advice = "set maxmemory-policy noeviction; a full server then refuses writes and keeps what it has"
    if not policy:
        return Finding.unknown("eviction", "the server does not tell what it drops when it is full", advice)
    if policy == "noeviction":
        return Finding.ok("eviction", "noeviction: a full server refuses writes and drops nothing")
    if policy.startswith("volatile-") and options.ttl == 0:
        found = f"{policy}: a full server drops what ends by itself, which sessions without ttl do not"
        return Finding.warning("eviction", found, advice)
    return Finding.problem("eviction", f"{policy}: a full server drops conversations", advice)


def _memory(info: Mapping[str, Any]) -> Iterator[Finding]:
    used, limit = _number(info, "used_memory"), _number(info, "maxmemory")
    if used is None:
        return
    if not limit:
        whole = _number(info, "total_system_memory")
        found = f"{size(used)} used, without a limit (maxmemory 0)"
        if whole and used > _NEARLY * whole:
            advice = (
                "give the machine more memory or remove sessions, and set maxmemory: else the system ends the server"
            )
            yield Finding.problem("memory", f"{found}, of the machine's {size(whole)}", advice)
        else:
            yield Finding.ok("memory", found)
        return
    found = f"{size(used)} of {size(limit)} used ({used / limit:.0%})"
    advice = "give it more memory, or remove sessions: a full server takes no writes"
    if used >= _FULL * limit:
        yield Finding.problem("memory", found, advice)
    elif used >= _NEARLY * limit:
        yield Finding.warning("memory", found, advice)
    else:
        yield Finding.ok("memory", found)


def _persistence(info: Mapping[str, Any], settings: Mapping[str, str], options: RedisOptions) -> Iterator[Finding]:
    appended = _number(info, "aof_enabled")
    if appended is None:
        yield Finding.unknown("persistence", "the server does not tell whether a restart keeps anything")
    elif appended:
        yield _append_only(settings.get("appendfsync", ""))
    else:
        yield _without_log(settings.get("save"), options)
    if options.durability == "aof":
        version = _numbers(str(info.get("redis_version") or ""))
        if version and version < _WAITAOF:
            found = "durability = aof waits by a command that this server does not have"
            yield Finding.problem("durability", found, "use Redis 7.2 or later, or Valkey, or another durability")
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        advice = (
            "see the server's log: mostly its disk is full, or memory lacks for the copy (vm.overcommit_memory = 1)"
        )
        yield Finding.warning(
            "snapshots", "the last one failed; the server may refuse writes until one succeeds", advice
        )
    for field, what in (("aof_last_write_status", "writing"), ("aof_last_bgrewrite_status", "rewriting")):
        if info.get(field, "ok") != "ok":
            advice = "see the server's log: mostly its disk is full"
            yield Finding.problem("append-only file", f"{what} it failed", advice)


def _append_only(sync: str) -> Finding:
    if sync == "no":
        found = (
            "append-only file, synced when the system likes (appendfsync no): a crash of the machine may lose minutes"
        )
        return Finding.warning("persistence", found, "set appendfsync everysec or always")
    lost = {"always": ": a crash loses nothing", "everysec": ": a crash loses about a second"}.get(sync, "")
    return Finding.ok("persistence", f"append-only file{f', appendfsync {sync}' if sync else ''}{lost}")


def _without_log(save: str | None, options: RedisOptions) -> Finding:
    advice = "set appendonly yes and appendfsync everysec"
    if options.durability == "aof":
        found = "durability = aof is asked for, and the server has no append-only file"
        return Finding.problem("persistence", found, advice)
    if save:
        return Finding.warning("persistence", f"snapshots only (save {save}): a restart loses what came after", advice)
    if save is None:
        found = "no append-only file: a restart loses what came after the last snapshot, or everything"
        return Finding.warning("persistence", found, advice)
    return Finding.warning("persistence", "none: a restart loses every session", advice)


def _replication(info: Mapping[str, Any], options: RedisOptions) -> Iterator[Finding]:
    role = info.get("role")
    if role is None:
        return
    if role != "master":
        link = info.get("master_link_status", "unknown")
        found = f"this is a replica (link to its master: {link}), which takes no writes"
        yield Finding.problem("replication", found, "name the master, its sentinels or the cluster")
        return
    replicas = [value for name, value in info.items() if name.startswith("slave") and isinstance(value, dict)]
    online = sum(replica.get("state") == "online" for replica in replicas)
    found = "no replica is connected" if not online else f"{online} replica{'s' if online > 1 else ''} connected"
    if options.durability == "replicas" and online < options.replicas:
        found = f"{found}, and each write waits for {options.replicas}"
        yield Finding.problem("replication", found, "start the replicas, or ask for fewer (replicas, durability)")
    else:
        yield Finding.ok("replication", found)


def _clients(info: Mapping[str, Any]) -> Iterator[Finding]:
    connected, most = _number(info, "connected_clients"), _number(info, "maxclients")
    if connected is None:
        return
    if most and connected >= _NEARLY * most:
        advice = "raise maxclients, or let programs open fewer connections (max_connections)"
        yield Finding.warning("clients", f"{connected:,} of at most {most:,} connections are open", advice)
    else:
        yield Finding.ok("clients", f"{connected:,} connections are open" if connected != 1 else "1 connection is open")


def _number(info: Mapping[str, Any], name: str) -> int | None:
    value = info.get(name)
    return value if isinstance(value, int) else None
