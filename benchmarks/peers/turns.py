"""The process that does turns of an agent for one store: so many for each number in a line of its standard input."""

from __future__ import annotations

import asyncio
import json
import sys
from itertools import count
from time import perf_counter
from typing import Any, Final

from peers.contract import Peer, Session, peer
from peers.messages import long_history, turn

LAST: Final = 20


async def one_turn(session: Session, messages: list[Any]) -> float:
    """Read the end of the history, store each message, save. The seconds that took."""
    begin = perf_counter()
    await session.last(LAST)
    for message in messages:
        await session.append(message)
    await session.save()
    return perf_counter() - begin


async def answer(store: Peer, place: str, length: int) -> None:
    """Fill a session; then do what each line asks for, and print the seconds of each turn as a line of JSON."""
    session = await store.open(place, "turns")
    await session.fill([store.native(message) for message in long_history(length)])
    numbers = count()
    for line in sys.stdin:
        taken = []
        for number, _ in zip(numbers, range(int(line)), strict=False):
            messages = turn(f"and now {number} {'x' * 250}", f"it is {number} {'y' * 280}", f"call_{number}")
            taken.append(await one_turn(session, [store.native(message) for message in messages]))
        print(json.dumps(taken), flush=True)
    await session.close()
    await store.shut()


if __name__ == "__main__":
    asyncio.run(answer(peer(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
