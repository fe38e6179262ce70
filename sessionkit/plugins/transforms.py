"""``Transform``: what an extension implements that changes content on its way to the storage and back."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal["message", "summary", "metadata"]
"""What the items are: messages and metadata are JSON objects (dicts), a summary is a string."""


class Encoded(Struct, frozen=True):
    """An item that has to be decoded on reading.

    Attributes:
        payload: any JSON value, from which :meth:`Transform.decode` restores the item.
    """

    payload: Any


class Transform(ABC):
    """Encodes items before they are stored and decodes them after they were read.

    An item that was returned as :class:`Encoded` is stored under the transform's name, and given back to the
    same transform on reading; a message keeps its role readable. An item returned plain (redacted, or passed
    through) is stored as it is, and not decoded.
    """

    @abstractmethod
    def encode(self, key: str, kind: Kind, items: Sequence[Any]) -> Sequence[Any]:
        """One item out for each item in, in order: a plain item of the same kind, or an :class:`Encoded`."""

    @abstractmethod
    def decode(self, key: str, kind: Kind, payloads: Sequence[Any]) -> Sequence[Any]:
        """The items of these payloads, in order."""

    def close(self) -> None:  # noqa: B027 - optional
        """Release what the transform holds."""
