"""Let openai-agents write a database: ``python openai_agents_database.py PATH``. Prints the items of each session.

The model is a script, so that nothing is asked of a network.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from agents import Agent, Runner, SQLiteSession, function_tool, set_tracing_disabled
from agents.testing import ScriptedModel, assistant_message, function_call

LOOK: list[Any] = [
    {"role": "user", "content": [{"type": "input_text", "text": "Look"}, {"type": "input_image", "image_url": "u"}]},
    {"id": "rs_1", "type": "reasoning", "summary": [{"type": "summary_text", "text": "An image"}]},
    {"id": "ws_1", "type": "web_search_call", "status": "completed", "action": {"type": "search", "query": "q"}},
    {"role": "assistant", "content": "It is blue."},
]


def weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"sunny in {city}"


async def main(path: str) -> None:
    """Two calls at once in one session, other items in another, and an empty third one."""
    calls = [function_call("weather", {"city": city}, call_id=f"call_{city}") for city in ("Oslo", "Rome")]
    agent = Agent(
        name="guide", model=ScriptedModel([calls, [assistant_message("Sunny.")]]), tools=[function_tool(weather)]
    )
    chat, look, empty = (SQLiteSession(name, path) for name in ("chat", "look", "empty"))
    await Runner.run(agent, "Weather in Oslo and Rome?", session=chat)
    await look.add_items(LOOK)
    await empty.add_items(LOOK[:1])
    await empty.pop_item()
    print(json.dumps({session.session_id: await session.get_items() for session in (chat, look, empty)}))
    for session in (chat, look, empty):
        session.close()


if __name__ == "__main__":
    set_tracing_disabled(True)
    asyncio.run(main(sys.argv[1]))
