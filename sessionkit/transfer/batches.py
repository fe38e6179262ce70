"""Reading a session's messages in batches that are bounded in number and in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from sessionkit.errors import VersionConflict
from sessionkit.messages import Message
from sessionkit.sessions import SessionInfo
from sessionkit.store import SessionStore
from sessionkit.store.paging import PAGE_BYTES, PAGE_MESSAGES, PageSize

BATCH_MESSAGES: Final = PAGE_MESSAGES
"""How many messages a batch has at most."""

BATCH_BYTES: Final = PAGE_BYTES
"""From how many bytes of JSON on a batch is full."""


def read_batches(store: SessionStore, session: SessionInfo, start: int = 0) -> Iterator[list[Message]]:
    """The messages that a session had when it was looked at, from a position on, a batch at a time.

    How much is asked for at once follows the size of the messages before, so that long messages fill no memory.

    Args:
        store: where the session is.
        session: the session as it was looked at: its count and generation.
        start: position of the first message.

    Raises:
        VersionConflict: messages were removed or replaced since then.
    """
    batch: list[Message] = []
    size, position, page_messages = 0, start, PageSize()
    while position < session.count:
        wanted = min(page_messages.messages, BATCH_MESSAGES - len(batch), session.count - position)
        page = store.get_history_page(session.key, position, wanted)
        if page.generation != session.generation or not page.messages:
            raise VersionConflict(f"the history of session {session.key!r} was truncated or replaced while it was read")
        page_size = sum(len(message.to_json()) for message in page.messages)
        batch += page.messages
        size += page_size
        position += len(page.messages)
        page_messages.follow(len(page.messages), page_size)
        if len(batch) == BATCH_MESSAGES or size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
