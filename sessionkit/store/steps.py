"""Operations that the facade makes of several hooks, each repeated until nobody came between."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, TypeAlias

from sessionkit.codec import copy_json
from sessionkit.errors import VersionConflict
from sessionkit.messages import Message
from sessionkit.operations import dropped
from sessionkit.sessions import Unchanged, Version
from sessionkit.store.runtime import Runtime
from sessionkit.turns import turn_start

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]
_ATTEMPTS: Final = 100


def store_fields(
    runtime: Runtime, key: str, write_id: str, fields: Mapping[str, Any], if_version: Version | None
) -> Version:
    stored = dict(fields)
    if "messages" in stored:
        stored["messages"] = runtime.content.encode_messages(key, stored["messages"])
    if "summary" in stored:
        stored["summary"] = runtime.content.encode_summary(key, stored["summary"])
    if "metadata" in stored:
        stored["metadata"] = runtime.content.encode_metadata(key, copy_json(stored["metadata"]))
    return runtime.hooks.update_session(key, write_id, if_version=if_version, **stored)


def truncate_whole_turns(
    runtime: Runtime,
    key: str,
    keep_last: int,
    summary: str | _Unchanged,
    if_version: Version | None,
    write_id: str,
) -> Version:
    """Find the cut in the history as it is read, and make it if no other cut came between."""
    for _ in range(_ATTEMPTS):
        history = runtime.hooks.get_history(key, 0, None)
        if if_version is not None and if_version != history.version:
            raise VersionConflict(f"session {key!r} was changed since it was read; read it again")
        wanted = dropped(history.total, keep_last, None)
        cut = turn_start(runtime.content.decode_messages(key, history.messages), wanted)
        try:
            return runtime.hooks.truncate_history(
                key,
                write_id,
                drop_first=cut,
                summary=summary,
                if_version=if_version,
                if_generation=history.generation,
            )
        except VersionConflict:
            if if_version is not None:
                raise
    raise _gave_up(key, "truncate_history")


def pop_newest(runtime: Runtime, key: str, count: int, write_id: str) -> tuple[list[Message], Version]:
    """Take the newest messages off; those that stay are written as they were stored, not encoded anew."""
    for _ in range(_ATTEMPTS):
        session = runtime.hooks.get_session(key, None)
        rest = session.messages[: max(session.count - count, 0)]
        popped = list(runtime.content.decode_messages(key, session.messages[len(rest) :]))
        if not popped:
            return popped, session.version
        try:
            return popped, runtime.hooks.update_session(key, write_id, messages=rest, if_version=session.version)
        except VersionConflict:
            continue
    raise _gave_up(key, "pop_messages")


def _gave_up(key: str, operation: str) -> VersionConflict:
    return VersionConflict(
        f"session {key!r}: others changed it {_ATTEMPTS} times while {operation} tried; try again when they are done"
    )
