"""What a program sees in a store."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import attrs

from sessionkit.messages import Message
from sessionkit.store import SessionStore
from sessionkit.testing.crash.direct import DirectStore


class DisagreementError(Exception):
    """Two answers of one store contradict each other."""


@attrs.frozen
class View:
    """What a program sees of one session. When it last changed is left out: it is for people."""

    messages: tuple[Message, ...] = attrs.field(default=(), repr=False)
    summary: str = ""
    metadata: dict[str, Any] = attrs.Factory(dict)
    aliases: tuple[str, ...] = ()
    created: str = ""

    def __str__(self) -> str:
        texts = ", ".join(_shortened(message.text) for message in self.messages)
        fields = [
            f"{name} {value!r}"
            for name, value in (("summary", self.summary), ("metadata", self.metadata), ("aliases", self.aliases))
            if value
        ]
        return "; ".join([f"{len(self.messages)} messages [{texts}]", *fields])

    @property
    def is_empty(self) -> bool:
        """Whether nothing was put into the session yet."""
        return not (self.messages or self.summary or self.metadata or self.aliases)

    def followed_by(self, message: Message) -> View:
        """The view after a message was added."""
        return attrs.evolve(self, messages=(*self.messages, message))


Views: TypeAlias = Mapping[str, View | None]
"""What a program sees of each session; None of one that does not exist."""


def shown(view: View | None) -> str:
    """A view in words."""
    return "no such session" if view is None else str(view)


def read(store: SessionStore | DirectStore, keys: Iterable[str]) -> dict[str, View | None]:
    """Read everything: the sessions of these keys, and those that the store lists.

    Raises:
        DisagreementError: the listing tells of other sessions than reading them does.
    """
    listed = list(store.list_sessions())
    infos = {info.key: info for info in listed}
    if len(infos) != len(listed):
        raise DisagreementError("the listing names a session twice")
    found: dict[str, View | None] = {}
    for key in sorted({*keys, *infos}):
        session = store.get_session(key)
        info = infos.get(key)
        if (info is not None) != session.exists:
            raise DisagreementError(f"session {key!r} {'exists' if session.exists else 'does not exist'}, by the "
                                    f"listing it {'does not' if info is None else 'does'}")  # fmt: skip
        found[key] = None
        if info is None:
            continue
        told = (info.count, info.summary, info.metadata, info.aliases)
        if told != (len(session.messages), session.summary, session.metadata, session.aliases):
            raise DisagreementError(f"the listing tells otherwise of session {key!r} than reading it does")
        found[key] = View(session.messages, session.summary, session.metadata, session.aliases, session.created)
    return found


def _shortened(text: str) -> str:
    return repr(text) if len(text) <= 24 else f"{text[:16]!r}… ({len(text)} characters)"
