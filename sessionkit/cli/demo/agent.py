"""A small shop assistant: an agent loop with tools that keeps its conversation in a store.

It knows nothing of where the conversation is kept: that is configuration. Its model is a script, so that it
needs no network and says the same each time; everything else is what an agent does.

    python demo_agent.py talk    answer three questions, summarise, keep the last turn
    python demo_agent.py read    print what is stored
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

from sessionkit import Message, SessionStore, open_store

KEY = "demo:shop"

TOOLS: dict[str, Callable[..., Any]] = {
    "count_stock": lambda item: {"item": item, "left": 12},
    "find_price": lambda item, count: {"item": item, "count": count, "euros": 9 * count},
    "reserve": lambda item, count: {"order": "A-17", "item": item, "count": count},
}

SCRIPT: dict[str, tuple[str, dict[str, Any], str]] = {
    "How many blue mugs are left?": ("count_stock", {"item": "blue mug"}, "There are {left} blue mugs left."),
    "What do two of them cost?": ("find_price", {"item": "blue mug", "count": 2}, "Two cost {euros} euros."),
    "Put two aside for me, please.": ("reserve", {"item": "blue mug", "count": 2}, "Done: your order is {order}."),
}


def main() -> None:
    with open_store() as store:
        if sys.argv[1:] == ["talk"]:
            talk(store)
        else:
            read(store)


def talk(store: SessionStore) -> None:
    for question in SCRIPT:
        print(f"user: {question}")
        print(f"assistant: {answer(store, question)}")
    before = store.get_session(KEY, limit=0)
    store.truncate_history(
        KEY, keep_last=4, whole_turns=True, summary="The customer asked for blue mugs: 12 left, two cost 18 euros."
    )
    store.save(KEY)
    print(f"{before.count} messages became a summary and {store.get_session(KEY, limit=0).count} messages, saved")


def answer(store: SessionStore, question: str) -> str:
    """The loop: ask the model, run the tools it calls, until it answers."""
    store.add_message(KEY, "user", question)
    while True:
        reply = model(store.get_history(KEY))
        store.add_full_message(KEY, reply)
        if not reply.tool_calls:
            return reply.text
        store.add_messages(KEY, [run(call.id, call.name, call.arguments) for call in reply.tool_calls])


def run(call_id: str, name: str, arguments: str) -> Message:
    result = TOOLS[name](**json.loads(arguments))
    return Message.from_dict({"role": "tool", "tool_call_id": call_id, "name": name, "content": json.dumps(result)})


def model(messages: list[Message]) -> Message:
    """What a language model does: read the conversation, and answer or call a tool."""
    question = next(message.text for message in reversed(messages) if message.role == "user")
    tool, arguments, sentence = SCRIPT[question]
    if messages[-1].role == "tool":
        return Message.simple("assistant", sentence.format(**json.loads(messages[-1].text)))
    function = {"name": tool, "arguments": json.dumps(arguments)}
    call = {"id": f"call_{len(messages)}", "type": "function", "function": function}
    return Message.from_dict({"role": "assistant", "content": None, "tool_calls": [call]})


def read(store: SessionStore) -> None:
    session = store.get_session(KEY)
    print(f"summary: {session.summary}")
    for message in session.messages:
        calls = ", ".join(f"{call.name}({call.arguments})" for call in message.tool_calls)
        print(f"{message.role}: {message.text or calls}")


if __name__ == "__main__":
    main()
