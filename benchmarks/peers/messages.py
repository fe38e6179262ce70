"""The conversations that are replayed, and how what comes back is compared with them."""

from __future__ import annotations

import json
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Final

from peers.contract import Plain

REAL: Final = Path(__file__).resolve().parents[3] / "shared" / "data" / "airline-conversations.jsonl"
_WORDS: Final = [
    "please",
    "flight",
    "tomorrow",
    "change",
    "seat",
    "booking",
    "thank",
    "you",
    "certainly",
    "the",
    "your",
    "reservation",
    "number",
    "is",
]


def conversations(number: int, path: Path = REAL) -> tuple[str, list[list[Plain]]]:
    """So many conversations and where they come from: real ones where they lie, generated ones elsewhere."""
    if path.is_file():
        with path.open(encoding="utf-8") as lines:
            return "real", [json.loads(line)["messages"] for line, _ in zip(lines, range(number), strict=False)]
    return "generated", [generated(seed) for seed in range(number)]


def generated(seed: int) -> list[Plain]:
    """A conversation of 26 messages in the sizes of real ones, with tool calls; the same for the same seed."""
    random = Random(seed)
    ids = count()

    def text(words: int) -> str:
        return " ".join(random.choice(_WORDS) for _ in range(words))

    messages: list[Plain] = [{"role": "system", "content": text(900)}]
    for _ in range(5):
        messages += [{"role": "user", "content": text(25)}, *turn(text(30), text(100), f"call_{next(ids)}")[1:]]
        messages += [{"role": "user", "content": text(10)}]
    return messages


def turn(question: str, answer: str, call: str) -> list[Plain]:
    """The four messages of a turn with a tool: user, assistant, tool, assistant."""
    function = {"name": "look_up", "arguments": json.dumps({"what": question})}
    return [
        {"role": "user", "content": question},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [{"id": call, "type": "function", "function": function}],
        },
        {"role": "tool", "tool_call_id": call, "name": "look_up", "content": answer},
        {"role": "assistant", "content": f"This is it: {answer}"},
    ]


def long_history(length: int) -> list[Plain]:
    """Turns with tools, of 300 to 400 bytes a message, no two messages alike."""
    messages: list[Plain] = []
    for number in range(0, length, 4):
        messages += turn(f"question {number} {'x' * 250}", f"result {number} {'y' * 280}", f"call_{number}")
    return messages[:length]


def essence(message: Plain) -> tuple[Any, ...]:
    """What a model would be told of a message: null and empty content are the same, whatever the order of arguments."""
    calls = [
        (call.get("id"), call["function"].get("name"), _arguments(call["function"].get("arguments")))
        for call in message.get("tool_calls") or []
    ]
    content = message.get("content") or ""
    return message.get("role"), content, calls, message.get("tool_call_id") if message.get("role") == "tool" else None


def _arguments(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def equal(written: list[Plain], read: list[Plain]) -> int:
    """How many messages came back in their place with their content."""
    return sum(essence(one) == essence(other) for one, other in zip(written, read, strict=False))
