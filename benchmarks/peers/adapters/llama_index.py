"""The chat stores of llama_index. The simple one keeps everything in memory, and is persisted after each message."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from llama_index.core.base.llms.types import ChatMessage, TextBlock, ToolCallBlock
from llama_index.core.storage.chat_store import SimpleChatStore
from peers.contract import BaseSession, Plain


class _Session(BaseSession):
    def __init__(self, store: Any, key: str) -> None:
        self._store, self._key = store, key

    async def append(self, message: Any) -> None:
        self._store.add_message(self._key, message)

    async def read(self) -> Sequence[Any]:
        messages: Sequence[Any] = self._store.get_messages(self._key)
        return messages


class _SimpleSession(_Session):
    """A file for each conversation: one for all would be written whole for each message of any."""

    def __init__(self, path: Path, key: str) -> None:
        super().__init__(SimpleChatStore.from_persist_path(str(path)), key)
        self._path = str(path)

    async def append(self, message: Any) -> None:
        await self.fill([message])

    async def fill(self, messages: Sequence[Any]) -> None:
        for message in messages:
            self._store.add_message(self._key, message)
        self._store.persist(self._path)


class _Peer:
    def native(self, message: Plain) -> Any:
        blocks: list[Any] = [TextBlock(text=message["content"])] if message.get("content") else []
        for call in message.get("tool_calls") or []:
            function = call["function"]
            arguments = function["arguments"]
            blocks.append(ToolCallBlock(tool_call_id=call["id"], tool_name=function["name"], tool_kwargs=arguments))
        extra = {name: message[name] for name in ("tool_call_id", "name") if message.get(name)}
        return ChatMessage(role=message["role"], blocks=blocks, additional_kwargs=extra)

    def plain(self, message: Any) -> Plain:
        calls = [
            {"id": block.tool_call_id, "function": {"name": block.tool_name, "arguments": block.tool_kwargs}}
            for block in message.blocks
            if block.block_type == "tool_call"
        ]
        return {
            **message.additional_kwargs,
            "role": message.role.value,
            "content": message.content,
            "tool_calls": calls,
        }

    async def shut(self) -> None:
        pass


class _Simple(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _SimpleSession(Path(place, f"{key}.json"), key)


class _Redis(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        from llama_index.storage.chat_store.redis import RedisChatStore

        return _Session(RedisChatStore(redis_url=place), key)


PEERS = {"simple": _Simple, "redis": _Redis}
