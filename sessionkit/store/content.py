"""The transforms of a store in a chain, and the marks by which stored items name them.

An encoded item carries the mark ``_sessionkit`` with the name of the transform that encoded it, so that
reading never depends on the configured order, and an item whose transform is missing is an error instead of
ciphertext shown as a conversation. An item of the caller's own that looks marked is stored under the mark of
no transform, and comes back as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from typing import Any, Final, Literal, TypeAlias, TypeVar

import attrs

from sessionkit import codec
from sessionkit.codec import copy_json
from sessionkit.errors import DecodeError, MissingTransformError, StoreError
from sessionkit.messages import Message
from sessionkit.plugins.transforms import Encoded, Kind, Transform
from sessionkit.sessions import Heading, Session, Unchanged

MARK: Final = "_sessionkit"
_SUMMARY_MARK: Final = "_sessionkit:"
_LITERAL: Final = ""

_Heading = TypeVar("_Heading", bound=Heading)
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
        return tuple([Message.from_dict(item) for item in self._encode(key, "message", items)])

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
        encoded: dict[str, Any] = copy_json(self._encode(key, "metadata", [metadata])[0], "metadata")
        return encoded

    def decode_summary(self, key: str, summary: str) -> str:
        if not summary.startswith(_SUMMARY_MARK):
            return summary
        decoded: str = self._decode(key, "summary", [summary])[0]
        return decoded

    def decode_info(self, info: _Heading) -> _Heading:
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
        """Close every transform, also when one of them fails."""
        with ExitStack() as stack:
            for _, transform in self._transforms:
                stack.callback(transform.close)

    def _encode(self, key: str, kind: Kind, items: list[Any]) -> list[Any]:
        """Run the transforms over the items as the caller wrote them; what looks marked in these is no mark."""
        own = [True] * len(items)
        for name, transform in self._transforms:
            results = self._run(name, "encode", transform.encode, key, kind, items)
            for index, result in enumerate(results):
                if isinstance(result, Encoded):
                    payload = copy_json(result.payload, f"the payload of extension {name!r}")
                    literal = own[index] and _read_mark(kind, items[index]) is not None
                    items[index] = _mark(kind, name, items[index], payload, literal=literal)
                    own[index] = False
                else:
                    items[index] = self._checked(result, name, "encode", key, kind)
        return [
            _mark(kind, _LITERAL, item, item, literal=True) if mine and _read_mark(kind, item) is not None else item
            for item, mine in zip(items, own, strict=True)
        ]

    def _decode(self, key: str, kind: Kind, items: list[Any]) -> list[Any]:
        """Take off the marks, outermost first; all items with one mark go through its transform together."""
        finished: set[int] = set()
        undone: set[tuple[int, str]] = set()
        while marked := {
            index: mark
            for index, item in enumerate(items)
            if index not in finished and (mark := _read_mark(kind, item)) is not None
        }:
            name = _transform_of(next(iter(marked.values())))
            indexes = [index for index, mark in marked.items() if _transform_of(mark) == name]
            payloads = [marked[index].get("payload") for index in indexes]
            decoded = payloads if name == _LITERAL else self._undo(name, key, kind, payloads)
            for index, item in zip(indexes, decoded, strict=True):
                if (index, name) in undone:
                    raise StoreError(
                        f"session {key!r}: extension {name!r} returned an item that it encoded, from decode"
                    )
                undone.add((index, name))
                if name == _LITERAL or marked[index].get("literal"):
                    finished.add(index)  # what is inside is the caller's, whatever it looks like
                items[index] = self._checked(item, name, "decode", key, kind)
        return items

    def _undo(self, name: str, key: str, kind: Kind, payloads: list[Any]) -> Sequence[Any]:
        transform = self._by_name.get(name)
        if transform is None:
            raise MissingTransformError(
                f"session {key!r}: its {kind} was stored by the extension {name!r}, which this store does "
                "not have; add it to the configured extensions"
            )
        return self._run(name, "decode", transform.decode, key, kind, payloads)

    def _run(
        self,
        name: str,
        step: str,
        function: Callable[[str, Kind, Sequence[Any]], Sequence[Any]],
        key: str,
        kind: Kind,
        items: list[Any],
    ) -> Sequence[Any]:
        results = function(key, kind, tuple(items))
        if not isinstance(results, Sequence) or isinstance(results, (str, bytes)):
            raise StoreError(
                f"session {key!r}: extension {name!r} returned {type(results).__name__} from {step}; it returns a list"
            )
        if len(results) != len(items):
            raise StoreError(
                f"session {key!r}: extension {name!r} returned {len(results)} items from {step} for {len(items)}; "
                "it returns one for each"
            )
        return results

    def _checked(self, item: Any, name: str, step: str, key: str, kind: Kind) -> Any:
        expected = str if kind == "summary" else dict
        if isinstance(item, expected):
            return item
        raise StoreError(
            f"session {key!r}: extension {name!r} returned {type(item).__name__} from {step} for a {kind}, "
            f"which is a {expected.__name__}"
        )


def _any_marked(messages: Sequence[Message]) -> bool:
    for message in messages:  # noqa: SIM110 - on every read and write: a plain loop takes half the time of any()
        if MARK in message._data:
            return True
    return False


def _mark(kind: Kind, name: str, before: Any, payload: Any, *, literal: bool) -> Any:
    """A stored item that names its transform. picoclaw reads it as a message of the same role, without text.

    ``literal`` tells that what comes out of it is the caller's, who put something like a mark into it.
    """
    mark = {"transform": name, "payload": payload, **({"literal": True} if literal else {})}
    if kind == "summary":
        return _SUMMARY_MARK + codec.encode(mark).decode("utf-8")
    if kind == "metadata":
        return {MARK: mark}
    role = {"role": before["role"]} if "role" in before else {}
    return {**role, "content": "", MARK: mark}


def _transform_of(mark: dict[str, Any]) -> str:
    return str(mark.get("transform", _LITERAL))


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
