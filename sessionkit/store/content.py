"""The transforms of a store in a chain, and the marks by which stored items name them.

An encoded item carries the mark ``_sessionkit`` with the name of the transform that encoded it, so that
reading never depends on the configured order, and an item whose transform is missing is an error instead of
ciphertext shown as a conversation. An item of the caller's own that looks marked is stored under the mark of
no transform, and comes back as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias, TypeVar

import attrs

from sessionkit import codec
from sessionkit.errors import DecodeError, MissingTransformError, StoreError
from sessionkit.messages import Message
from sessionkit.plugins.transforms import Encoded, Kind, Transform
from sessionkit.sessions import Session, SessionInfo, Unchanged

MARK: Final = "_sessionkit"
_SUMMARY_MARK: Final = "_sessionkit:"
_LITERAL: Final = ""

_Info = TypeVar("_Info", bound=SessionInfo)
_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class ContentChain:
    """Encodes what goes to the backend in the configured order, and decodes what comes from it by its marks."""

    def __init__(self, transforms: Sequence[tuple[str, Transform]] = ()) -> None:
        self._transforms = tuple(transforms)
        self._by_name = dict(transforms)

    def encode_messages(self, key: str, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages as they are stored; the very same ones when there is nothing to do."""
        if not self._transforms and not _any_marked(messages):
            return messages
        items = [message.to_dict() for message in messages]
        return [Message.from_dict(item) for item in self._encode(key, "message", items)]

    def decode_messages(self, key: str, messages: Sequence[Message]) -> Sequence[Message]:
        """The messages as they were written; the very same ones when none is marked."""
        if not _any_marked(messages):
            return messages
        items = [message.to_dict() for message in messages]
        return [Message.from_dict(item) for item in self._decode(key, "message", items)]

    def encode_summary(self, key: str, summary: str | _Unchanged) -> str | _Unchanged:
        if not isinstance(summary, str) or (not self._transforms and not summary.startswith(_SUMMARY_MARK)):
            return summary
        encoded: str = self._encode(key, "summary", [summary])[0]
        return encoded

    def encode_metadata(self, key: str, metadata: dict[str, Any] | _Unchanged) -> dict[str, Any] | _Unchanged:
        if not isinstance(metadata, dict) or (not self._transforms and MARK not in metadata):
            return metadata
        encoded: dict[str, Any] = self._encode(key, "metadata", [metadata])[0]
        return encoded

    def decode_summary(self, key: str, summary: str) -> str:
        if not summary.startswith(_SUMMARY_MARK):
            return summary
        decoded: str = self._decode(key, "summary", [summary])[0]
        return decoded

    def decode_info(self, info: _Info) -> _Info:
        """A session, or what a listing tells of it, as it was written."""
        metadata = info.metadata
        if MARK in metadata:
            metadata = self._decode(info.key, "metadata", [metadata])[0]
        elif not info.summary.startswith(_SUMMARY_MARK):
            return info
        return attrs.evolve(info, summary=self.decode_summary(info.key, info.summary), metadata=metadata)

    def decode_session(self, session: Session) -> Session:
        """A session with its messages as they were written."""
        messages = self.decode_messages(session.key, session.messages)
        if messages is not session.messages:
            session = attrs.evolve(session, messages=messages)
        return self.decode_info(session)

    def close(self) -> None:
        for _, transform in self._transforms:
            transform.close()

    def _encode(self, key: str, kind: Kind, items: list[Any]) -> list[Any]:
        items = [_mark(kind, _LITERAL, item, item) if _name_of(kind, item) is not None else item for item in items]
        for name, transform in self._transforms:
            coded = self._run(name, "encode", transform.encode, key, kind, items)
            items = [
                _mark(kind, name, before, after.payload) if isinstance(after, Encoded) else after
                for before, after in zip(items, coded, strict=True)
            ]
        return items

    def _decode(self, key: str, kind: Kind, items: list[Any]) -> list[Any]:
        """Take off the marks, outermost first; all items with one mark go through its transform together."""
        while marked := {index: name for index, item in enumerate(items) if (name := _name_of(kind, item)) is not None}:
            outermost = next((name for name in marked.values() if name != _LITERAL), None)
            if outermost is None:  # what is inside a literal item is the caller's, whatever it looks like
                return [_payload(kind, item) if index in marked else item for index, item in enumerate(items)]
            indexes = [index for index, name in marked.items() if name == outermost]
            transform = self._by_name.get(outermost)
            if transform is None:
                raise MissingTransformError(
                    f"session {key!r}: its {kind} was stored by the extension {outermost!r}, which this store does "
                    "not have; add it to the configured extensions"
                )
            payloads = [_payload(kind, items[index]) for index in indexes]
            decoded = self._run(outermost, "decode", transform.decode, key, kind, payloads)
            for index, item in zip(indexes, decoded, strict=True):
                items[index] = item
        return items

    def _run(
        self,
        name: str,
        step: str,
        function: Callable[[str, Kind, Sequence[Any]], Sequence[Any]],
        key: str,
        kind: Kind,
        items: list[Any],
    ) -> Sequence[Any]:
        results = function(key, kind, items)
        if len(results) != len(items):
            raise StoreError(
                f"session {key!r}: extension {name!r} returned {len(results)} items from {step} for {len(items)}; "
                "it returns one for each"
            )
        return results


def _any_marked(messages: Sequence[Message]) -> bool:
    for message in messages:  # noqa: SIM110 - on every read and write: a plain loop takes half the time of any()
        if MARK in message._data:
            return True
    return False


def _mark(kind: Kind, name: str, before: Any, payload: Any) -> Any:
    """A stored item that names its transform. picoclaw reads it as a message of the same role, without text."""
    mark = {"transform": name, "payload": payload}
    if kind == "summary":
        return _SUMMARY_MARK + codec.encode(mark).decode("utf-8")
    if kind == "metadata":
        return {MARK: mark}
    role = {"role": before["role"]} if "role" in before else {}
    return {**role, "content": "", MARK: mark}


def _name_of(kind: Kind, item: Any) -> str | None:
    mark = _read_mark(kind, item)
    return None if mark is None else str(mark.get("transform", _LITERAL))


def _payload(kind: Kind, item: Any) -> Any:
    mark = _read_mark(kind, item)
    return None if mark is None else mark.get("payload")


def _read_mark(kind: Kind, item: Any) -> dict[str, Any] | None:
    if kind != "summary":
        mark = item.get(MARK)
        return mark if isinstance(mark, dict) else None
    if not item.startswith(_SUMMARY_MARK):
        return None
    try:
        mark = codec.decode(item.removeprefix(_SUMMARY_MARK))
    except DecodeError:
        return None
    return mark if isinstance(mark, dict) else None
