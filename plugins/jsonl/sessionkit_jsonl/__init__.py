"""The ``jsonl`` backend of sessionkit: an append-only log for each session, durable on every write."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessionkit.plugins import BackendPlugin, Capability, read_path
from sessionkit_jsonl.backend import JSONLBackend
from sessionkit_jsonl.options import JSONLOptions

if TYPE_CHECKING:
    from sessionkit_jsonl.archive import Chunk, read_archive, read_chunks

__all__ = ["Chunk", "JSONLBackend", "JSONLOptions", "plugin", "read_archive", "read_chunks"]

plugin = BackendPlugin(
    options=JSONLOptions,
    factory=JSONLBackend,
    read_url=read_path,
    capabilities={Capability.PERSISTENT, Capability.DURABLE, Capability.MULTI_PROCESS},
    api_version=(1, 1),
)


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from sessionkit_jsonl import archive  # hardly any store has one

    return getattr(archive, name)
