"""In what state the server is: reached, tried with keys of its own, and asked about itself as far as it may be."""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any, Final

import attrs
from redis.cluster import RedisCluster
from redis.exceptions import ResponseError

from sessionkit.directory_checks import check_directory
from sessionkit.findings import Finding
from sessionkit_redis import failures
from sessionkit_redis.keyspace import BUCKETS, Keyspace
from sessionkit_redis.options import RedisOptions
from sessionkit_redis.rights import refused
from sessionkit_redis.server_checks import Answers, check_server

_SECTIONS: Final = ("server", "clients", "memory", "persistence", "replication", "cluster")
_SETTINGS: Final = ("maxmemory-policy", "appendfsync", "save")
_FAR: Final = 0.05
"""Seconds of a round trip from which an agent is slowed down."""

_ROUNDS: Final = 5
_SLOTS: Final = 16_384


@attrs.frozen
class Diagnosis:
    """Examines the server of a backend that is open.

    Attributes:
        server: what it is called.
    """

    client: Any
    options: RedisOptions
    keyspace: Keyspace
    server: str

    def findings(self) -> Iterator[Finding]:
        """Everything, in the order in which people should read it.

        Raises:
            redis.exceptions.RedisError: the server cannot be reached.
        """
        yield self._round_trip()
        yield from self._writing()
        yield self._rights()
        yield Finding.ok("format", f"prefix {self.keyspace.prefix!r}, format 1, {BUCKETS} buckets")
        yield from self._cluster()
        yield from self._nodes()
        if self.options.mode == "embedded" and self.options.directory is not None:
            for finding in check_directory(self.options.directory, f".sessionkit-probe-{os.urandom(8).hex()}"):
                yield attrs.evolve(finding, check=f"disk: {finding.check}")

    def _round_trip(self) -> Finding:
        def trip() -> float:
            begin = time.perf_counter()
            self.client.execute_command("GET", self.keyspace.marker)
            return time.perf_counter() - begin

        seconds = statistics.median(trip() for _ in range(_ROUNDS))
        found = f"{self.server} answers after {seconds * 1000:.2f} ms"
        if seconds > _FAR:
            return Finding.warning("connection", found, "each operation takes as long: let the agents run nearer to it")
        return Finding.ok("connection", found)

    def _writing(self) -> Iterator[Finding]:
        """Write, read and delete a key, which would go by itself, too."""
        key = f"{self.keyspace.prefix}:probe:{os.urandom(8).hex()}"
        try:
            self.client.execute_command("SET", key, "1", "EX", 60)
            same = self.client.execute_command("GET", key) == b"1"
            self.client.execute_command("UNLINK", key)
        except ResponseError as error:
            told = str(failures.explain(None, self.server, error))
            yield Finding.problem("writing", told, "mend that: no session can be written")
            return
        if same:
            yield Finding.ok("writing", f"a key below {self.keyspace.prefix}: was written, read and deleted")
        else:
            found = "a key that was written is not there when it is read"
            yield Finding.problem("writing", found, "see whether the server drops keys, or answers come from a replica")

    def _rights(self) -> Finding:
        lacking = refused(self.client, self.keyspace.prefix)
        if not lacking:
            return Finding.ok("rights", "every command that the backend needs may be run")
        rules = " ".join(f"+{name}" for name in lacking)
        return Finding.problem("rights", f"this user may not run {', '.join(lacking)}", f"extend its rules: {rules}")

    def _cluster(self) -> Iterator[Finding]:
        if not _is_cluster(self.client):
            return
        slots = self.client.nodes_manager.slots_cache
        served = {slot: nodes for slot, nodes in slots.items() if nodes}
        masters = {nodes[0].name for nodes in served.values()}
        alone = sorted({nodes[0].name for nodes in served.values() if len(nodes) == 1})
        if len(served) < _SLOTS:
            found = f"{_SLOTS - len(served):,} of {_SLOTS:,} slots are served by nobody"
            yield Finding.problem(
                "cluster", found, "give the slots to nodes (valkey-cli --cluster fix), or mend what is down"
            )
        else:
            yield Finding.ok("cluster", f"{len(masters)} masters serve all {_SLOTS:,} slots")
        if alone:
            found = f"without a replica: {', '.join(alone)}"
            yield Finding.warning("cluster replicas", found, "give each master a replica, so that it can fail")
        yield from self._cluster_state()

    def _cluster_state(self) -> Iterator[Finding]:
        node = self.client.get_redis_connection(self.client.get_primaries()[0])
        try:
            answer = node.execute_command("CLUSTER INFO")
        except ResponseError:  # not allowed, or not known
            yield Finding.unknown("cluster state", "this user may not ask for it (CLUSTER INFO)", "allow +cluster|info")
            return
        state = str(answer.get("cluster_state", "unknown"))
        if state == "ok":
            yield Finding.ok("cluster state", "ok")
        else:
            advice = "see which node is down (CLUSTER NODES)"
            yield Finding.problem("cluster state", f"{state}: some sessions cannot be reached", advice)

    def _nodes(self) -> Iterator[Finding]:
        """What each server that keeps sessions says; what all of them say is said once."""
        if not _is_cluster(self.client):
            yield from check_server(_ask(self.client), self.options)
            return
        found: dict[Finding, list[str]] = {}
        primaries = self.client.get_primaries()
        for node in primaries:
            for finding in check_server(_ask(self.client.get_redis_connection(node)), self.options):
                found.setdefault(finding, []).append(node.name)
        for finding, names in found.items():
            whose = "" if len(names) == len(primaries) else f"{', '.join(names)}: "
            yield attrs.evolve(finding, found=f"{whose}{finding.found}")


def _ask(client: Any) -> Answers:
    """What a server answers that may be asked; managed services and restricted users forbid some of it."""
    sections = [_unless_refused(client, "INFO", name) for name in _SECTIONS]
    info = {field: value for section in sections if section for field, value in section.items()}
    settings: dict[str, str] = {}
    for name in _SETTINGS:
        answer = _unless_refused(client, "CONFIG GET", name)
        settings |= {_text(key): _text(value) for key, value in (answer or {}).items()}
    return Answers(info=info if any(sections) else None, settings=settings)


def _unless_refused(client: Any, *command: str) -> Any:
    with suppress(ResponseError):
        return client.execute_command(*command)
    return None


def _is_cluster(client: Any) -> bool:
    return isinstance(client, RedisCluster)


def _text(value: Any) -> str:
    return value.decode(errors="replace") if isinstance(value, bytes) else str(value)
