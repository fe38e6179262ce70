"""What an adapter offers, whatever store it stands for. It needs the standard library alone, as all of this package."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

Plain: TypeAlias = dict[str, Any]
"""A message as the chat completions of OpenAI have it."""


class Session(Protocol):
    """One conversation in a store. What it takes and gives are messages of the store's own kind."""

    async def append(self, message: Any) -> None:
        """Store a message, as durably as the store does that."""

    async def read(self) -> Sequence[Any]:
        """The whole history."""

    async def last(self, count: int) -> Sequence[Any]:
        """The last messages: by a call for that, where the store has one."""

    async def fill(self, messages: Sequence[Any]) -> None:
        """Store many messages in the quickest way. This is not measured."""

    async def save(self) -> None:
        """The end of a turn."""

    async def close(self) -> None:
        """Give back what was opened for this conversation."""


class Peer(Protocol):
    """A store."""

    def native(self, message: Plain) -> Any:
        """A message of the store's own kind. This is not measured: an agent of that framework has such messages."""

    def plain(self, message: Any) -> Plain:
        """The way back."""

    async def open(self, place: str, key: str) -> Session:
        """A conversation in a directory, or on a server (``unix://...``)."""

    async def shut(self) -> None:
        """Close what the conversations of this process share."""


class DictPeer:
    """For stores that take plain dicts, and share nothing."""

    def native(self, message: Plain) -> Any:
        """The message itself."""
        return message

    def plain(self, message: Any) -> Plain:
        """The message itself."""
        return dict(message)

    async def shut(self) -> None:
        """Nothing is shared."""


class BaseSession:
    """What a store without calls of its own for it does."""

    async def append(self, message: Any) -> None:
        """Every store has its own way."""
        await self.fill([message])

    async def read(self) -> Sequence[Any]:
        """Every store has its own way."""
        return []

    async def last(self, count: int) -> Sequence[Any]:
        """Read everything, and take the end."""
        return (await self.read())[-count:]

    async def fill(self, messages: Sequence[Any]) -> None:
        """One after the other."""
        for message in messages:
            await self.append(message)

    async def save(self) -> None:
        """Nothing is left to do."""

    async def close(self) -> None:
        """Nothing was opened."""


def peer(adapter: str) -> Peer:
    """The store that ``module:name`` says: the module is one of `adapters`, the name one of its `PEERS`."""
    module, _, name = adapter.partition(":")
    made: Peer = importlib.import_module(f"peers.adapters.{module}").PEERS[name]()
    return made
