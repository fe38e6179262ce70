"""``SessionStore``: what an agent loop calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from typing import Any, Literal, NoReturn, Self, TypeAlias

from sessionkit.damage import Damage
from sessionkit.errors import (
    HeldWrite,
    SessionExistsError,
    SessionNotFoundError,
    VersionConflict,
    WriteFailedError,
)
from sessionkit.findings import Finding
from sessionkit.keys import check_key
from sessionkit.messages import Message, as_message, as_messages
from sessionkit.sessions import ABSENT, UNCHANGED, Session, Unchanged, Version
from sessionkit.store import process
from sessionkit.store.arguments import AnyMessage, checked_count, checked_fields, checked_summary
from sessionkit.store.diagnosis import held_findings
from sessionkit.store.paging import sessions_of
from sessionkit.store.reading import SessionReader
from sessionkit.store.runtime import Runtime
from sessionkit.store.steps import pop_newest, store_fields, truncate_whole_turns

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]


class SessionStore(SessionReader):
    """Keeps conversations by key. Open one with :func:`sessionkit.open_store`; use it from any thread.

    ``add_…``, ``set_…`` and ``truncate_history`` are fire-and-forget under the default policy
    ``on_write_error="log"``: when the storage fails they log, hold the write and return None, and ``save`` or
    ``close`` raise :class:`WriteFailedError` for what is not stored. With ``"raise"`` each call raises. Refusals
    (wrong arguments, ``VersionConflict``, ``MessageTooLargeError``, a closed store, a full queue) raise at once
    under both, and so do writes with ``if_version`` and all operations that are not named above. Reads always
    raise; they never show held writes, and never an empty history in place of an unreadable one.

    A store belongs to its process: in a forked child its first use opens another backend from the same options.

    >>> from sessionkit import open_store
    >>> with open_store("memory:") as store:
    ...     version = store.add_message("cli:direct", "user", "hello")
    ...     store.get_history("cli:direct")
    [Message.from_dict({'role': 'user', 'content': 'hello'})]
    """

    # -- writing

    def add_message(self, key: str, role: str, content: str) -> Version | None:
        """Append one simple message.

        Returns:
            The session's new version; None when the write is held.
        """
        return self._add(key, (Message.simple(role, content),), "add_message")

    def add_full_message(self, key: str, message: AnyMessage) -> Version | None:
        """Append one complete message, with tool calls, results, media or anything else that JSON holds.

        Raises:
            InvalidMessageError: it is not a JSON object.
        """
        return self._add(key, (as_message(message),), "add_full_message")

    def add_messages(self, key: str, messages: Iterable[AnyMessage]) -> Version | None:
        """Append several messages as one unit: every reader sees all of them or none.

        An empty batch does nothing, creates nothing and returns None.
        """
        return self._add(key, as_messages(messages), "add_messages")

    def set_history(
        self, key: str, messages: Iterable[AnyMessage], *, if_version: Version | None = None
    ) -> Version | None:
        """Replace the whole history in one step.

        Raises:
            VersionConflict: the session is not in the state ``if_version``.
        """
        return self._update("set_history", key, if_version, messages=as_messages(messages))

    def set_summary(self, key: str, summary: str) -> Version | None:
        """Set the summary of what was truncated."""
        return self._update("set_summary", key, None, summary=checked_summary(summary))

    def truncate_history(
        self,
        key: str,
        keep_last: int,
        *,
        summary: str | None = None,
        whole_turns: bool = False,
        if_version: Version | None = None,
    ) -> Version | None:
        """Keep only the last ``keep_last`` messages; all go for 0 or less.

        Args:
            key: the session; an unknown one stays unknown, unless there is a summary to keep.
            keep_last: how many messages stay.
            summary: when given, becomes the summary in the same step.
            whole_turns: move the cut back to the beginning of its turn, so that no tool result is left without
                its call; some more than ``keep_last`` may stay.
            if_version: when given, the session must be in this state.
        """
        key = check_key(key)
        keep_last = checked_count(keep_last, "keep_last")
        new_summary = UNCHANGED if summary is None else checked_summary(summary)
        arguments: dict[str, Any] = {"keep_last": keep_last, "whole_turns": whole_turns}
        if summary is not None:
            arguments["summary"] = new_summary
        runtime = self._open_runtime()
        write_id = runtime.new_write_id()

        def run() -> Version:
            stored = runtime.content.encode_summary(key, new_summary)
            if whole_turns:
                return truncate_whole_turns(runtime, key, keep_last, stored, if_version, write_id)
            return runtime.hooks.truncate_history(
                key, write_id, keep_last=keep_last, summary=stored, if_version=if_version
            )

        return runtime.writes.perform(key, "truncate_history", arguments, run, if_version is not None)

    def summarize(self, key: str, session: Session, drop_first: int, summary: str) -> Version:
        """Put a summary in the place of the oldest messages that it tells of, in one step.

        Messages that were added since the session was read stay.

        Args:
            key: the session.
            session: the state that the summary was made from, as :meth:`get_session` returned it.
            drop_first: how many of its oldest messages the summary replaces.
            summary: the new summary.

        Raises:
            VersionConflict: the history was truncated or replaced since then.
        """
        key = check_key(key)
        if session.key != key:
            raise ValueError(f"the snapshot is of session {session.key!r}, not of {key!r}")
        if not 0 <= drop_first <= session.count:
            raise ValueError(f"drop_first is {drop_first}; the snapshot has {session.count} messages")
        drop_first = checked_count(drop_first, "drop_first")
        checked = checked_summary(summary)

        def run(runtime: Runtime, write_id: str) -> Version:
            return runtime.hooks.truncate_history(
                key,
                write_id,
                drop_first=drop_first,
                summary=runtime.content.encode_summary(key, checked),
                if_generation=session.generation,
            )

        return self._told("summarize", key, {"drop_first": drop_first, "summary": summary}, run)

    def update_session(
        self,
        key: str,
        *,
        messages: Iterable[AnyMessage] | _Unchanged = UNCHANGED,
        summary: str | _Unchanged = UNCHANGED,
        metadata: Mapping[str, Any] | _Unchanged = UNCHANGED,
        aliases: Iterable[str] | _Unchanged = UNCHANGED,
        created: str | _Unchanged = UNCHANGED,
        updated: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
    ) -> Version:
        """Change any of a session's fields in one step; an unknown session is created.

        Args:
            key: the session.
            messages: the whole new history.
            summary: the new summary.
            metadata: the new metadata, a JSON object of the program's own.
            aliases: other names of the session, for :meth:`resolve`.
            created: when it came to be, RFC 3339 with zone.
            updated: when it last changed, likewise; the present time when it is not given.
            if_version: when given, the session must be in this state; ``ABSENT``: create only.

        Raises:
            VersionConflict: the session is not in the state ``if_version``. Nothing is changed.
        """
        key = check_key(key)
        fields = checked_fields(messages, summary, metadata, aliases, created, updated)

        def run(runtime: Runtime, write_id: str) -> Version:
            return store_fields(runtime, key, write_id, fields, if_version)

        return self._told("update_session", key, fields, run)

    def pop_messages(self, key: str, count: int = 1) -> list[Message]:
        """Remove the newest messages and return them, oldest first; fewer when there are fewer."""
        key = check_key(key)
        count = max(checked_count(count, "count"), 0)
        popped: list[Message] = []

        def run(runtime: Runtime, write_id: str) -> Version:
            popped[:], version = pop_newest(runtime, key, count, write_id)
            return version

        self._told("pop_messages", key, {"count": count}, run)
        return popped

    def delete_session(self, key: str, *, if_version: Version | None = None) -> bool:
        """Remove a session with everything that belongs to it; False when there was none.

        Args:
            key: the session.
            if_version: when given, the session must be in this state; ``ABSENT``: there must be none.

        Raises:
            VersionConflict: the session is not in the state ``if_version``. Nothing is removed.
            UnsupportedOperationError: the backend was written for version 1.0 of the plugin API, so that it does not
                know ``if_version``. Nothing is removed.
        """
        key = check_key(key)
        existed = False

        def run(runtime: Runtime, write_id: str) -> Version:
            nonlocal existed
            existed = runtime.hooks.delete_session(key, if_version)
            return ABSENT

        self._told("delete_session", key, {}, run)
        return existed

    def fork_session(self, key: str, new_key: str, *, keep_first: int | None = None) -> Version:
        """Copy a session to a new key, with its summary and metadata, without its aliases.

        Writes to the session that are held are stored first, so that the copy has them.

        Args:
            key: the session to copy.
            new_key: the copy's key; there must be no such session.
            keep_first: copy only the first so many messages: a branch from the middle of a conversation.

        Raises:
            SessionNotFoundError: there is no session to copy.
            SessionExistsError: there is a session of the new key.
            WriteFailedError: writes to the session are held and cannot be stored; nothing is copied.
        """
        key, new_key = check_key(key), check_key(new_key)
        if keep_first is not None:
            keep_first = max(checked_count(keep_first, "keep_first"), 0)
        runtime = self._open_runtime()
        with runtime.activity.during():
            runtime.writes.settle(key)
        session = self.get_session(key)
        if not session.exists:
            raise SessionNotFoundError(f"session {key!r} does not exist, so it cannot be forked")
        messages = session.messages if keep_first is None else session.messages[:keep_first]
        try:
            return self.update_session(
                new_key,
                messages=messages,
                summary=session.summary,
                metadata=session.metadata,
                if_version=ABSENT,
            )
        except VersionConflict:
            raise SessionExistsError(f"session {new_key!r} exists already; delete it or fork to another key") from None

    def save(self, key: str) -> None:
        """Make sure that everything written to the session so far is stored durably.

        Raises:
            WriteFailedError: something is held; it carries what, and why. Mend the cause and call it again.
        """
        key = check_key(key)
        runtime = self._open_runtime()
        with runtime.activity.during():
            runtime.writes.settle(key)
            runtime.hooks.save(key)

    def compact(self, key: str) -> int:
        """Give back the space that holds nothing of a session any more; what the session is does not change.

        Returns:
            How many bytes were won: 0 with a backend that keeps no such space.

        Raises:
            WriteFailedError: something is held; see :meth:`save`.
        """
        key = check_key(key)
        runtime = self._open_runtime()
        with runtime.activity.during():
            runtime.writes.settle(key)
            won = runtime.hooks.compact(key)
            if won is None:
                runtime.hooks.save(key)
            return won or 0

    def verify(
        self, keys: Iterable[str] | None = None, *, prefix: str = "", progress: Callable[[int], object] | None = None
    ) -> Iterator[Damage]:
        """Read sessions whole and tell what is damaged, as it is found. Nothing is changed.

        Without arguments every session is read, and what is left over in the store is told too: files or entries
        that belong to no session, or to one that nobody can reach.

        Args:
            keys: only these sessions.
            prefix: only sessions whose key begins with it; not together with ``keys``.
            progress: is called with 1 for each session that is done with.

        >>> from sessionkit import open_store
        >>> with open_store("memory:") as store:
        ...     list(store.verify())
        []
        """
        return self._inspect(keys, prefix, progress, repairs=False)

    def repair(
        self, keys: Iterable[str] | None = None, *, prefix: str = "", progress: Callable[[int], object] | None = None
    ) -> Iterator[Damage]:
        """Mend what can be mended in sessions and set the rest aside, and tell of each damage what became of it.

        Every message that can be read stays, in its order. What cannot be read is kept aside, where the damage
        tells; nothing is deleted. Repairing again changes nothing. It takes the same locks as any write, so that
        others may use the store meanwhile. It goes on as the result is iterated over.

        Args:
            keys: only these sessions.
            prefix: only sessions whose key begins with it; not together with ``keys``.
            progress: is called with 1 for each session that is done with.
        """
        return self._inspect(keys, prefix, progress, repairs=True)

    def get_or_create(self, key: str) -> Session:
        """The session, which is created without messages when there is none."""
        self.update_session(key)
        return self.get_session(key)

    # -- what is held, and the end

    def held(self, key: str) -> tuple[HeldWrite, ...]:
        """The writes that were taken and are not stored yet, oldest first."""
        key = check_key(key)
        return self._open_runtime().writes.held(key)

    def discard_held(self, key: str) -> tuple[HeldWrite, ...]:
        """Give up the writes that are held for a session; they are returned, and never stored."""
        key = check_key(key)
        return self._open_runtime().writes.discard(key)

    def diagnose(self) -> list[Finding]:
        """In what state the storage is: what was looked at and found, and what to do where something is to be done.

        It tells of this store and its storage; the command ``sessionkit doctor`` looks at the configuration and the
        plugins too. A backend that cannot examine itself adds nothing.

        Raises:
            BackendUnavailableError: the storage cannot be reached at all.

        >>> from sessionkit import open_store
        >>> with open_store("memory:") as store:
        ...     print(*store.diagnose())
        ok: keeping: sessions are kept in memory, and are gone when the store is closed
        """
        runtime = self._open_runtime()
        with runtime.activity.during():
            return [*held_findings(runtime.writes.waiting()), *runtime.hooks.diagnose()]

    def close(self) -> None:
        """Save what is pending and release everything; a second call does nothing.

        Raises:
            WriteFailedError: something could not be stored; everything is released all the same.
        """
        runtime = self._runtime
        if runtime.epoch != process.current.epoch:
            runtime.activity.abandon()  # inherited by a fork: it is the parent's to save
            return
        if not runtime.activity.close():
            return
        failure: WriteFailedError | None = None
        try:
            with ExitStack() as release:
                release.callback(runtime.content.close)
                release.callback(runtime.hooks.close)
                try:
                    runtime.writes.settle_all()
                except WriteFailedError as error:
                    failure = error
        finally:
            if failure is not None:
                raise failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<SessionStore on {self._recipe.name!r}>"

    def __copy__(self) -> NoReturn:
        self._refuse_copying()

    def __deepcopy__(self, memo: object) -> NoReturn:
        self._refuse_copying()

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        self._refuse_copying()

    # -- inside

    def _refuse_copying(self) -> NoReturn:
        raise TypeError("a SessionStore cannot be copied or pickled; open another one with open_store()")

    def _add(self, key: str, messages: Sequence[Message], operation: str) -> Version | None:
        key = check_key(key)
        runtime = self._open_runtime()
        if not messages:
            with runtime.activity.during():
                return None
        write_id = runtime.new_write_id()

        def run() -> Version:
            stored = runtime.content.encode_messages(key, messages)
            return runtime.hooks.add_messages(key, stored, write_id)

        return runtime.writes.perform(key, operation, {"messages": messages}, run)

    def _update(self, operation: str, key: str, if_version: Version | None, **fields: Any) -> Version | None:
        key = check_key(key)
        runtime = self._open_runtime()
        write_id = runtime.new_write_id()

        def run() -> Version:
            return store_fields(runtime, key, write_id, fields, if_version)

        return runtime.writes.perform(key, operation, fields, run, if_version is not None)

    def _told(
        self,
        operation: str,
        key: str,
        arguments: Mapping[str, Any],
        run: Callable[[Runtime, str], Version],
    ) -> Version:
        """Do a write whose caller is told how it ended, whatever the policy."""
        runtime = self._open_runtime()
        write_id = runtime.new_write_id()
        version = runtime.writes.perform(key, operation, arguments, lambda: run(runtime, write_id), conditional=True)
        assert version is not None  # only writes that may be held have none
        return version

    def _inspect(
        self, keys: Iterable[str] | None, prefix: str, progress: Callable[[int], object] | None, *, repairs: bool
    ) -> Iterator[Damage]:
        from sessionkit.store.mending import Inspection  # seldom wanted

        inspection = Inspection(self._open_runtime, partial(sessions_of, self._open_runtime), repairs, progress)
        if keys is None:
            return inspection.of_prefix("" if prefix == "" else check_key(prefix))
        if prefix:
            raise ValueError("either keys or a prefix says which sessions are meant, not both")
        return inspection.of_keys([check_key(key) for key in keys])
