"""sessionkit itself, with every backend and durability."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from peers.contract import BaseSession, Plain

from sessionkit import Message, SessionStore, open_store


class _Session(BaseSession):
    def __init__(self, store: SessionStore, key: str) -> None:
        self._store, self._key = store, key

    async def append(self, message: Any) -> None:
        self._store.add_full_message(self._key, message)

    async def read(self) -> Sequence[Any]:
        return self._store.get_history(self._key)

    async def last(self, count: int) -> Sequence[Any]:
        return self._store.get_history(self._key, count)

    async def fill(self, messages: Sequence[Any]) -> None:
        self._store.add_messages(self._key, messages)

    async def save(self) -> None:
        self._store.save(self._key)


class _Peer:
    """All conversations of a process share a store for each place."""

    def __init__(self, backend: str, place: str, options: Mapping[str, object]) -> None:
        self._backend, self._place, self._options = backend, place, options
        self._stores: dict[str, SessionStore] = {}
        self._turn = threading.Lock()

    def native(self, message: Plain) -> Any:
        return Message.from_dict(message)

    def plain(self, message: Any) -> Plain:
        decoded: Plain = message.to_dict()
        return decoded

    async def open(self, place: str, key: str) -> _Session:
        with self._turn:
            if place not in self._stores:
                options = {**self._options, self._place: place.removeprefix("unix://")} if self._place else {}
                source = {"backend": self._backend, "on_write_error": "raise", "backends": {self._backend: options}}
                self._stores[place] = open_store(source)
        return _Session(self._stores[place], key)

    async def shut(self) -> None:
        for store in self._stores.values():
            store.close()
        self._stores.clear()


def _made(backend: str, place: str, **options: object) -> Callable[[], _Peer]:
    return lambda: _Peer(backend, place, options)


PEERS = {
    "memory": _made("memory", ""),
    "json": _made("json", "path", autosave=True),
    "jsonl-always": _made("jsonl", "path", durability="always"),
    "jsonl-interval": _made("jsonl", "path", durability="interval"),
    "jsonl-os": _made("jsonl", "path", durability="os"),
    "redis": _made("redis", "socket"),
}
