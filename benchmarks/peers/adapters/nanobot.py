"""The sessions of nanobot: a file of lines that is written whole at each save. `fsync` is asked for, as at its end."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nanobot.session.manager import SessionManager
from peers.contract import BaseSession, DictPeer


class _Session(BaseSession):
    def __init__(self, place: str, key: str, *, fsync: bool) -> None:
        self._manager = SessionManager(Path(place, "workspace"), sessions_root=Path(place, "sessions"))
        self._session = self._manager.get_or_create(key)
        self._fsync = fsync

    async def append(self, message: Any) -> None:
        await self.fill([message])

    async def read(self) -> Sequence[Any]:
        messages: Sequence[Any] = list(self._session.messages)
        return messages

    async def fill(self, messages: Sequence[Any]) -> None:
        self._session.messages.extend(dict(message) for message in messages)
        self._manager.save(self._session, fsync=self._fsync)


class _Peer(DictPeer):
    fsync = False

    async def open(self, place: str, key: str) -> BaseSession:
        return _Session(place, key, fsync=self.fsync)


class _Synced(_Peer):
    fsync = True


PEERS = {"default": _Peer, "fsync": _Synced}
