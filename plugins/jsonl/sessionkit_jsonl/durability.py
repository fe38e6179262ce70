"""When what was appended reaches the disk: before the write returns, in the background, or when it is asked for."""

from __future__ import annotations

import logging
import threading
from typing import Final

from sessionkit_jsonl.files import Files, OpenFile

log: Final = logging.getLogger("sessionkit.jsonl")


class Durability:
    """The files that were appended to and are not synced yet.

    Attributes:
        at_once: whether what is appended is synced before the append returns.

    Args:
        files: makes the calls.
        directory: where the sessions are.
        mode: ``always``, ``interval`` or ``os``.
        interval: seconds between two syncs in the background.
    """

    def __init__(self, files: Files, directory: str, mode: str, interval: float) -> None:
        self._files = files
        self._directory = directory
        self.at_once = mode == "always"
        self._mode = mode
        self._interval = interval
        self._lock = threading.Lock()
        self._unsynced: dict[str, tuple[str, OpenFile]] = {}
        self._failed: dict[str, tuple[str, OSError]] = {}
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def appended(self, key: str, file: OpenFile) -> None:
        """Called after each append to a session: syncs now, or sees to it that it is done later."""
        if self.at_once:
            self._files.sync_data(file)
            return
        known = self._unsynced.get(file.path)
        if known is not None and known[1] is file:  # whoever syncs it took it out before, or will do so
            return
        with self._lock:
            self._unsynced[file.path] = key, file
            self._start()

    def named(self) -> None:
        """Called after a file got its name: makes that durable, in every mode.

        What is done next relies on it. A name that came to the disk later would let messages appear under
        another session's key, or truncated ones come back.
        """
        self._files.sync_directory(self._directory)

    def _start(self) -> None:
        if self._mode == "interval" and self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sessionkit-jsonl-sync", daemon=True)
            self._thread.start()

    def settle(self, file: OpenFile) -> None:
        """Sync a file now, whoever wrote to it.

        Raises:
            OSError: this sync failed, or one in the background did. What the kernel then says of a later sync is
                no answer: the file has to be written anew.
        """
        with self._lock:
            self._unsynced.pop(file.path, None)
            failed = self._failed.get(file.path)
        if failed is not None:
            raise failed[1]
        self._files.sync_data(file)

    def replaced(self, path: str) -> None:
        """Called when a synced file took the place of another one, or a file was removed."""
        with self._lock:
            self._unsynced.pop(path, None)
            self._failed.pop(path, None)

    def unsettled(self) -> list[str]:
        """The sessions that are not known to be on disk."""
        with self._lock:
            return sorted({key for key, _ in (*self._unsynced.values(), *self._failed.values())})

    def stop(self) -> None:
        """End the work in the background; what is unsynced stays so."""
        self._stop.set()
        thread = self._thread
        if thread is not None:
            thread.join()

    def _work(self) -> None:
        while not self._stop.wait(self._interval):
            self.sync_all()

    def sync_all(self) -> None:
        """Sync what was appended. A failure is told by the next :meth:`settle` of its file."""
        with self._lock:
            unsynced, self._unsynced = self._unsynced, {}
        for path, (key, file) in unsynced.items():
            try:
                self._files.sync_data(file)
            except OSError as error:
                log.error("%s could not be synced: %s", path, error.strerror)  # noqa: TRY400 - no fault of the program
                with self._lock:
                    self._failed[path] = key, error
