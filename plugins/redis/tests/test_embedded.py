"""A server that lives as long as the program."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from sessionkit_redis.embedded import EmbeddedServer

from sessionkit import ConfigError, open_store

KEY = "k"


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory whose path is short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="sk-embedded-") as name:
        yield Path(name, "data")


def test_what_was_written_is_there_when_the_server_starts_again(directory: Path) -> None:
    for number in range(2):
        with open_store(f"redis+embedded://{directory}") as store:
            store.add_message(KEY, "user", str(number))
    with open_store(f"redis+embedded://{directory}") as store:
        assert [message.text for message in store.get_history(KEY)] == ["0", "1"]


def test_a_second_store_uses_the_server_of_the_first_and_outlives_it(directory: Path) -> None:
    first = open_store(f"redis+embedded://{directory}")
    with open_store(f"redis+embedded://{directory}", on_write_error="raise") as second:
        first.add_message(KEY, "user", "first")
        second.add_message(KEY, "user", "second")
        first.close()
        second.add_message(KEY, "user", "third")
        assert [message.text for message in second.get_history(KEY)] == ["first", "second", "third"]


def test_the_server_ends_with_a_program_that_is_killed(directory: Path) -> None:
    program = (
        "import sys; from sessionkit import open_store; "
        f"store = open_store('redis+embedded://{directory}'); store.add_message('k', 'user', 'one'); "
        "print('ready', flush=True); sys.stdin.read()"
    )
    process = subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"ready\n"
        os.kill(process.pid, signal.SIGKILL)
    with (directory / "server.lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # the server has it as long as it lives
    with open_store(f"redis+embedded://{directory}") as store:
        assert [message.text for message in store.get_history(KEY)] == ["one"]


def test_the_directory_is_private(directory: Path) -> None:
    EmbeddedServer(directory).close()
    assert directory.stat().st_mode & 0o777 == 0o700


def test_a_path_too_long_for_a_socket_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="too long for a socket"):
        open_store(f"redis+embedded://{tmp_path}/{'x' * 100}")
