"""Whether two sessions hold the same, compared in bounded memory."""

from __future__ import annotations

from itertools import chain

from sessionkit.messages import Message
from sessionkit.sessions import SessionInfo
from sessionkit.store import SessionStore
from sessionkit.transfer.batches import read_batches
from sessionkit.transfer.documents import same_json


def find_difference(store: SessionStore, session: SessionInfo, other_store: SessionStore, other: SessionInfo) -> str:
    """Where two sessions differ in content; ``""`` when they hold the same. Times are no content.

    Args:
        store: where the first session is.
        session: the first one as it was looked at.
        other_store: where the second session is.
        other: the second one.

    Returns:
        The difference for people. It tells places and numbers, and quotes nothing.

    Raises:
        VersionConflict: messages of one of them were removed or replaced meanwhile.
    """
    if session.count != other.count:
        return f"{session.count:,} messages here, {other.count:,} there"
    if session.summary != other.summary:
        return "the summaries differ"
    if not same_json(session.metadata, other.metadata):
        return "the metadata differ"
    if session.aliases != other.aliases:
        return "the aliases differ"
    same = count_same_messages(store, session, other_store, other)
    return "" if same == session.count else f"message {same + 1:,} of {session.count:,} differs"


def count_same_messages(
    store: SessionStore, session: SessionInfo, other_store: SessionStore, other: SessionInfo
) -> int:
    """How many messages at the beginning of two sessions are the same JSON.

    Raises:
        VersionConflict: messages of one of them were removed or replaced meanwhile.
    """
    ours = chain.from_iterable(read_batches(store, session))
    theirs = chain.from_iterable(read_batches(other_store, other))
    count = 0
    for mine, their in zip(ours, theirs, strict=False):
        if not _same(mine, their):
            break
        count += 1
    return count


def _same(message: Message, other: Message) -> bool:
    return message.to_json() == other.to_json() or same_json(message.to_dict(), other.to_dict())
