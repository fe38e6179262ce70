"""An agent loop whose storage is configuration: nothing here names a backend.

    python agent_loop.py "add 2 3"
    SESSIONKIT_BACKEND=json python agent_loop.py "add 2 3"
    SESSIONKIT_URL=jsonl:sessions python agent_loop.py "add 2 3"

Each run continues the conversation where the last one stopped. The model is a stand-in that calls its tool
once: put a call of yours in its place.
"""

from __future__ import annotations

import json
import sys

from sessionkit import Message, open_store

KEY = "example:calculator"


def model(messages: list[Message]) -> Message:
    last = messages[-1]
    if last.role == "tool":
        return Message.simple("assistant", f"The sum is {last.text}.")
    numbers = [int(word) for word in last.text.split() if word.lstrip("-").isdigit()]
    function = {"name": "add", "arguments": json.dumps({"numbers": numbers})}
    call = {"id": "call_0", "type": "function", "function": function}
    return Message.from_dict({"role": "assistant", "content": None, "tool_calls": [call]})


def add(numbers: list[int]) -> str:
    return str(sum(numbers))


def main() -> None:
    question = " ".join(sys.argv[1:]) or "add 2 3"
    with open_store() as store:
        store.add_message(KEY, "user", question)
        while True:
            reply = model(store.get_history(KEY, limit=20))
            store.add_full_message(KEY, reply)
            if not reply.tool_calls:
                break
            results = [
                Message.from_dict(
                    {"role": "tool", "tool_call_id": call.id, "content": add(**json.loads(call.arguments))}
                )
                for call in reply.tool_calls
            ]
            store.add_messages(KEY, results)
        store.save(KEY)
        print(reply.text)
        print(f"{store.get_session(KEY, limit=0).count} messages are stored.")


if __name__ == "__main__":
    main()
