"""A reply that is lost: the write is done once, and its caller learns its version."""

from __future__ import annotations

import contextlib
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from sessionkit import BackendUnavailableError, OutcomeUnknownError, SessionStore, WriteFailedError, open_store

KEY = "k"
Operation = Callable[[SessionStore], object]


class Proxy:
    """Stands between a client and a server, and loses replies of scripts when it is told to."""

    def __init__(self, server: Path, directory: Path) -> None:
        self.socket = directory / "p"
        self.lose = 0
        self.refuse = False
        self.meanwhile: Callable[[], object] = bool
        self._server = server
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.socket))
        self._listener.listen()
        self._threads = [threading.Thread(target=self._accept)]
        self._threads[0].start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(client,))
            self._threads.append(thread)
            thread.start()

    def _serve(self, client: socket.socket) -> None:
        with client, socket.socket(socket.AF_UNIX) as server, contextlib.suppress(ConnectionError):
            server.connect(str(self._server))
            while not self.refuse and (request := _whole(client)):
                server.sendall(request)
                reply = _whole(server)
                if self.lose > 0 and (b"EVAL" in request or b"RPUSH" in request):
                    self.lose -= 1
                    self.meanwhile()
                    return
                client.sendall(reply)

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join()


def _whole(source: socket.socket) -> bytes:
    """What one side says at a time: until it pauses."""
    data = source.recv(1 << 16)
    source.settimeout(0.01)
    try:
        while data and (more := source.recv(1 << 16)):
            data += more
    except TimeoutError:
        return data
    finally:
        source.settimeout(None)
    return data


@pytest.fixture
def proxy(server: Any) -> Iterator[Proxy]:
    with tempfile.TemporaryDirectory(prefix="sk-proxy-") as directory:
        proxy = Proxy(server.socket, Path(directory))
        try:
            yield proxy
        finally:
            proxy.close()


@pytest.fixture
def store(server: Any, proxy: Proxy) -> Iterator[SessionStore]:
    url: str = server.url(deadline=5)
    with open_store(url.replace(str(server.socket), str(proxy.socket)), on_write_error="raise") as store:
        store.add_messages(KEY, [{"role": "user", "content": str(number)} for number in range(5)])
        yield store


def _texts(store: SessionStore) -> list[str]:
    return [message.text for message in store.get_history(KEY)]


def _many(count: int) -> list[dict[str, str]]:
    return [{"role": "user", "content": f"new {number}"} for number in range(count)]


OPERATIONS: dict[str, tuple[Operation, list[str]]] = {
    "append": (lambda store: store.add_message(KEY, "user", "x"), ["0", "1", "2", "3", "4", "x"]),
    "batch": (
        lambda store: store.add_messages(KEY, _many(2)),
        ["0", "1", "2", "3", "4", "new 0", "new 1"],
    ),
    "replace": (lambda store: store.set_history(KEY, _many(2)), ["new 0", "new 1"]),
    "replace by many": (
        lambda store: store.set_history(KEY, _many(1200)),
        [f"new {number}" for number in range(1200)],
    ),
    "truncate": (lambda store: store.truncate_history(KEY, 3), ["2", "3", "4"]),
    "drop": (lambda store: store.summarize(KEY, store.get_session(KEY), 2, "s"), ["2", "3", "4"]),
}


