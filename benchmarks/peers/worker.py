"""The process that does the work for one store, in that store's environment; a line of JSON for each thing it found."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from time import perf_counter
from typing import Final

from peers import work
from peers.contract import Peer, peer

PROCESSES: Final = 4
SYNCED_APPENDS: Final = 20


def tell(name: str, cell: work.Cell) -> None:
    """Print what was found."""
    print(json.dumps({"cell": name, **cell}), flush=True)


def place_of(place: str, name: str) -> str:
    """A directory of its own for a piece of work; a server serves all."""
    if place.startswith("unix://"):
        return place
    made = Path(place, name)
    made.mkdir(exist_ok=True, parents=True)
    return str(made)


async def everything(store: Peer, adapter: str, place: str, size: str) -> None:
    """All the work that one process does, and several at once."""
    sizes = work.SIZES[size]
    where = place_of(place, "replay")
    tell("replay", {**await work.replay(store, where, sizes), "taken": work.stored_bytes(where)})
    for length in sizes.histories:
        if not await work.at_length(store, place_of(place, "long"), length, sizes, tell):
            break
    await store.shut()
    await at_once(store, adapter, place, size)


async def at_once(store: Peer, adapter: str, place: str, size: str) -> None:
    """Threads, then processes with a session each, then processes with one session for all."""
    kinds = {
        "threads": [f"thread-{number}" for number in range(work.THREADS)],
        "processes": [f"process-{number}" for number in range(PROCESSES)],
        "one session": ["shared"] * PROCESSES,
    }
    for name, keys in kinds.items():
        if name != "threads" and adapter == "sessionkit:memory":
            return
        where = place_of(place, name.replace(" ", "-"))
        await (await store.open(where, "first")).close()  # so that nobody races to make files and tables
        if name == "threads":
            cell = await asyncio.to_thread(work.side_by_side, store, where, work.SIZES[size])
        else:
            await store.shut()
            cell = processes(adapter, where, size, keys)
        cell["kept"] = 0
        for key in dict.fromkeys(keys):
            try:
                cell["kept"] += await work.kept(store, where, key)
            except Exception as error:  # what it wrote it cannot read: that is what is found out here
                cell["error"] = f"reading: {type(error).__name__}"
        tell(name, cell)
        await store.shut()


def processes(adapter: str, place: str, size: str, keys: Sequence[str]) -> work.Cell:
    """A process for each key appends to that session, all at once."""
    begun = [
        subprocess.Popen(
            [sys.executable, "-m", "peers.worker", "appends", adapter, place, size, key, str(number)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number, key in enumerate(keys)
    ]
    for process in begun:
        _said(process, "ready")
    begin = perf_counter()
    for process in begun:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    cells = []
    for process in begun:
        line = _said(process, '{"acknowledged"')
        cells.append(json.loads(line) if line else {"acknowledged": 0, "errors": 1, "error": "the process ended"})
    taken = perf_counter() - begin
    for process in begun:
        process.communicate()
    return work.together(cells, taken)


def _said(process: subprocess.Popen[str], beginning: str) -> str:
    """The next line that begins so; some libraries write their complaints in between. Empty at the end."""
    assert process.stdout is not None
    while (line := process.stdout.readline()) and not line.startswith(beginning):
        pass
    return line


async def one_of_several(store: Peer, place: str, size: str, key: str, mark: str) -> None:
    """Append when told to."""

    def start() -> None:
        print("ready", flush=True)
        sys.stdin.readline()

    print(json.dumps(await work.when_started(store, place, key, mark, work.SIZES[size], start)), flush=True)
    await store.shut()


async def marked_appends(store: Peer, place: str) -> None:
    """Appends between two marks that whoever traces this process sees."""
    session = await store.open(place_of(place, "synced"), "synced")
    message = store.native({"role": "user", "content": "x" * 300})
    await session.append(message)
    await session.append(store.native({"role": "user", "content": "another"}))
    os.access("/begin", os.F_OK)
    for number in range(SYNCED_APPENDS):
        await session.append(store.native({"role": "user", "content": f"{number}"}))
    os.access("/end", os.F_OK)
    await session.close()
    await store.shut()


async def main(task: str, adapter: str, place: str, size: str, *rest: str) -> None:
    """Do what the arguments say."""
    warnings.simplefilter("ignore")
    begin = perf_counter()
    store = peer(adapter)
    imported = perf_counter() - begin
    if task == "everything":
        tell("import", {"seconds": [imported]})
        await everything(store, adapter, place, size)
    elif task == "appends":
        await one_of_several(store, place, size, *rest)
    elif task == "reopen":
        cell = await work.reopen(store, place_of(place, "long"), *rest)
        tell("reopen", {**cell, "seconds": [imported + cell["seconds"][0]], "opening": cell["seconds"]})
        await store.shut()
    else:
        await marked_appends(store, place)


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
