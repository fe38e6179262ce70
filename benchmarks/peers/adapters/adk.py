"""The DatabaseSessionService of Google ADK on SQLite: a message is an event."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from google.adk.events import Event
from google.adk.sessions import DatabaseSessionService
from google.adk.sessions.base_session_service import GetSessionConfig
from google.genai import types
from peers.contract import BaseSession, Plain

WHO = {"app_name": "app", "user_id": "user"}


class _Session(BaseSession):
    """`append_event` goes on from a session that was read or written by this object."""

    def __init__(self, service: Any, session: Any) -> None:
        self._service, self._session = service, session

    async def append(self, message: Any) -> None:
        await self._service.append_event(self._session, message)

    async def read(self) -> Sequence[Any]:
        return await self._get(None)

    async def last(self, count: int) -> Sequence[Any]:
        return await self._get(GetSessionConfig(num_recent_events=count))

    async def _get(self, config: Any) -> Sequence[Any]:
        self._session = await self._service.get_session(**WHO, session_id=self._session.id, config=config)
        events: Sequence[Any] = list(self._session.events)
        return events

    async def close(self) -> None:
        await self._service.close()


class _Peer:
    def native(self, message: Plain) -> Any:
        """Contents of Gemini: the roles are user and model, and the author tells the rest."""
        role = message["role"]
        parts = [types.Part(text=message["content"])] if message.get("content") else []
        if role == "tool":
            answer = {"result": message.get("content") or ""}
            response = types.FunctionResponse(id=message["tool_call_id"], name=message.get("name"), response=answer)
            parts = [types.Part(function_response=response)]
        for call in message.get("tool_calls") or []:
            function = call["function"]
            asked = types.FunctionCall(id=call["id"], name=function["name"], args=json.loads(function["arguments"]))
            parts.append(types.Part(function_call=asked))
        content = types.Content(role="model" if role == "assistant" else "user", parts=parts)
        return Event(author=role, content=content, invocation_id="run")

    def plain(self, message: Any) -> Plain:
        plain: Plain = {"role": message.author, "content": "", "tool_calls": []}
        for part in message.content.parts or []:
            plain["content"] += part.text or ""
            if part.function_call:
                call = part.function_call
                plain["tool_calls"].append({"id": call.id, "function": {"name": call.name, "arguments": call.args}})
            if part.function_response:
                plain["tool_call_id"] = part.function_response.id
                plain["content"] = part.function_response.response["result"]
        return plain

    async def open(self, place: str, key: str) -> BaseSession:
        service = DatabaseSessionService(f"sqlite+aiosqlite:///{place}/sessions.db")
        session = await service.get_session(**WHO, session_id=key)
        if session is None:
            try:
                session = await service.create_session(**WHO, session_id=key)
            except Exception:  # another process made it meanwhile: then it is there, and else this raises
                session = await service.get_session(**WHO, session_id=key)
        return _Session(service, session)

    async def shut(self) -> None:
        pass


PEERS = {"sqlite": _Peer}
