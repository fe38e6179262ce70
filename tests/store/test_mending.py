"""``verify``, ``repair`` and ``compact`` of the facade, over what a backend tells itself."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import attrs
import pytest

from sessionkit.damage import Damage
from sessionkit.errors import CorruptSessionError, InvalidKeyError, StoreError
from sessionkit.hookspecs import hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.sessions import History, Session, SessionPage
from sessionkit.store import SessionStore

from .backends import store_on, texts

CALL = {"role": "assistant", "tool_calls": [{"id": "c1", "function": {"name": "f", "arguments": "{}"}}]}
RESULT = {"role": "tool", "tool_call_id": "c1", "content": "done"}


def kinds(damages: Sequence[Damage]) -> list[tuple[str | None, str]]:
    return [(damage.key, damage.kind) for damage in damages]


class Lying(MemoryBackend):
    """A backend of API 1.0 whose answers can be changed; it has none of the hooks."""

    def __init__(self) -> None:
        super().__init__()
        self.history: Callable[[History], History] = lambda history: history
        self.session: Callable[[Session], Session] = lambda session: session
        self.page: Callable[[SessionPage], SessionPage] = lambda page: page

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        return self.history(super().sessionkit_get_history(key, start, limit))

    @hookimpl
    def sessionkit_get_session(self, key: str, limit: int | None) -> Session:
        return self.session(super().sessionkit_get_session(key, limit))

    @hookimpl
    def sessionkit_list_sessions(self, prefix: str, cursor: str | None, limit: int) -> SessionPage:
        return self.page(super().sessionkit_list_sessions(prefix, cursor, limit))


class Mending(MemoryBackend):
    """A backend that finds what it is told to find."""

    def __init__(self, **found: Damage) -> None:
        super().__init__()
        self.found = found
        self.asked: list[tuple[str, str | None]] = []

    @hookimpl
    def sessionkit_compact(self, key: str) -> int:
        return len(key)

    @hookimpl
    def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
        self.asked.append(("verify", key))
        return [self.found[key or "store"]] if (key or "store") in self.found else []

    @hookimpl
    def sessionkit_repair(self, key: str | None) -> Sequence[Damage]:
        self.asked.append(("repair", key))
        damage = self.found.pop(key or "store", None)
        return () if damage is None else (attrs.evolve(damage, mended=True),)


def damage(key: str | None = None) -> Damage:
    return Damage(kind="torn", key=key, problem="it is torn", remedy="it is put aside")


@pytest.fixture
def lying() -> Lying:
    return Lying()


@pytest.fixture
def store(lying: Lying) -> SessionStore:
    store = store_on(lying)
    store.add_messages("a", [{"role": "user", "content": str(number)} for number in range(2500)])
    store.add_message("b", "user", "hello")
    return store


def test_a_backend_without_the_hooks_is_read_whole_and_found_sound(store: SessionStore) -> None:
    done: list[int] = []
    assert list(store.verify(progress=done.append)) == list(store.repair()) == []
    assert sum(done) == 2
    assert store.compact("a") == 0


def test_a_history_that_cannot_be_read_is_damage_and_hinders_no_other(store: SessionStore, lying: Lying) -> None:
    def history(found: History) -> History:
        if found.start >= 2000:
            raise CorruptSessionError("session 'a': message 2001 cannot be read")
        return found

    lying.history = history
    [found] = store.verify()
    assert (found.kind, found.key, found.mendable) == ("unreadable", "a", False)
    assert found.problem == "session 'a': message 2001 cannot be read"
    assert kinds(list(store.repair())) == [("a", "unreadable")]


def test_a_tail_that_is_not_the_end_of_the_history_is_damage(store: SessionStore, lying: Lying) -> None:
    lying.history = lambda found: attrs.evolve(found, messages=found.messages[::-1]) if found.start == 2495 else found
    assert kinds(list(store.verify())) == [("a", "disagreement")]


def test_a_count_that_is_not_that_of_the_history_is_damage(store: SessionStore, lying: Lying) -> None:
    lying.session = lambda session: attrs.evolve(session, count=session.count + 1)
    assert ("b", "disagreement") in kinds(list(store.verify(["b"])))


def test_a_listing_that_tells_something_else_is_damage(store: SessionStore, lying: Lying) -> None:
    lying.page = lambda page: attrs.evolve(page, sessions=[attrs.evolve(info, summary="x") for info in page.sessions])
    assert kinds(list(store.verify())) == [("a", "disagreement"), ("b", "disagreement")]


def test_what_a_listing_leaves_out_is_damage(store: SessionStore, lying: Lying) -> None:
    lying.page = lambda page: attrs.evolve(page, unreadable=["c.txt: not a session"])
    [found] = store.verify()
    assert (found.key, found.problem) == (None, "c.txt: not a session")


def test_a_session_that_is_written_to_meanwhile_is_not_taken_for_damaged(store: SessionStore, lying: Lying) -> None:
    def history(found: History) -> History:
        store.add_message("a", "user", "more")
        return found

    lying.history = history
    assert list(store.verify(["a"])) == []


USE = {"role": "assistant", "content": [{"type": "tool_use", "id": "a", "name": "f", "input": {}}]}
ANSWER = {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "a", "content": "…"}]}
ITEM, OTHER_ITEM = ({"type": "function_call", "call_id": name, "name": "f", "arguments": "{}"} for name in "ab")
OUTPUT, OTHER_OUTPUT = ({"type": "function_call_output", "call_id": name, "output": "…"} for name in "ab")


@pytest.mark.parametrize(
    ("messages", "problem"),
    [
        ([CALL, RESULT], None),
        ([{"role": "user"}, CALL], None),  # the call may be under way
        ([CALL, {"role": "user"}], "its history has 1 calls without a result"),
        ([RESULT, {"role": "user"}], "its history has 1 results without a call"),
        ([USE, ANSWER], None),
        ([USE, {"role": "user"}, ANSWER], "its history has 1 calls without a result and 1 results without a call"),
        ([ITEM, {"type": "reasoning"}, OTHER_ITEM, OUTPUT, OTHER_OUTPUT, {"role": "user"}], None),
        ([ITEM, OTHER_ITEM, OUTPUT, {"role": "user"}], "its history has 1 calls without a result"),
    ],
)
def test_broken_blocks_of_tool_calls_are_a_note(
    store: SessionStore, messages: list[dict[str, object]], problem: str | None
) -> None:
    store.set_history("b", messages)
    found = list(store.verify(["b"]))
    assert [each.problem for each in found] == ([] if problem is None else [problem])
    assert not any(each.stays for each in found)


def test_the_backend_is_asked_about_the_store_before_the_sessions() -> None:
    backend = Mending(store=damage(), b=damage("b"))
    with store_on(backend) as store:
        store.add_message("a", "user", "hello")
        store.add_message("b", "user", "hello")
        assert kinds(list(store.verify())) == [(None, "torn"), ("b", "torn")]
        assert backend.asked == [("verify", None), ("verify", "a"), ("verify", "b")]
        assert kinds(list(store.verify(prefix="b"))) == kinds(list(store.verify(["b"]))) == [("b", "torn")]
        found = list(store.repair())
        assert [(each.key, each.mended, each.stays) for each in found] == [(None, True, False), ("b", True, False)]
        assert list(store.repair()) == list(store.verify()) == []
        assert store.compact("abc") == 3
        assert texts(store, "b") == ["hello"]


def test_a_key_and_a_prefix_are_checked(store: SessionStore) -> None:
    with pytest.raises(InvalidKeyError):
        store.verify([""])
    with pytest.raises(ValueError, match="not both"):
        store.verify(["a"], prefix="b")


def test_a_hook_that_answers_something_else_is_a_fault_of_the_backend() -> None:
    class Broken(Mending):
        @hookimpl
        def sessionkit_verify(self, key: str | None) -> Sequence[Damage]:
            return ["torn"]  # type: ignore[list-item]

        @hookimpl
        def sessionkit_compact(self, key: str) -> int:
            return None  # type: ignore[return-value]

    with store_on(Broken()) as store:
        [found] = store.verify()
        assert found.problem == (
            "backend 'test': sessionkit_verify of the store returned str, not Damage; this is a fault of the backend"
        )
        with pytest.raises(StoreError, match="returned NoneType, not int"):
            store.compact("k")


def test_a_check_that_is_not_finished_keeps_nobody_from_closing_the_store(store: SessionStore) -> None:
    store.set_history("a", [CALL, {"role": "user"}, CALL, {"role": "user"}])
    checking = store.verify()
    next(checking)
    closing = threading.Thread(target=store.close)
    closing.start()
    closing.join(30)
    assert not closing.is_alive()
