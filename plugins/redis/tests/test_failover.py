"""Four writers while a cluster loses a node, stalls, or moves a slot; and while sentinels choose another server."""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis
from redis.crc import key_slot
from sessionkit_redis import NotReplicatedError
from sessionkit_redis.embedded import server_binary
from sessionkit_redis.keyspace import Keyspace

from sessionkit import OutcomeUnknownError, SessionStore, open_store

pytestmark = pytest.mark.slow

WRITERS = 4
SESSIONS = 6
STOPPED_SECONDS = 5


@attrs.define
class Writers:
    """Threads that append to the same sessions, each through a store of its own, and note what was acknowledged."""

    url: str
    acknowledged: dict[tuple[int, str], list[int]] = attrs.field(factory=lambda: defaultdict(list))
    failures: list[BaseException] = attrs.field(factory=list)
    unsure: int = 0
    _stop: threading.Event = attrs.field(factory=threading.Event)
    _progress: threading.Condition = attrs.field(factory=threading.Condition)
    _threads: list[threading.Thread] = attrs.field(factory=list)
    _done: list[int] = attrs.field(factory=lambda: [0] * WRITERS)

    def start(self) -> None:
        self._threads = [threading.Thread(target=self._write, args=(number,)) for number in range(WRITERS)]
        for thread in self._threads:
            thread.start()

    def wait_for(self, more: int) -> None:
        """Until each writer has written so many messages more."""
        with self._progress:
            goals = [done + more for done in self._done]
            reached = self._progress.wait_for(
                lambda: self.failures or all(a >= b for a, b in zip(self._done, goals, strict=True)), 120
            )
        assert reached, f"the writers do not get on: {self._done} of {goals}"
        assert not self.failures, self.failures

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join()
        assert not self.failures, self.failures

    def _write(self, writer: int) -> None:
        try:
            with open_store(self.url, on_write_error="raise") as store:
                for number in itertools.count():
                    if self._stop.is_set():
                        return
                    self._append(store, writer, number)
        except BaseException as error:  # told by the test's own thread
            self.failures.append(error)
        finally:
            with self._progress:
                self._progress.notify_all()

    def _append(self, store: SessionStore, writer: int, number: int) -> None:
        key = f"s{number % SESSIONS}"
        try:
            store.add_message(key, "user", f"{writer}:{number}")
        except OutcomeUnknownError:
            self.unsure += 1  # stored, or not; but never twice
        else:
            self.acknowledged[writer, key].append(number)
        with self._progress:
            self._done[writer] += 1
            self._progress.notify_all()


def check(writers: Writers) -> None:
    """Nothing acknowledged is lost, nothing is doubled, and each writer's order is kept."""
    with open_store(writers.url) as store:
        for key in (f"s{number}" for number in range(SESSIONS)):
            stored: dict[int, list[int]] = defaultdict(list)
            for message in store.get_history(key):
                author, _, number = message.text.partition(":")
                stored[int(author)].append(int(number))
            for writer in range(WRITERS):
                assert stored[writer] == sorted(set(stored[writer]))
                assert set(writers.acknowledged[writer, key]) <= set(stored[writer])


def disturb(url: str, disturbance: Callable[[], object], afterwards: int = 50) -> Writers:
    """Run the writers, and let something happen to the servers meanwhile."""
    writers = Writers(url)
    writers.start()
    try:
        writers.wait_for(50)
        disturbance()
        writers.wait_for(afterwards)
    finally:
        writers.stop()
    check(writers)
    return writers


