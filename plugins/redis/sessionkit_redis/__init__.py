"""The ``redis`` backend of sessionkit: sessions in Redis or Valkey, one server, Sentinel or Cluster."""

from __future__ import annotations

import attrs

from sessionkit.plugins import BackendPlugin, Capability
from sessionkit_redis.backend import RedisBackend
from sessionkit_redis.durability import NotReplicatedError
from sessionkit_redis.options import RedisOptions, TLSRedisOptions
from sessionkit_redis.urls import read_url

__all__ = ["NotReplicatedError", "RedisBackend", "RedisOptions", "TLSRedisOptions", "plugin"]

plugin = BackendPlugin(
    options=RedisOptions,
    factory=RedisBackend,
    read_url=read_url,
    capabilities={Capability.PERSISTENT, Capability.MULTI_PROCESS, Capability.EXPIRY},
    api_version=(1, 1),
)
alias = attrs.evolve(plugin, shares_options_of="redis")
tls_alias = attrs.evolve(alias, options=TLSRedisOptions)
