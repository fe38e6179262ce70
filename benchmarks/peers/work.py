"""The work that every store does, and what is noted of it. Each part gives up when its time is over, and says so."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any, Final, TypeAlias

from peers.contract import Peer, Session
from peers.messages import conversations, equal, long_history, turn

Cell: TypeAlias = dict[str, Any]
"""What is noted of one piece of work: the seconds of each repetition, and what was counted."""

LAST: Final = 20
THREADS: Final = 8
SHORT: Final = 100
"""A session of fewer messages is a short one."""
SHORT_ONES: Final = 10
MOST_FRESH: Final = 300
"""More messages than are appended to a session while it is measured."""


@dataclass(frozen=True)
class Sizes:
    """How much is done at most. `budget` and `filling` are seconds."""

    conversations: int
    histories: tuple[int, ...]
    repetitions: int
    budget: float
    filling: float


TINY: Final = Sizes(2, (10, 20), 3, 5.0, 5.0)
FAST: Final = Sizes(10, (10, 100, 1000, 10_000), 40, 0.5, 5.0)
FULL: Final = Sizes(40, (10, 100, 1000, 10_000), 200, 3.0, 60.0)
SIZES: Final = {"tiny": TINY, "fast": FAST, "full": FULL}


async def repeated(call: Callable[[], Awaitable[object]], sizes: Sizes) -> Cell:
    """The seconds of each call, until there are enough or the time is over; at least one."""
    seconds: list[float] = []
    end = perf_counter() + sizes.budget
    while len(seconds) < sizes.repetitions and (not seconds or perf_counter() < end):
        begin = perf_counter()
        await call()
        seconds.append(perf_counter() - begin)
    return {"seconds": seconds}


async def replay(peer: Peer, place: str, sizes: Sizes) -> Cell:
    """Conversations message by message: the history is read before each answer of the model, then the message is kept.

    The seconds are of a message, its share of the reading included, a value for each conversation.
    """
    source, given = conversations(sizes.conversations)
    cell: Cell = {"seconds": [], "asked": len(given), "source": source, "written": 0, "read": 0, "equal": 0, "bytes": 0}
    end = perf_counter() + 4 * sizes.budget
    for number, messages in enumerate(given):
        if cell["seconds"] and perf_counter() > end:
            break
        natives = [(message["role"] == "assistant", peer.native(message)) for message in messages]
        session = await peer.open(place, f"replay-{number}")
        begin = perf_counter()
        for asked, native in natives:
            if asked:
                await session.read()
            await session.append(native)
        await session.save()
        cell["seconds"].append((perf_counter() - begin) / len(messages))
        back = [peer.plain(message) for message in await session.read()]
        await session.close()
        cell["written"] += len(messages)
        cell["read"] += len(back)
        cell["equal"] += equal(messages, back)
        cell["bytes"] += sum(len(str(message)) for message in messages)
    return cell


async def at_length(peer: Peer, place: str, length: int, sizes: Sizes, told: Callable[[str, Cell], None]) -> bool:
    """A session of a length is read, read at its end, appended to, and has turns. Says whether it could be filled.

    A short session would soon be a long one: then there are several, and few appends to each.
    """
    plain = long_history(length)
    natives = [peer.native(message) for message in plain]
    cells: dict[str, Cell] = {name: {"seconds": []} for name in ("read", "last", "append", "turn")}
    for number in range(SHORT_ONES if length < SHORT else 1):
        session = await peer.open(place, f"long-{length}-{number}")
        have = await _fill(session, natives, sizes)
        if have < length:
            told(f"append {length}", {"skipped": f"filling took more than {sizes.filling:g} s, at {have:,} messages"})
            return False
        back = [peer.plain(message) for message in await session.read()]
        cells["read"].update(written=length, read=len(back), equal=equal(plain, back))
        fewer = replace(sizes, repetitions=min(sizes.repetitions, max(4, length // 4)))
        for name, call in _calls(peer, session).items():
            several = replace(fewer, repetitions=max(1, fewer.repetitions // 4)) if name == "turn" else fewer
            cells[name]["seconds"] += (await repeated(call, several))["seconds"]
        await session.close()
    for name, cell in cells.items():
        told(f"{name} {length}", cell)
    return True


async def _fill(session: Session, natives: Sequence[Any], sizes: Sizes) -> int:
    """Store the history in pieces, until it is there or the time is over."""
    end = perf_counter() + sizes.filling
    have = 0
    while have < len(natives) and perf_counter() < end:
        upto = min(len(natives), have + max(10, len(natives) // 20))
        await session.fill(natives[have:upto])
        have = upto
    return have


def _calls(peer: Peer, session: Session) -> dict[str, Callable[[], Awaitable[object]]]:
    numbers = count()

    def fresh() -> list[Any]:
        number = next(numbers)
        messages = turn(f"and now {number} {'x' * 250}", f"it is {number} {'y' * 280}", f"call_more_{number}")
        return [peer.native(message) for message in messages]

    ready = deque(fresh() for _ in range(MOST_FRESH))

    async def append() -> None:
        await session.append(ready.pop()[0])

    async def whole_turn() -> None:
        await session.last(LAST)
        for message in ready.pop():
            await session.append(message)
        await session.save()

    return {"read": session.read, "last": lambda: session.last(LAST), "append": append, "turn": whole_turn}


async def reopen(peer: Peer, place: str, key: str) -> Cell:
    """Open the long session in this process, which has not seen it, and read all of it."""
    begin = perf_counter()
    session = await peer.open(place, key)
    back = await session.read()
    taken = perf_counter() - begin
    await session.close()
    return {"seconds": [taken], "read": len(back)}


async def appends(peer: Peer, session: Session, mark: str, sizes: Sizes) -> Cell:
    """Append until there are enough or the time is over. Errors are counted; what was acknowledged should be there."""
    cell: Cell = {"acknowledged": 0, "errors": 0}
    end = perf_counter() + 2 * sizes.budget
    for number in range(sizes.repetitions):
        if perf_counter() > end:
            break
        try:
            await session.append(peer.native({"role": "user", "content": f"{mark} {number} {'x' * 300}"}))
            cell["acknowledged"] += 1
        except Exception as error:  # whatever a store raises is a message that it did not keep
            cell["errors"] += 1
            cell["error"] = type(error).__name__
    return cell


async def when_started(peer: Peer, place: str, key: str, mark: str, sizes: Sizes, start: Callable[[], object]) -> Cell:
    """Open a session, wait for the start, and append. Opening is not measured, and it may fail."""
    try:
        session = await peer.open(place, key)
    except Exception as error:  # whatever it is, nothing can be stored
        start()
        return {"acknowledged": 0, "errors": 1, "error": f"opening: {type(error).__name__}"}
    start()
    cell = await appends(peer, session, mark, sizes)
    await session.close()
    return cell


async def kept(peer: Peer, place: str, key: str) -> int:
    """How many different messages a session has."""
    session = await peer.open(place, key)
    try:
        return len({str(peer.plain(message).get("content")) for message in await session.read()})
    finally:
        await session.close()


def side_by_side(peer: Peer, place: str, sizes: Sizes) -> Cell:
    """Several threads with a session each, in one store."""
    cells: list[Cell] = []
    start = threading.Barrier(THREADS + 1)

    def work(number: int) -> None:
        cells.append(asyncio.run(when_started(peer, place, f"thread-{number}", "t", sizes, start.wait)))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(THREADS)]
    for thread in threads:
        thread.start()
    start.wait()
    begin = perf_counter()
    for thread in threads:
        thread.join()
    return together(cells, perf_counter() - begin)


def together(cells: Sequence[Cell], seconds: float) -> Cell:
    """What several did at once: the seconds are of one message, whoever appended it."""
    total = sum(cell["acknowledged"] for cell in cells)
    cell: Cell = {
        "seconds": [seconds / total] if total else [],
        "acknowledged": total,
        "errors": sum(one["errors"] for one in cells),
    }
    names = sorted({one["error"] for one in cells if "error" in one})
    return {**cell, "error": ", ".join(names)} if names else cell


def stored_bytes(place: str) -> int:
    """What a directory, or all keys of a server, take."""
    if not place.startswith("unix://"):
        return sum(path.stat().st_size for path in Path(place).rglob("*") if path.is_file())
    import redis

    client = redis.Redis(unix_socket_path=place.removeprefix("unix://"))
    total = sum(int(client.memory_usage(key, samples=0) or 0) for key in client.scan_iter(count=1000))
    client.close()
    return total
