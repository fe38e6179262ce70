"""The surface of picoclaw's SessionManager, used without a store."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from sessionkit_json import SessionManager

from sessionkit.errors import InvalidKeyError, InvalidMessageError
from sessionkit.messages import Message

KEY = "cli:direct"


def _texts(manager: SessionManager, key: str = KEY) -> list[str]:
    return [message.text for message in manager.get_history(key)]


@pytest.fixture(params=["in memory", "in a directory", "autosave"])
def any_manager(request: pytest.FixtureRequest, directory: Path) -> SessionManager:
    if request.param == "in memory":
        return SessionManager()
    return SessionManager(directory, autosave=request.param == "autosave")


def test_an_unknown_session_is_empty_and_reading_does_not_make_it(any_manager: SessionManager) -> None:
    assert any_manager.get_history(KEY) == []
    assert any_manager.get_summary(KEY) == ""
    assert any_manager.sessionkit_list_sessions("", None, 10).sessions == []


def test_get_or_create_makes_a_session_once(any_manager: SessionManager) -> None:
    made = any_manager.get_or_create(KEY)
    assert made.exists
    assert any_manager.get_or_create(KEY) == made


def test_messages_come_back_in_the_order_they_were_added(any_manager: SessionManager) -> None:
    any_manager.add_message(KEY, "user", "one")
    any_manager.add_full_message(KEY, {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]})
    any_manager.add_full_message(KEY, Message.simple("tool", "three"))
    assert _texts(any_manager) == ["one", "", "three"]


def test_the_history_is_a_copy(any_manager: SessionManager) -> None:
    any_manager.add_message(KEY, "user", "one")
    any_manager.get_history(KEY).clear()
    assert _texts(any_manager) == ["one"]


def test_summary_and_history_are_replaced(any_manager: SessionManager) -> None:
    any_manager.add_message(KEY, "user", "one")
    any_manager.set_summary(KEY, "so far")
    any_manager.set_history(KEY, [Message.simple("user", "two")])
    assert (_texts(any_manager), any_manager.get_summary(KEY)) == (["two"], "so far")


@pytest.mark.parametrize(("keep_last", "left"), [(2, ["b", "c"]), (0, []), (-1, []), (9, ["a", "b", "c"])])
def test_truncation_keeps_the_last_messages(any_manager: SessionManager, keep_last: int, left: list[str]) -> None:
    for text in "abc":
        any_manager.add_message(KEY, "user", text)
    any_manager.truncate_history(KEY, keep_last)
    assert _texts(any_manager) == left


def test_a_deleted_session_is_gone_and_can_be_begun_anew(any_manager: SessionManager) -> None:
    any_manager.add_message(KEY, "user", "one")
    assert any_manager.sessionkit_delete_session(KEY, None)
    assert not any_manager.sessionkit_delete_session(KEY, None)
    assert _texts(any_manager) == []
    any_manager.add_message(KEY, "user", "two")
    assert _texts(any_manager) == ["two"]


@pytest.mark.parametrize(
    "use",
    [
        lambda manager: manager.get_or_create(""),
        lambda manager: manager.add_message("", "user", "x"),
        lambda manager: manager.get_history(""),
        lambda manager: manager.get_summary(""),
        lambda manager: manager.set_summary("", "x"),
        lambda manager: manager.set_history("", []),
        lambda manager: manager.truncate_history("", 1),
        lambda manager: manager.save(""),
    ],
)
def test_a_key_that_is_none_is_refused(manager: SessionManager, use: Callable[[SessionManager], object]) -> None:
    with pytest.raises(InvalidKeyError):
        use(manager)


def test_a_message_that_is_not_json_is_refused(manager: SessionManager) -> None:
    with pytest.raises(InvalidMessageError):
        manager.add_full_message(KEY, {"role": "user", "content": float("nan")})


def test_without_a_directory_saving_and_closing_do_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    manager = SessionManager()
    manager.add_message(KEY, "user", "one")
    manager.save(KEY)
    manager.close()
    assert _texts(manager) == ["one"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("autosave", [False, True])
def test_threads_lose_nothing_and_keep_their_own_order(directory: Path, autosave: bool) -> None:
    manager = SessionManager(directory, autosave=autosave)
    count = 8 if autosave else 40
    start = threading.Barrier(6)

    def write(name: str, key: str) -> None:
        start.wait()
        for number in range(count):
            manager.add_message(key, name, str(number))
            if number % 10 == 0:
                manager.save(key)

    threads = [threading.Thread(target=write, args=(f"{n}", f"chat:{n % 2}")) for n in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    manager.close()
    reopened = SessionManager(directory)
    for key in ("chat:0", "chat:1"):
        history = reopened.get_history(key)
        assert len(history) == 3 * count
        for role in {message.role for message in history}:
            assert [m.text for m in history if m.role == role] == [str(number) for number in range(count)]
