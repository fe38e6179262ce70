"""The message histories of langchain-community. Only messages of LangChain's own kinds go in."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langchain_community.chat_message_histories import (
    FileChatMessageHistory,
    RedisChatMessageHistory,
    SQLChatMessageHistory,
)
from langchain_core.messages import convert_to_messages, convert_to_openai_messages, messages_to_dict
from peers.contract import BaseSession, Plain


class _Session(BaseSession):
    def __init__(self, history: Any) -> None:
        self._history = history

    async def append(self, message: Any) -> None:
        self._history.add_message(message)

    async def read(self) -> Sequence[Any]:
        messages: Sequence[Any] = self._history.messages
        return messages

    async def fill(self, messages: Sequence[Any]) -> None:
        self._history.add_messages(messages)


class _Peer:
    def native(self, message: Plain) -> Any:
        return convert_to_messages([{**message, "content": message.get("content") or ""}])[0]

    def plain(self, message: Any) -> Plain:
        converted: Plain = convert_to_openai_messages(message)
        return converted

    async def shut(self) -> None:
        pass


class _FileSession(_Session):
    async def fill(self, messages: Sequence[Any]) -> None:
        """What the class would have written after adding them one by one, which takes the square of their number."""
        path = self._history.file_path
        path.write_text(json.dumps([*json.loads(path.read_text()), *messages_to_dict(messages)]))


class _File(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _FileSession(FileChatMessageHistory(str(Path(place, f"{key}.json"))))


class _SQLSession(_Session):
    async def close(self) -> None:
        self._history.engine.dispose()


class _SQL(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _SQLSession(SQLChatMessageHistory(key, connection=f"sqlite:///{place}/sessions.db"))


class _RedisSession(_Session):
    async def close(self) -> None:
        self._history.redis_client.close()


class _Redis(_Peer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _RedisSession(RedisChatMessageHistory(key, url=place))


PEERS = {"file": _File, "sql": _SQL, "redis": _Redis}
