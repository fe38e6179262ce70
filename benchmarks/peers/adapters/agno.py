"""The databases of agno: it keeps runs, and here each message is a run of its own, so that it is kept at once."""

from __future__ import annotations

import itertools
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agno.db.base import SessionType
from agno.db.json import JsonDb
from agno.db.sqlite import SqliteDb
from agno.models.message import Message
from agno.run.agent import RunOutput
from agno.session import AgentSession
from peers.contract import BaseSession, Plain

_NUMBERS = itertools.count()


class _Session(BaseSession):
    def __init__(self, database: Any, key: str) -> None:
        self._database, self._key = database, key
        found = database.get_session(key, SessionType.AGENT)
        if found is None:
            database.upsert_session(AgentSession(session_id=key, agent_id="agent", runs=[]))
        self._next = len(found.runs or []) if found else 0

    async def append(self, message: Any) -> None:
        run = RunOutput(
            run_id=f"{os.getpid()}-{next(_NUMBERS)}", agent_id="agent", session_id=self._key, messages=[message]
        )
        self._database.upsert_run(run, self._key, run_index=self._next)
        self._next += 1

    async def read(self) -> Sequence[Any]:
        return self._messages(None)

    async def last(self, count: int) -> Sequence[Any]:
        return self._messages(count)

    def _messages(self, limit: int | None) -> Sequence[Any]:
        session = self._database.get_session(self._key, SessionType.AGENT, runs_limit=limit)
        return [message for run in session.runs or [] for message in run.messages or []]


class _SqliteSession(_Session):
    async def close(self) -> None:
        self._database.close()


class _Peer:
    def native(self, message: Plain) -> Any:
        return Message(
            **{name: message.get(name) for name in ("role", "content", "tool_calls", "tool_call_id")},
            tool_name=message.get("name"),
        )

    def plain(self, message: Any) -> Plain:
        return {name: getattr(message, name) for name in ("role", "content", "tool_calls", "tool_call_id")}

    async def shut(self) -> None:
        pass


class _SQLite(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _SqliteSession(SqliteDb(db_file=str(Path(place, "sessions.db"))), key)


class _JSON(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _JSONSession(JsonDb(db_path=place), key)


class _JSONSession(_Session):
    async def fill(self, messages: Sequence[Any]) -> None:
        """What upserting the runs one by one would have written, which takes the square of their number."""
        await self.append(messages[0])
        rows = self._database._read_runs_file()
        row = rows[-1]
        for message in messages[1:]:
            data = {**row["run_data"], "run_id": f"{os.getpid()}-{next(_NUMBERS)}", "messages": [message.to_dict()]}
            rows.append({**row, "run_id": data["run_id"], "run_index": self._next, "run_data": data})
            self._next += 1
        self._database._write_runs_file(json.loads(json.dumps(rows, default=str)))


PEERS = {"sqlite": _SQLite, "json": _JSON}
