"""Small file backends for the crash checker: two that keep their promise, and what can be left out of them."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sessionkit.errors import CorruptSessionError
from sessionkit.hookspecs import hookimpl
from sessionkit.messages import Message
from sessionkit.operations import check_conditions
from sessionkit.sessions import ABSENT, SessionPage, Version
from sessionkit.state import SessionState
from sessionkit.state_backend import StateBackend

_FIELDS = ("summary", "created", "updated", "metadata", "version", "generation")


class FileBackend(StateBackend):
    """Reads all sessions from the disk for each operation, and stores the one that was changed."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path = path
        if not path.is_dir():
            path.mkdir()
            sync_directory(path.parent)

    def load(self) -> dict[str, SessionState]:
        raise AssertionError("a subclass reads")

    def store(self, state: SessionState) -> None:
        raise AssertionError("a subclass writes")

    @contextmanager
    def reading(self, key: str) -> Iterator[SessionState]:
        yield self.load().get(key) or SessionState(key=key, fresh=self.fresh)

    @contextmanager
    def writing(self, key: str) -> Iterator[SessionState]:
        with self.reading(key) as state:
            before = state.version
            yield state
            if state.version != before:
                self.store(state)

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        states = self.load()
        keys = sorted(key for key in states if key.startswith(prefix) and (cursor is None or key > cursor))
        return SessionPage(
            sessions=[states[key].info() for key in keys[:limit]], next=keys[limit - 1] if len(keys) > limit else None
        )

    @hookimpl
    def sessionkit_delete_session(self, key: str, if_version: Version | None) -> bool:
        states = self.load()
        check_conditions(states.get(key) or SessionState(key=key, fresh=self.fresh), if_version=if_version)
        if key not in states:
            return False
        self.store(SessionState(key=key, fresh=self.fresh))
        return True

    def encode(self, state: SessionState) -> dict[str, Any]:
        fields = {name: getattr(state, name) for name in _FIELDS}
        return {"key": state.key, "messages": [message.to_dict() for message in state.messages], **fields}

    def decode(self, record: dict[str, Any]) -> SessionState:
        messages = [Message.from_dict(message) for message in record["messages"]]
        fields = {name: record[name] for name in _FIELDS}
        return SessionState(key=record["key"], fresh=self.fresh, messages=messages, **fields)


class LogBackend(FileBackend):
    """Appends the changed session to a log; of several records of a session, the last one counts."""

    seals = True
    syncs = "before returning"

    def load(self) -> dict[str, SessionState]:
        states: dict[str, SessionState] = {}
        for line in self.lines():
            try:
                state = self.decode(json.loads(line))
            except ValueError:  # torn
                continue
            states[state.key] = state
        return {key: state for key, state in states.items() if state.version != ABSENT}

    def lines(self) -> list[bytes]:
        log = self.path / "log"
        return log.read_bytes().splitlines() if log.exists() else []

    def store(self, state: SessionState) -> None:
        self.append(json.dumps(self.encode(state)).encode() + b"\n")

    def append(self, record: bytes) -> None:
        log = self.path / "log"
        is_new = not log.exists()
        if self.seals and not is_new and not log.read_bytes().endswith(b"\n"):
            record = b"\n" + record
        descriptor = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            if self.syncs == "next time":
                os.fdatasync(descriptor)
            os.write(descriptor, record)
            if self.syncs == "before returning":
                os.fdatasync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_directory(self.path)


class GluingLog(LogBackend):
    seals = False


class UnsyncedLog(LogBackend):
    syncs = "never"


class LaggingLog(LogBackend):
    syncs = "next time"


class CountedLog(LogBackend):
    """Says in a file of its own how many records there are, before they are."""

    def lines(self) -> list[bytes]:
        count = self.path / "count"
        lines = super().lines()
        if count.exists() and int(count.read_text()) > len(lines):
            raise CorruptSessionError(f"{count} counts more records than there are")
        return lines

    def append(self, record: bytes) -> None:
        replace(self.path / "count", str(len(super().lines()) + 1).encode())
        super().append(record)


class DocumentBackend(FileBackend):
    """Replaces one document that holds everything."""

    syncs_file = True
    syncs_directory = True

    def load(self) -> dict[str, SessionState]:
        document = self.path / "all.json"
        if not document.exists():
            return {}
        return {record["key"]: self.decode(record) for record in json.loads(document.read_text())}

    def store(self, state: SessionState) -> None:
        states = {**self.load(), state.key: state}
        records = [self.encode(state) for state in states.values() if state.version != ABSENT]
        replace(
            self.path / "all.json",
            json.dumps(records).encode(),
            sync_file=self.syncs_file,
            sync_entries=self.syncs_directory,
        )


