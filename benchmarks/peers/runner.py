"""Lets every contender do the work, in processes of its own, within a time; what it found becomes one JSON file."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from time import monotonic, perf_counter, strftime
from typing import Any, Final

from peers import environments, tracing
from peers.catalogue import CONTENDERS, Contender
from peers.work import SIZES
from peers.worker import SYNCED_APPENDS

ONE_CONTENDER: Final = {"tiny": 60.0, "fast": 75.0, "full": 300.0}
"""The most seconds for the work of one contender. What it has not done by then is missing."""
REOPENINGS: Final = {"tiny": 1, "fast": 2, "full": 5}


class Run:
    """One run over some contenders, ending in time."""

    def __init__(self, directory: Path, size: str, seconds: float, *, progress: bool = True) -> None:
        self._environments, self._size, self._progress = directory, size, progress
        self._end = monotonic() + seconds

    def all(self, contenders: Sequence[Contender] = CONTENDERS) -> dict[str, Any]:
        """The results of everybody."""
        for contender in contenders:  # installing is not what the time is for
            self._interpreter(contender)
        found: dict[str, Any] = {
            "when": strftime("%Y-%m-%d %H:%M"),
            "size": self._size,
            "machine": machine(),
            "versions": {},
            "contenders": {},
        }
        with tempfile.TemporaryDirectory(prefix="skpeers-") as directory, server(Path(directory)) as (socket, pid):
            found["machine"]["server"] = _server_version(socket)
            for contender in contenders:
                self._say(contender.title)
                result = self._one(contender, Path(directory), socket, pid, found["versions"])
                found["contenders"][contender.title] = {
                    "adapter": contender.adapter,
                    "where": contender.where,
                    **result,
                }
        return found

    def _interpreter(self, contender: Contender) -> Path | None:
        try:
            return environments.python(self._environments, contender.environment)
        except environments.InstallError as error:
            self._say(f"{contender.title}: {error}")
            return None

    def _one(
        self, contender: Contender, directory: Path, socket: str, pid: int, versions: dict[str, Any]
    ) -> dict[str, Any]:
        try:
            interpreter = environments.python(self._environments, contender.environment)
            versions[contender.environment] = environments.versions(interpreter, contender.environment)
        except environments.InstallError as error:
            return {"failed": str(error), "cells": {}}
        if monotonic() > self._end:
            return {"failed": "the time of the whole run was over", "cells": {}}
        result: dict[str, Any] = {"floor": floor(directory), "cells": {}}
        at_server = contender.where == "server"
        if at_server:
            _flush(socket)
        with tempfile.TemporaryDirectory(dir=directory) as own:
            place = f"unix://{socket}" if at_server else own
            command = [str(interpreter), "-m", "peers.worker"]
            begin = monotonic()
            reason = self._everything([*command, "everything", contender.adapter, place, self._size], result["cells"])
            if reason:
                result["failed"] = reason
            if contender.where != "memory" and not reason:
                self._reopened(command, contender, place, result["cells"])
            result["syncs"] = self._syncs(command, contender, place, pid if at_server else None)
            result["took"] = round(monotonic() - begin, 1)
        return result

    def _left(self) -> float:
        return max(1.0, min(ONE_CONTENDER[self._size], self._end - monotonic()))

    def _everything(self, command: list[str], cells: dict[str, Any]) -> str:
        """Run the worker and take in what it prints. The reason why it did not do all, if so."""
        with tempfile.TemporaryFile("w+") as complaints:
            process = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=complaints, text=True, env=environments.variables()
            )
            try:
                output = process.communicate(timeout=self._left())[0]
            except subprocess.TimeoutExpired:
                process.kill()
                output = process.communicate()[0]
            for line in output.splitlines():
                if line.startswith('{"cell"'):
                    cell = json.loads(line)
                    cells[cell.pop("cell")] = cell
            if process.returncode == 0:
                return ""
            if process.returncode < 0:
                return "its time was over before it had done everything"
            complaints.seek(0)
            return _last_line(complaints.read())

    def _reopened(self, command: list[str], contender: Contender, place: str, cells: dict[str, Any]) -> None:
        length = SIZES[self._size].histories[-1]
        if f"read {length}" not in cells:
            return  # it did not get there: what a shorter session takes compares with nothing
        again: list[dict[str, Any]] = []
        for _ in range(REOPENINGS[self._size]):
            found: dict[str, Any] = {}
            arguments = ["reopen", contender.adapter, place, self._size, f"long-{length}-0"]
            if self._everything([*command, *arguments], found):
                return
            again.append(found["reopen"])
        cells["reopen"] = {"seconds": [cell["seconds"][0] for cell in again]}
        cells["opening"] = {"seconds": [cell["opening"][0] for cell in again]}

    def _syncs(self, command: list[str], contender: Contender, place: str, pid: int | None) -> dict[str, float] | None:
        """Syncs by name for one append."""
        try:
            counted = tracing.syncs(
                [*command, "syncs", contender.adapter, place, self._size], environments.variables(), self._left(), pid
            )
        except subprocess.TimeoutExpired:
            return None
        return None if counted is None else {name: number / SYNCED_APPENDS for name, number in counted.items()}

    def _say(self, text: str) -> None:
        if self._progress:
            print(f"{strftime('%H:%M:%S')} {text}", flush=True)


def _last_line(text: str) -> str:
    lines = [line for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it ended without a word"


def floor(directory: Path) -> list[float]:
    """What a bare write of 400 bytes and a sync take now, in seconds: it tells of the disk, and who uses it."""
    path = directory / "floor"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    seconds = []
    try:
        for _ in range(30):
            begin = perf_counter()
            os.write(descriptor, b"x" * 400)
            os.fdatasync(descriptor)
            seconds.append(perf_counter() - begin)
    finally:
        os.close(descriptor)
    path.unlink()
    return [median(seconds)]


def machine() -> dict[str, Any]:
    """What the figures were taken on."""
    return {"system": f"{platform.system()} {platform.machine()}", "cores": os.cpu_count()}


@contextmanager
def server(directory: Path) -> Iterator[tuple[str, int]]:
    """The server of the extra `embedded`, which syncs each write before it answers: its socket and its process."""
    import redis
    from sessionkit_redis.embedded import EmbeddedServer

    running = EmbeddedServer(directory / "server")
    try:
        with redis.Redis(unix_socket_path=str(running.socket)) as client:
            pid = int(client.info("server")["process_id"])
        yield str(running.socket), pid
    finally:
        running.close()


def _server_version(socket: str) -> str:
    import redis

    with redis.Redis(unix_socket_path=socket) as client:
        about = client.info("server")
    return f"{about.get('server_name', 'redis')} {about.get('valkey_version', about['redis_version'])}"


def _flush(socket: str) -> None:
    import redis

    with redis.Redis(unix_socket_path=socket) as client:
        client.flushall()
