"""The sessions of openai-agents. Its items are plain dicts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agents import SQLiteSession
from peers.contract import BaseSession, DictPeer


class _Session(BaseSession):
    def __init__(self, session: Any) -> None:
        self._session = session

    async def append(self, message: Any) -> None:
        await self._session.add_items([message])

    async def read(self) -> Sequence[Any]:
        items: Sequence[Any] = await self._session.get_items()
        return items

    async def last(self, count: int) -> Sequence[Any]:
        items: Sequence[Any] = await self._session.get_items(count)
        return items

    async def fill(self, messages: Sequence[Any]) -> None:
        await self._session.add_items(list(messages))


class _SQLite(DictPeer):
    async def open(self, place: str, key: str) -> BaseSession:
        return _SQLiteSession(SQLiteSession(key, Path(place, "sessions.db")))


class _SQLiteSession(_Session):
    async def close(self) -> None:
        self._session.close()


class _Redis(DictPeer):
    async def open(self, place: str, key: str) -> BaseSession:
        from agents.extensions.memory import RedisSession

        return _RedisSession(RedisSession.from_url(key, url=place))


class _RedisSession(_Session):
    async def close(self) -> None:
        await self._session.close()


class _SQLAlchemy(DictPeer):
    async def open(self, place: str, key: str) -> BaseSession:
        from agents.extensions.memory import SQLAlchemySession

        url = f"sqlite+aiosqlite:///{place}/sessions.db"
        return _SQLAlchemySession(SQLAlchemySession.from_url(key, url=url, create_tables=True))


class _SQLAlchemySession(_Session):
    async def close(self) -> None:
        await self._session.engine.dispose()


PEERS = {"sqlite": _SQLite, "redis": _Redis, "sqlalchemy": _SQLAlchemy}