class UnsyncedDocument(DocumentBackend):
    syncs_file = False


class UnsyncedDirectory(DocumentBackend):
    syncs_directory = False


class DeferredDocument(DocumentBackend):
    """Keeps everything in memory until it is saved."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.states = super().load()

    def load(self) -> dict[str, SessionState]:
        return self.states if hasattr(self, "states") else super().load()

    def store(self, state: SessionState) -> None:
        if state.version == ABSENT:
            del self.states[state.key]
        else:
            self.states[state.key] = state

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        records = [self.encode(state) for state in self.states.values()]
        replace(self.path / "all.json", json.dumps(records).encode())
        return True

    @hookimpl
    def sessionkit_close(self) -> None:
        self.sessionkit_save("")


class ForgetfulDocument(DeferredDocument):
    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        return True

    @hookimpl
    def sessionkit_close(self) -> None:
        super().sessionkit_save("")


class PicoclawStore(FileBackend):
    """Makes picoclaw's calls in picoclaw's order: a log of messages for each session, and a document beside it."""

    syncs = True

    def load(self) -> dict[str, SessionState]:
        return {path.name.removesuffix(".meta.json"): self._read(path) for path in self.path.glob("*.meta.json")}

    def _read(self, path: Path) -> SessionState:
        record = json.loads(path.read_bytes())
        lines = self._lines(record["key"])[record["skip"] :]
        return self.decode({**record, "messages": [message for line in lines if (message := _decoded(line))]})

    def _lines(self, key: str) -> list[bytes]:
        log = self.path / f"{key}.jsonl"
        return [line for line in log.read_bytes().splitlines() if line] if log.exists() else []

    def store(self, state: SessionState) -> None:
        before = self.load().get(state.key) or SessionState(key=state.key, fresh=self.fresh)
        kept, now = len(before.messages), len(state.messages)
        skip = self._skip(state.key)
        if now >= kept and state.messages[:kept] == before.messages:
            for message in state.messages[kept:]:
                self._append(state.key, _line(message))
            self._write_meta(state, skip)
        elif state.messages == before.messages[kept - now :]:
            self._write_meta(state, skip + kept - now)
        else:
            self._write_meta(state, 0)
            replace(self.path / f"{state.key}.jsonl", b"".join(map(_line, state.messages)))

    def _skip(self, key: str) -> int:
        path = self.path / f"{key}.meta.json"
        return int(json.loads(path.read_bytes())["skip"]) if path.exists() else 0

    def _append(self, key: str, line: bytes) -> None:
        descriptor = os.open(self.path / f"{key}.jsonl", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        try:
            os.write(descriptor, line)
            if self.syncs:
                os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _write_meta(self, state: SessionState, skip: int) -> None:
        record = {**self.encode(state), "skip": skip}
        del record["messages"]
        replace(self.path / f"{state.key}.meta.json", json.dumps(record).encode())


class UnsyncedLines(PicoclawStore):
    """Syncs messages only when it is told to save; glues none to a torn one."""

    syncs = False

    def _append(self, key: str, line: bytes) -> None:
        super()._append(key, b"\n" + line)

    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        with open(self.path / f"{key}.jsonl", "rb") as log:
            os.fsync(log.fileno())
        sync_directory(self.path)
        return True

    @hookimpl
    def sessionkit_close(self) -> None:
        for key in self.load():
            self.sessionkit_save(key)


class ForgetfulLines(UnsyncedLines):
    @hookimpl
    def sessionkit_save(self, key: str) -> bool:
        return True

    @hookimpl
    def sessionkit_close(self) -> None:
        for key in self.load():
            super().sessionkit_save(key)


def _line(message: Message) -> bytes:
    return json.dumps(message.to_dict()).encode() + b"\n"


def _decoded(line: bytes) -> dict[str, Any] | None:
    try:
        message: dict[str, Any] = json.loads(line)
    except ValueError:
        return None
    return message


def replace(path: Path, data: bytes, *, sync_file: bool = True, sync_entries: bool = True) -> None:
    temporary = path.with_suffix(".tmp")
    with open(temporary, "wb") as file:
        file.write(data)
        file.flush()
        if sync_file:
            os.fsync(file.fileno())
    temporary.replace(path)
    if sync_entries:
        sync_directory(path.parent)


def sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
