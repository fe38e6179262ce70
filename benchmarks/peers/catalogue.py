"""Who is compared, and what each needs to be installed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

OURS: Final = "sessionkit"


@dataclass(frozen=True)
class Environment:
    """What is installed with pip; the first is the package whose version is told."""

    packages: tuple[str, ...]


@dataclass(frozen=True)
class Contender:
    """A store with one setting. `where` is what it keeps its sessions in."""

    title: str
    adapter: str
    where: str

    @property
    def environment(self) -> str:
        """The environment it runs in; ours is the one of the runner."""
        return self.adapter.partition(":")[0]

    @property
    def is_ours(self) -> bool:
        """Whether it is sessionkit."""
        return self.environment == OURS


ENVIRONMENTS: Final = {
    "openai_agents": Environment(("openai-agents[redis,sqlalchemy]==0.24.0", "aiosqlite")),
    "langchain": Environment(("langchain-community==0.4.2", "sqlalchemy[asyncio]", "redis")),
    "strands": Environment(("strands-agents==1.62.0",)),
    "adk": Environment(("google-adk==2.13.0", "sqlalchemy[asyncio]", "aiosqlite")),
    "agno": Environment(("agno==3.1.10", "sqlalchemy[asyncio]")),
    "llama_index": Environment(  # SimpleChatStore.persist raises a TypeError with pydantic 2.14
        ("llama-index-core==0.14.25", "llama-index-storage-chat-store-redis==0.8.0", "pydantic<2.12")
    ),
    "agent_framework": Environment(("agent-framework-core==1.23.0", "agent-framework-redis==1.0.0b261022")),
    "nanobot": Environment(("nanobot-ai==0.3.5",)),
}

CONTENDERS: Final = (
    Contender("sessionkit memory", "sessionkit:memory", "memory"),
    Contender("sessionkit json", "sessionkit:json", "files"),
    Contender("sessionkit jsonl, always", "sessionkit:jsonl-always", "files"),
    Contender("sessionkit jsonl, interval", "sessionkit:jsonl-interval", "files"),
    Contender("sessionkit jsonl, os", "sessionkit:jsonl-os", "files"),
    Contender("sessionkit redis", "sessionkit:redis", "server"),
    Contender("openai-agents SQLiteSession", "openai_agents:sqlite", "files"),
    Contender("openai-agents SQLAlchemySession", "openai_agents:sqlalchemy", "files"),
    Contender("openai-agents RedisSession", "openai_agents:redis", "server"),
    Contender("LangChain FileChatMessageHistory", "langchain:file", "files"),
    Contender("LangChain SQLChatMessageHistory", "langchain:sql", "files"),
    Contender("LangChain RedisChatMessageHistory", "langchain:redis", "server"),
    Contender("strands FileSessionManager", "strands:file", "files"),
    Contender("Google ADK DatabaseSessionService", "adk:sqlite", "files"),
    Contender("agno SqliteDb", "agno:sqlite", "files"),
    Contender("agno JsonDb", "agno:json", "files"),
    Contender("llama_index SimpleChatStore", "llama_index:simple", "files"),
    Contender("llama_index RedisChatStore", "llama_index:redis", "server"),
    Contender("agent-framework FileHistoryProvider", "agent_framework:file", "files"),
    Contender("agent-framework RedisHistoryProvider", "agent_framework:redis", "server"),
    Contender("nanobot SessionManager", "nanobot:default", "files"),
    Contender("nanobot SessionManager, fsync", "nanobot:fsync", "files"),
)