def _serving(cluster: Any, prefix: str) -> int:
    """Which of the three masters serves the first session."""
    slot = key_slot(Keyspace(prefix).session("s0").data)
    return min(slot // 5461, 2)


@pytest.fixture
def cluster(make_cluster: Callable[[], Any]) -> Any:
    """One for each test: its nodes do not survive it."""
    return make_cluster()


def test_a_master_that_is_killed_takes_nothing_with_it(cluster: Any, caplog: pytest.LogCaptureFixture) -> None:
    url = cluster.url(durability="replicas", timeout=1, deadline=60, prefix="killed")
    number = _serving(cluster, "killed")
    writers = disturb(url, lambda: os.kill(cluster.processes[number].pid, signal.SIGKILL), afterwards=12)
    assert sum(map(len, writers.acknowledged.values())) > WRITERS * 50
    assert re.search(r"a call was answered after [0-9.]+ s", caplog.text)


def test_a_master_that_stalls_and_comes_back_loses_nothing(cluster: Any) -> None:
    number = _serving(cluster, "stalled")
    process = cluster.processes[number]
    replica = cluster.node(number + 3)

    def stall() -> None:
        os.kill(process.pid, signal.SIGSTOP)
        try:
            cluster.until(lambda: replica.info("replication")["role"] == "master")
        finally:
            os.kill(process.pid, signal.SIGCONT)
        cluster.until(lambda: cluster.node(number).info("replication")["role"] == "slave")

    disturb(cluster.url(durability="replicas", timeout=1, deadline=60, prefix="stalled"), stall)


def test_a_master_that_is_stopped_for_five_seconds_loses_nothing_and_the_stall_is_told(
    cluster: Any, caplog: pytest.LogCaptureFixture
) -> None:
    number = _serving(cluster, "stopped")
    process = cluster.processes[number]
    roles: list[str] = []

    def stop() -> None:
        begin = time.monotonic()
        os.kill(process.pid, signal.SIGSTOP)
        try:
            cluster.until(lambda: time.monotonic() - begin >= STOPPED_SECONDS)
            roles.append(cluster.node(number + 3).info("replication")["role"])
        finally:
            os.kill(process.pid, signal.SIGCONT)
        cluster.until(lambda: cluster.node(number).info("replication")["role"] == "slave")

    writers = disturb(cluster.url(durability="replicas", timeout=1, deadline=60, prefix="stopped"), stop)
    assert roles == ["master"]  # long before it came back, its replica had taken its place
    assert sum(map(len, writers.acknowledged.values())) > WRITERS * 50
    assert re.search(r"a call was answered after [0-9.]+ s", caplog.text)


@pytest.mark.parametrize("durability", ["none", "replicas"])
def test_a_slot_that_moves_loses_nothing(cluster: Any, durability: str) -> None:
    prefix = f"moved-{durability}"
    source = _serving(cluster, prefix)
    target = (source + 1) % 3
    slot = key_slot(Keyspace(prefix).session("s0").data)
    nodes = [cluster.node(number) for number in range(3)]
    ids = [node.execute_command("CLUSTER MYID").decode() for node in nodes]

    def move() -> None:
        nodes[target].execute_command("CLUSTER SETSLOT", slot, "IMPORTING", ids[source])
        nodes[source].execute_command("CLUSTER SETSLOT", slot, "MIGRATING", ids[target])
        while keys := nodes[source].execute_command("CLUSTER GETKEYSINSLOT", slot, 10):
            for key in keys:
                nodes[source].execute_command("MIGRATE", "127.0.0.1", cluster.ports[target], key, 0, 5000)
        for node in (nodes[target], nodes[source]):
            node.execute_command("CLUSTER SETSLOT", slot, "NODE", ids[target])

    disturb(cluster.url(durability=durability, timeout=1, deadline=60, prefix=prefix), move)


@attrs.frozen
class Sentinels:
    """A master, two replicas, and three sentinels that watch them."""

    url: str
    servers: list[subprocess.Popen[bytes]]
    ports: list[int]
    sentinel: Any


@pytest.fixture
def sentinels(free_ports: Callable[[int], list[int]], until: Callable[..., None]) -> Iterator[Sentinels]:
    with ExitStack() as stack:
        ports = free_ports(6)
        processes = []
        for position, port in enumerate(ports):
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sk-sentinel-")))
            command = [str(server_binary())]
            if position < 3:
                command += ["--port", str(port), "--bind", "127.0.0.1", "--dir", str(directory), "--save", ""]
                command += ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
                command += ["--replicaof", f"127.0.0.1 {ports[0]}"] if position else []
            else:
                settings = (
                    f"port {port}\nbind 127.0.0.1\ndir {directory}\nsentinel monitor main 127.0.0.1 {ports[0]} 2\n"
                    "sentinel down-after-milliseconds main 500\nsentinel failover-timeout main 2000\n"
                )
                (directory / "sentinel.conf").write_text(settings)
                command += [str(directory / "sentinel.conf"), "--sentinel"]
            command += ["--logfile", str(directory / "log")]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            processes.append(process)
        sentinel: Any = redis.Redis(port=ports[3])
        until(lambda: int(redis.Redis(port=ports[0]).info("replication")["connected_slaves"]) == 2)
        until(lambda: len(sentinel.execute_command("SENTINEL REPLICAS", "main")) == 2)
        until(lambda: len(sentinel.execute_command("SENTINEL SENTINELS", "main")) == 2)
        nodes = ",".join(f"127.0.0.1:{port}" for port in ports[3:])
        url = f"redis+sentinel://{nodes}/main?durability=replicas&timeout=1&deadline=60"
        yield Sentinels(url, processes[:3], ports[:3], sentinel)


def test_sentinels_choose_another_server_and_nothing_is_lost(sentinels: Sentinels) -> None:
    disturb(sentinels.url, sentinels.servers[0].kill)


def test_a_write_on_too_few_replicas_is_told_as_such_and_stays_single(
    start_server: Any, until: Callable[..., None]
) -> None:
    server = start_server()
    url = server.url(durability="replicas", timeout=0.2, deadline=1)
    with open_store(url, on_write_error="raise") as store:
        with pytest.raises(NotReplicatedError, match="only 0 of 1 replicas"):
            store.add_message("k", "user", "one")
        assert [message.text for message in store.get_history("k")] == ["one"]
    with open_store(url) as store:
        assert store.add_message("k", "user", "two") is None
        with contextlib.suppress(Exception):
            store.save("k")
        assert [message.text for message in store.get_history("k")] == ["one", "two"]
        store.discard_held("k")
