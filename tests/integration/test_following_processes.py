"""What one process writes, another that follows the session shows."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import IO

import pytest

from sessionkit import open_store

KEY = "a:1"
PATIENCE_SECONDS = 60

PROGRAM = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background is deaf to it, and so are its children
from sessionkit.__main__ import main
main()
"""


@pytest.fixture(params=["json", "jsonl", "redis"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param != "redis":
        yield f"{request.param}:{tmp_path}"
        return
    pytest.importorskip("redis")
    with tempfile.TemporaryDirectory() as short:  # the path of a socket may have about 100 bytes
        yield f"redis+embedded://{short}"


def read_until(stream: IO[str], text: str) -> str:
    """The line with a text; the end of the stream fails."""
    for line in stream:
        if text in line:
            return line
    raise AssertionError(f"ended without {text!r}")


def test_a_message_of_another_process_appears_and_ctrl_c_ends_the_following_with_status_0(url: str) -> None:
    with open_store(url, on_write_error="raise") as store:
        store.add_message(KEY, "user", "the first")
        store.save(KEY)
        command = [sys.executable, "-c", PROGRAM, "show", KEY, "--follow", "--raw", "--store", url]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as follower:
            assert follower.stdout is not None
            watchdog = Timer(PATIENCE_SECONDS, follower.kill)  # a line that never comes ends the stream, and the test
            watchdog.start()
            try:
                read_until(follower.stdout, "the first")
                for text in ("the second", "the third"):
                    store.add_message(KEY, "user", text)
                    store.save(KEY)
                    assert read_until(follower.stdout, "the ") == f'{{"role":"user","content":"{text}"}}\n'
                follower.send_signal(signal.SIGINT)
                assert follower.wait() == 0
            finally:
                watchdog.cancel()
                follower.kill()
