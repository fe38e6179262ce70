"""What the facade costs: a call of the store, against the same call of its backend.

The backend does nothing but answer. What it would do takes its own time, the same on both sides, and its noise
would hide the difference.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from time import perf_counter

from comparing import Comparison

from sessionkit import History, Message, SessionStore, Version, hookimpl
from sessionkit.memory import MemoryBackend
from sessionkit.store.runtime import Recipe

KEY = "bench:facade"
TAIL = 20

MESSAGE = Message.from_dict(
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "call_1", "type": "function", "function": {"name": "add", "arguments": '{"a":1,"b":2}'}}],
    }
)
HISTORY = History(messages=[MESSAGE] * TAIL, start=980, total=1000, version="v", generation="g")


class Answering(MemoryBackend):
    """Answers an append and a read of a history at once."""

    @hookimpl
    def sessionkit_add_messages(self, key: str, messages: Sequence[Message], write_id: str) -> Version:
        """Keep nothing."""
        return "v"

    @hookimpl
    def sessionkit_get_history(self, key: str, start: int, limit: int | None) -> History:
        """The same stretch every time."""
        return HISTORY


BACKEND = Answering()
STORE = SessionStore(Recipe(name="answering", source="this benchmark", backend=lambda: BACKEND))


def repeated(call: Callable[[], object]) -> Callable[[int], float]:
    """The seconds that a number of calls take."""

    def run(loops: int) -> float:
        begin = perf_counter()
        for _ in range(loops):
            call()
        return perf_counter() - begin

    return run


if __name__ == "__main__":
    comparison = Comparison()
    comparison.functions(
        "add_message",
        {
            "backend": repeated(lambda: BACKEND.sessionkit_add_messages(KEY, (Message.simple("user", "hello"),), "w")),
            "store": repeated(lambda: STORE.add_message(KEY, "user", "hello")),
        },
    )
    comparison.functions(
        "add_full_message",
        {
            "backend": repeated(lambda: BACKEND.sessionkit_add_messages(KEY, (MESSAGE,), "w")),
            "store": repeated(lambda: STORE.add_full_message(KEY, MESSAGE)),
        },
    )
    comparison.functions(
        f"get_history, the last {TAIL} of 1,000",
        {
            "backend": repeated(lambda: BACKEND.sessionkit_get_history(KEY, -TAIL, TAIL)),
            "store": repeated(lambda: STORE.get_history(KEY, TAIL)),
        },
    )
