"""The ``jsonl`` backend of sessionkit: an append-only log for each session, durable on every write."""

from __future__ import annotations

from sessionkit.plugins import BackendPlugin, Capability, read_path
from sessionkit_jsonl.archive import Chunk, read_archive, read_chunks
from sessionkit_jsonl.backend import JSONLBackend
from sessionkit_jsonl.options import JSONLOptions

__all__ = ["Chunk", "JSONLBackend", "JSONLOptions", "plugin", "read_archive", "read_chunks"]

plugin = BackendPlugin(
    options=JSONLOptions,
    factory=JSONLBackend,
    read_url=read_path,
    capabilities={Capability.PERSISTENT, Capability.DURABLE, Capability.MULTI_PROCESS},
    api_version=(1, 1),
)
