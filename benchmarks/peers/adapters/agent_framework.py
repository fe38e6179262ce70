"""The history providers of agent-framework."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from agent_framework import Content, FileHistoryProvider, Message
from peers.contract import BaseSession, Plain


class _Session(BaseSession):
    def __init__(self, provider: Any, key: str) -> None:
        self._provider, self._key = provider, key

    async def append(self, message: Any) -> None:
        await self._provider.save_messages(self._key, [message])

    async def read(self) -> Sequence[Any]:
        messages: Sequence[Any] = await self._provider.get_messages(self._key)
        return messages

    async def fill(self, messages: Sequence[Any]) -> None:
        await self._provider.save_messages(self._key, messages)


class _Peer:
    def native(self, message: Plain) -> Any:
        if message["role"] == "tool":
            result = Content.from_function_result(message["tool_call_id"], result=message.get("content") or "")
            return Message("tool", [result])
        contents = [Content.from_text(message["content"])] if message.get("content") else []
        for call in message.get("tool_calls") or []:
            function = call["function"]
            contents.append(Content.from_function_call(call["id"], function["name"], arguments=function["arguments"]))
        return Message(message["role"], contents)

    def plain(self, message: Any) -> Plain:
        plain: Plain = {"role": str(message.role), "content": "", "tool_calls": []}
        for content in message.contents:
            if content.type == "text":
                plain["content"] += content.text
            elif content.type == "function_call":
                function = {"name": content.name, "arguments": content.arguments}
                plain["tool_calls"].append({"id": content.call_id, "function": function})
            else:
                plain.update(tool_call_id=content.call_id, content=content.result)
        return plain

    async def shut(self) -> None:
        pass


class _File(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _Session(FileHistoryProvider(place), key)


class _RedisSession(_Session):
    async def close(self) -> None:
        await self._provider.aclose()


class _Redis(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        from agent_framework_redis import RedisHistoryProvider

        return _RedisSession(RedisHistoryProvider(redis_url=place, application_id="app"), key)


PEERS = {"file": _File, "redis": _Redis}