@pytest.mark.parametrize("lost", [1, 2])
@pytest.mark.parametrize(("operation", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_a_write_whose_reply_is_lost_is_done_once(
    store: SessionStore, proxy: Proxy, operation: Operation, expected: list[str], lost: int
) -> None:
    session = store.get_session(KEY)
    proxy.lose = lost
    version = operation(store)
    assert proxy.lose == 0
    assert _texts(store) == expected
    assert version == store.get_session(KEY).version != session.version


def test_what_is_left_of_a_long_history_when_the_reply_is_lost_goes_by_itself(
    server: Any, proxy: Proxy, store: SessionStore
) -> None:
    store.set_history(KEY, _many(1500))
    proxy.lose = 1
    version = store.set_history(KEY, _many(2))
    assert proxy.lose == 0
    assert _texts(store) == ["new 0", "new 1"]
    assert version == store.get_session(KEY).version
    with server.client() as client:
        left = client.keys("*}:t:*")
        assert left
        assert all(client.pttl(name) > 0 for name in left)


@pytest.mark.parametrize("one_connection", [False, True])
def test_a_client_that_repeats_by_itself_stores_a_message_once(proxy: Proxy, one_connection: bool) -> None:
    path = str(proxy.socket)
    retry = Retry(NoBackoff(), 3)
    with redis.Redis(unix_socket_path=path, retry=retry, single_connection_client=one_connection) as client:
        source = {"backend": "redis", "backends": {"redis": {"client": client, "prefix": f"repeating{one_connection}"}}}
        with open_store(source, on_write_error="raise") as store:
            store.add_message(KEY, "user", "one")
            proxy.lose = 2
            store.add_message(KEY, "user", "two")
            assert proxy.lose == 0
            assert _texts(store) == ["one", "two"]


@pytest.mark.parametrize("durability", ["none", "aof"])
@pytest.mark.parametrize("one_connection", [False, True])
def test_a_client_that_repeats_by_itself_stores_a_message_once_though_another_writes_meanwhile(
    start_server: Any, durability: str, one_connection: bool
) -> None:
    server = start_server(appendonly="yes", appendfsync="always")
    with tempfile.TemporaryDirectory(prefix="sk-proxy-") as directory, contextlib.ExitStack() as stack:
        proxy = Proxy(server.socket, Path(directory))
        stack.callback(proxy.close)
        client = redis.Redis(
            unix_socket_path=str(proxy.socket), retry=Retry(NoBackoff(), 3), single_connection_client=one_connection
        )
        stack.enter_context(client)
        options = {"client": client, "prefix": "repeating", "durability": durability}
        source = {"backend": "redis", "backends": {"redis": options}}
        store = stack.enter_context(open_store(source, on_write_error="raise"))
        other = stack.enter_context(open_store(server.url(prefix="repeating"), on_write_error="raise"))
        store.add_message(KEY, "user", "one")
        proxy.lose, proxy.meanwhile = 1, lambda: other.add_message(KEY, "user", "between")
        store.add_message(KEY, "user", "two")
        assert proxy.lose == 0
        assert _texts(other) == ["one", "two", "between"]


def test_a_condition_that_held_at_the_first_attempt_is_no_conflict_at_the_second(
    store: SessionStore, proxy: Proxy
) -> None:
    version = store.get_session(KEY).version
    proxy.lose = 1
    store.set_history(KEY, _many(1), if_version=version)
    assert _texts(store) == ["new 0"]


def test_a_deletion_whose_reply_is_lost_tells_that_there_was_a_session(store: SessionStore, proxy: Proxy) -> None:
    proxy.lose = 1
    assert store.delete_session(KEY) is True
    assert store.delete_session(KEY) is False


def test_a_write_that_fails_for_good_is_stored_once_when_it_is_repeated_later(server: Any, proxy: Proxy) -> None:
    url = server.url(deadline=0.2, timeout=0.2).replace(str(server.socket), str(proxy.socket))
    with open_store(url) as store:
        store.add_message(KEY, "user", "one")
        proxy.lose = 1000
        assert store.add_message(KEY, "user", "two") is None
        proxy.lose = 0
        store.add_message(KEY, "user", "three")
        store.save(KEY)
        assert _texts(store) == ["one", "two", "three"]


@pytest.mark.parametrize("others", [1, 31, 62, 63, 64, 65, 95, 96, 97, 130])
def test_however_many_write_meanwhile_a_repeated_write_is_there_once(server: Any, proxy: Proxy, others: int) -> None:
    direct = server.url(deadline=0.2, timeout=0.2)
    with (
        open_store(direct.replace(str(server.socket), str(proxy.socket))) as store,
        open_store(direct) as other,
    ):
        store.add_message(KEY, "user", "first")
        proxy.lose = 1000
        assert store.add_message(KEY, "user", "lost reply") is None
        proxy.lose = 0
        for number in range(others):
            other.add_message(KEY, "user", str(number))
        store.add_message(KEY, "user", "last")
        texts = _texts(other)
        assert texts.count("lost reply") == 1
        assert texts[-1] == "last"
        if others < 64:
            store.save(KEY)
            return
        with pytest.raises(WriteFailedError, match="the outcome of 1 writes is not known"):  # it may be forgotten
            store.save(KEY)


def test_a_reply_that_never_comes_is_of_unknown_outcome_to_who_wants_to_know(server: Any, proxy: Proxy) -> None:
    url = server.url(deadline=0.2, timeout=0.2).replace(str(server.socket), str(proxy.socket))
    with open_store(url, on_write_error="raise") as store:
        store.add_message(KEY, "user", "one")
        proxy.lose = 1000
        with pytest.raises(OutcomeUnknownError, match="may or may not be done"):
            store.add_message(KEY, "user", "two")
        proxy.lose = 0


def test_a_server_that_is_not_there_wrote_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackendUnavailableError, match="cannot be reached"):
        open_store(f"redis+unix://{tmp_path}/nothing?deadline=0.1")
