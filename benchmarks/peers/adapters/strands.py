"""The FileSessionManager of strands, used as its agent uses it: a file for each message, with the next number."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from peers.contract import BaseSession, Plain
from strands.session import FileSessionManager
from strands.types.session import SessionAgent, SessionMessage

AGENT = "agent"


class _Session(BaseSession):
    def __init__(self, place: str, key: str) -> None:
        self._key = key
        self._manager = FileSessionManager(session_id=key, storage_dir=place)
        if self._manager.read_agent(key, AGENT) is None:
            self._manager.create_agent(key, SessionAgent(AGENT, {}, {}))
        messages = self._manager.list_messages(key, AGENT)
        self._next = messages[-1].message_id + 1 if messages else 0

    async def append(self, message: Any) -> None:
        self._manager.create_message(self._key, AGENT, SessionMessage.from_message(message, self._next))
        self._next += 1

    async def read(self) -> Sequence[Any]:
        return [one.to_message() for one in self._manager.list_messages(self._key, AGENT)]

    async def last(self, count: int) -> Sequence[Any]:
        start = max(0, self._next - count)
        return [one.to_message() for one in self._manager.list_messages(self._key, AGENT, offset=start)]


class _Peer:
    def native(self, message: Plain) -> Any:
        """The blocks of Bedrock. There is no role for system messages and tools, and the name of a tool is left out."""
        if message["role"] == "tool":
            content = [{"text": message.get("content") or ""}]
            result = {"toolUseId": message["tool_call_id"], "status": "success", "content": content}
            return {"role": "user", "content": [{"toolResult": result}]}
        blocks: list[dict[str, Any]] = [{"text": message["content"]}] if message.get("content") else []
        for call in message.get("tool_calls") or []:
            function = call["function"]
            asked = {"toolUseId": call["id"], "name": function["name"], "input": json.loads(function["arguments"])}
            blocks.append({"toolUse": asked})
        return {"role": message["role"], "content": blocks}

    def plain(self, message: Any) -> Plain:
        calls, text, result = [], "", None
        for block in message["content"]:
            text += block.get("text", "")
            if "toolUse" in block:
                use = block["toolUse"]
                calls.append({"id": use["toolUseId"], "function": {"name": use["name"], "arguments": use["input"]}})
            result = block.get("toolResult", result)
        if result is not None:
            text = "".join(part["text"] for part in result["content"])
            return {"role": "tool", "tool_call_id": result["toolUseId"], "content": text}
        return {"role": message["role"], "content": text, "tool_calls": calls}

    async def open(self, place: str, key: str) -> BaseSession:
        return _Session(place, key)

    async def shut(self) -> None:
        pass


PEERS = {"file": _Peer}
