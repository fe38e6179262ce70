"""What the clauses stand on: how to open the store under test, and what it promises."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeAlias

import pytest

from sessionkit.config import resolve
from sessionkit.errors import UnsupportedOperationError
from sessionkit.messages import Message
from sessionkit.plugins.descriptors import Capability
from sessionkit.sessions import Session
from sessionkit.store import SessionStore, open_store

Source: TypeAlias = str | Mapping[str, Any]
"""What :func:`sessionkit.open_store` takes: a URL, or a mapping with the shape of ``sessionkit.toml``."""


class ConformanceBase:
    """Fixtures and helpers. Override the fixture ``source``; the rest only where you have something to say."""

    @pytest.fixture
    def source(self) -> Source:
        """Where the store under test is: a fresh, empty place for each test. Must be overridden."""
        pytest.fail("override the fixture `source`: it returns what open_store() takes, a fresh place for each test")

    @pytest.fixture
    def store(self, source: Source) -> Iterator[SessionStore]:
        """An open store on the source."""
        with self.open(source) as store:
            yield store

    def open(self, source: Source) -> SessionStore:
        """Open the store under test, with errors raised where they happen."""
        return open_store(source, on_write_error="raise")

    def capabilities(self, source: Source) -> frozenset[Capability]:
        """What the backend promises: what its plugin declares."""
        return resolve(source).plugin.descriptor.capabilities

    def read_raw(self, source: Source, key: str) -> list[dict[str, Any]] | None:
        """Read the messages of a saved session without the backend under test.

        Optional. With it and :meth:`write_raw` a fault in encoding cannot hide behind the same fault in decoding.
        Returns None where it is not offered.
        """
        return None

    def write_raw(self, source: Source, key: str, messages: Sequence[dict[str, Any]]) -> bool:
        """Write a session without the backend under test; False where it is not offered."""
        return False

    def break_storage(self, source: Source) -> AbstractContextManager[object] | None:
        """Make every write of an open store fail inside a ``with`` block, as a full disk or a lost server would.

        Optional; None where it is not offered.
        """
        return None

    def damage(self, source: Source, key: str) -> bool:
        """Make what is stored of a saved session unreadable; False where it is not offered.

        No store is open meanwhile. Damage it beyond what the backend repairs or passes over.
        """
        return False

    def unreachable(self, source: Source) -> tuple[Source, str] | None:
        """A source that cannot be opened, with a secret in it, and the secret; None where it is not offered."""
        return None

    # -- helpers for the clauses

    def require(self, source: Source, capability: Capability) -> None:
        """Skip a clause that holds only for backends with a capability."""
        if capability not in self.capabilities(source):
            pytest.skip(f"the backend does not declare the capability {capability.value!r}")

    def hooks(self, store: SessionStore) -> Any:
        """The backend's hooks, for what the facade does not show."""
        return store._open_runtime().hooks

    def with_damage(self, source: Source, key: str) -> SessionStore:
        """A store in which one session is damaged and another one, ``whole``, is not; both had messages a and b."""
        with self.open(source) as store:
            for name in (key, "whole"):
                store.add_messages(name, simple("a", "b"))
                store.save(name)
        if not self.damage(source, key):
            pytest.skip("the backend's author offers no damage()")
        return self.open(source)

    def child(self, source: Source, *command: str) -> subprocess.Popen[str]:
        """Another process that opens the same source and does something; see :mod:`sessionkit.testing.child`."""
        try:
            place = json.dumps(source)
        except TypeError:
            pytest.skip("the source holds objects that cannot be handed to another process")
        return subprocess.Popen(
            [sys.executable, "-m", "sessionkit.testing.child", place, *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            text=True,
        )


def simple(*texts: object) -> list[Message]:
    """Messages of a user with these texts."""
    return [Message.simple("user", str(text)) for text in texts]


def texts(store: SessionStore, key: str) -> list[str]:
    """The texts of a session's messages."""
    return [message.text for message in store.get_history(key)]


def state(store: SessionStore, key: str) -> tuple[Any, ...]:
    """Everything that a session is, but its version and times."""
    return comparable(store.get_session(key))


def comparable(session: Session) -> tuple[Any, ...]:
    """A session's messages, summary, metadata and aliases."""
    return ([m.to_dict() for m in session.messages], session.summary, session.metadata, session.aliases)


@contextmanager
def deletions_on_condition() -> Iterator[None]:
    """Skip the clause for a backend of an earlier version of the plugin API, which knows no such deletions."""
    try:
        yield
    except UnsupportedOperationError:
        pytest.skip("the backend was written for version 1.0 of the plugin API: its deletions know no if_version")


def in_threads(*programs: Callable[[], object]) -> None:
    """Run programs side by side, taking turns often; the first failure of any is raised."""
    start = threading.Barrier(len(programs))
    failures: list[BaseException] = []

    def run(program: Callable[[], object]) -> None:
        start.wait(60)
        try:
            program()
        except BaseException as error:  # carried to the test's own thread
            failures.append(error)

    threads = [threading.Thread(target=run, args=(program,), daemon=True) for program in programs]
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)  # else a program in memory is over before the next one has its turn
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
    finally:
        sys.setswitchinterval(interval)
    if failures:
        raise failures[0]
    assert not any(thread.is_alive() for thread in threads), "a thread did not come back within two minutes"
