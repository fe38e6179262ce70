"""What the facade costs: a call of the store on the memory backend against the same call of the backend itself."""

from __future__ import annotations

from collections.abc import Callable
from time import perf_counter

from comparing import Comparison

from sessionkit import Message, SessionStore, open_store
from sessionkit.memory import MemoryBackend

KEY = "bench:facade"
TAIL = 20

MESSAGE = Message.from_dict(
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}}],
    }
)


def on_backend(call: Callable[[MemoryBackend], object], filled: int = 0) -> Callable[[int], float]:
    """Time calls of a new backend; a new one each time, so that it does not grow from one value to the next."""

    def run(loops: int) -> float:
        backend = MemoryBackend()
        if filled:
            backend.sessionkit_add_messages(KEY, [MESSAGE] * filled, "w")
        begin = perf_counter()
        for _ in range(loops):
            call(backend)
        return perf_counter() - begin

    return run


def on_store(call: Callable[[SessionStore], object], filled: int = 0) -> Callable[[int], float]:
    """Time calls of a new store on the memory backend."""

    def run(loops: int) -> float:
        with open_store("memory:") as store:
            store.add_messages(KEY, [MESSAGE] * filled)
            begin = perf_counter()
            for _ in range(loops):
                call(store)
            return perf_counter() - begin

    return run


if __name__ == "__main__":
    comparison = Comparison()
    comparison.functions(
        "add_message",
        {
            "backend": on_backend(
                lambda backend: backend.sessionkit_add_messages(KEY, (Message.simple("user", "hello"),), "w")
            ),
            "store": on_store(lambda store: store.add_message(KEY, "user", "hello")),
        },
    )
    comparison.functions(
        "add_full_message",
        {
            "backend": on_backend(lambda backend: backend.sessionkit_add_messages(KEY, (MESSAGE,), "w")),
            "store": on_store(lambda store: store.add_full_message(KEY, MESSAGE)),
        },
    )
    comparison.functions(
        f"get_history, the last {TAIL} of 1,000",
        {
            "backend": on_backend(lambda backend: backend.sessionkit_get_history(KEY, -TAIL, TAIL), filled=1000),
            "store": on_store(lambda store: store.get_history(KEY, TAIL), filled=1000),
        },
    )
