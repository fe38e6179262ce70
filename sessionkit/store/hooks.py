"""Typed calls of a backend's hooks, each held to its kind of result.

The relay of pluggy is untyped, and a None that an implementation returns by mistake looks to it like "not
mine". Here is the one place where that becomes an error.

A hook with one implementation and no wrapper is called without pluggy's loop, which would do the same at ten
times the cost of the call.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, TypeAlias, TypeVar

import pluggy

from sessionkit.damage import Damage
from sessionkit.errors import OutcomeUnknownError, StoreError, UnsupportedOperationError
from sessionkit.findings import Finding
from sessionkit.messages import Message
from sessionkit.plugins.manager import Assembly
from sessionkit.sessions import UNCHANGED, HeadingPage, History, Session, SessionPage, Sifted, Unchanged, Version
from sessionkit.sieve import Sieve

_Unchanged: TypeAlias = Literal[Unchanged.UNCHANGED]
_T = TypeVar("_T")


class Hooks:
    """The hooks of one assembled backend. The callers are fetched once; a hook call costs one lookup less."""

    def __init__(self, name: str, assembly: Assembly) -> None:
        self._name = name
        self._add_messages = self._caller(assembly, "sessionkit_add_messages")
        self._get_history = self._caller(assembly, "sessionkit_get_history")
        self._get_session = self._caller(assembly, "sessionkit_get_session")
        self._update_session = self._caller(assembly, "sessionkit_update_session")
        self._truncate_history = self._caller(assembly, "sessionkit_truncate_history")
        self._list_sessions = self._caller(assembly, "sessionkit_list_sessions")
        self._delete_session = self._caller(assembly, "sessionkit_delete_session")
        self._close = self._caller(assembly, "sessionkit_close")
        self._save = self._optional(assembly, "sessionkit_save")
        self._diagnose = self._optional(assembly, "sessionkit_diagnose")
        self._compact = self._optional(assembly, "sessionkit_compact")
        self._verify = self._optional(assembly, "sessionkit_verify")
        self._repair = self._optional(assembly, "sessionkit_repair")
        self._sift = self._optional(assembly, "sessionkit_sift")
        self._list_headings = self._optional(assembly, "sessionkit_list_headings")

    def _optional(self, assembly: Assembly, hook: str) -> Callable[..., Any] | None:
        return self._caller(assembly, hook) if hook in assembly.implemented else None

    def _caller(self, assembly: Assembly, hook: str) -> Callable[..., Any]:
        caller: pluggy.HookCaller = getattr(assembly.manager.hook, hook)
        if lacking := assembly.implemented.get(hook):
            return _without(self._name, hook, caller, lacking)
        implementations = caller.get_hookimpls()
        if len(implementations) != 1 or hook not in assembly.implemented:
            return caller
        function = implementations[0].function
        # What a decorator put around it may take arguments by position only, as pluggy passes them.
        return caller if hasattr(function, "__wrapped__") else function

    def add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        result = self._add_messages(key=key, messages=messages, write_id=write_id)
        return result if type(result) is str else self._refuse_write(result, "add_messages", key)

    def get_history(self, key: str, start: int, limit: int | None) -> History:
        result = self._get_history(key=key, start=start, limit=limit)
        return result if type(result) is History else self._expect(History, result, "get_history", key)

    def get_session(self, key: str, limit: int | None) -> Session:
        return self._expect(Session, self._get_session(key=key, limit=limit), "get_session", key)

    def update_session(
        self,
        key: str,
        write_id: str,
        *,
        messages: Sequence[Message] | _Unchanged = UNCHANGED,
        summary: str | _Unchanged = UNCHANGED,
        metadata: dict[str, Any] | _Unchanged = UNCHANGED,
        aliases: Sequence[str] | _Unchanged = UNCHANGED,
        created: str | _Unchanged = UNCHANGED,
        updated: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
    ) -> Version:
        result = self._update_session(
            key=key,
            messages=messages,
            summary=summary,
            metadata=metadata,
            aliases=aliases,
            created=created,
            updated=updated,
            if_version=if_version,
            write_id=write_id,
        )
        return result if type(result) is str else self._refuse_write(result, "update_session", key)

    def truncate_history(
        self,
        key: str,
        write_id: str,
        *,
        keep_last: int | None = None,
        drop_first: int | None = None,
        summary: str | _Unchanged = UNCHANGED,
        if_version: Version | None = None,
        if_generation: str | None = None,
    ) -> Version:
        result = self._truncate_history(
            key=key,
            keep_last=keep_last,
            drop_first=drop_first,
            summary=summary,
            if_version=if_version,
            if_generation=if_generation,
            write_id=write_id,
        )
        return result if type(result) is str else self._refuse_write(result, "truncate_history", key)

    def list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        page = self._list_sessions(prefix=prefix, cursor=cursor, limit=limit)
        return self._expect(SessionPage, page, "list_sessions", prefix)

    def list_headings(self, prefix: str, cursor: str | None, limit: int) -> HeadingPage:
        if self._list_headings is None:
            return HeadingPage.of(self.list_sessions(prefix, cursor, limit))
        page = self._list_headings(prefix=prefix, cursor=cursor, limit=limit)
        return self._expect(HeadingPage, page, "list_headings", prefix)

    def delete_session(self, key: str, if_version: Version | None) -> bool:
        result = self._delete_session(key=key, if_version=if_version)
        return result if type(result) is bool else self._refuse_write(result, "delete_session", key)

    def save(self, key: str) -> None:
        if self._save is not None:
            self._expect(bool, self._save(key=key), "save", key)

    def diagnose(self) -> list[Finding]:
        if self._diagnose is None:
            return []
        result = self._diagnose()
        if isinstance(result, (list, tuple)) and all(isinstance(finding, Finding) for finding in result):
            return list(result)
        raise StoreError(
            f"backend {self._name!r}: sessionkit_diagnose returned {type(result).__name__}, not a list of Finding; "
            "this is a fault of the backend"
        )

    def compact(self, key: str) -> int | None:
        """How many bytes were won; None when the backend keeps no space that it could give back."""
        return None if self._compact is None else self._expect(int, self._compact(key=key), "compact", key)

    def verify(self, key: str | None) -> list[Damage]:
        """What the backend itself finds damaged."""
        return [] if self._verify is None else self._damages(self._verify(key=key), "verify", key)

    def repair(self, key: str | None) -> list[Damage]:
        """What the backend itself found damaged, and mended if it could."""
        return [] if self._repair is None else self._damages(self._repair(key=key), "repair", key)

    def close(self) -> None:
        self._close()

    def sift(self, key: str, start: int, sieve: Sieve) -> Sifted:
        """Which messages a sieve lets pass; only of a backend that :attr:`sifts`."""
        assert self._sift is not None
        return self._expect(Sifted, self._sift(key=key, start=start, sieve=sieve), "sift", key)

    @property
    def sifts(self) -> bool:
        """Whether the backend tells messages apart without decoding them."""
        return self._sift is not None

    @property
    def verifies(self) -> bool:
        """Whether the backend looks for damage itself."""
        return self._verify is not None

    def _damages(self, result: object, operation: str, key: str | None) -> list[Damage]:
        found: list[Any] = self._expect(list, list(result) if isinstance(result, tuple) else result, operation, key)
        return [self._expect(Damage, damage, operation, key) for damage in found]

    def _expect(self, kind: type[_T], result: object, operation: str, key: str | None) -> _T:
        if isinstance(result, kind):
            return result
        raise StoreError(
            f"backend {self._name!r}: sessionkit_{operation} of {_called(key)} returned "
            f"{type(result).__name__}, not {kind.__name__}; this is a fault of the backend"
        )

    def _refuse_write(self, result: object, operation: str, key: str) -> Any:
        raise OutcomeUnknownError(
            f"backend {self._name!r}: sessionkit_{operation} of session {key!r} returned "
            f"{type(result).__name__}, so that nobody knows whether it was stored; this is a fault of the backend"
        )


def _called(key: str | None) -> str:
    return "the store" if key is None else f"session {key!r}"


def _without(name: str, hook: str, caller: Callable[..., Any], lacking: dict[str, Any]) -> Callable[..., Any]:
    """A call for a backend of an earlier API version: arguments that it lacks are refused unless they say nothing."""

    def call(**arguments: Any) -> Any:
        for argument, nothing in lacking.items():
            if arguments.get(argument, nothing) != nothing:
                raise UnsupportedOperationError(
                    f"backend {name!r} was written for an earlier version of the plugin API: "
                    f"its {hook} does not know {argument}; upgrade it"
                )
        return caller(**arguments)

    return call
