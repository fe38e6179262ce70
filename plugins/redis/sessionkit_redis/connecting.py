"""A client of the server: one server, a cluster, or a server that sentinels know."""

from __future__ import annotations

from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.cluster import ClusterNode, RedisCluster
from redis.retry import Retry
from redis.sentinel import Sentinel

from sessionkit.errors import ConfigError
from sessionkit_redis import credentials
from sessionkit_redis.options import DEFAULT_PORT, RedisOptions

_SENTINEL_PORT: Final = 26379


def connect(options: RedisOptions) -> Any:
    """A client of the driver for what the options say. Most of them connect at the first call.

    Raises:
        ConfigError: options that contradict each other.
        redis.exceptions.RedisError: no node of a cluster answers.
    """
    if options.client is not None:
        return _checked(options.client)
    if options.mode == "cluster":
        nodes = [_node(host, port) for host, port in addresses(options.nodes, DEFAULT_PORT)]
        return RedisCluster(
            startup_nodes=nodes,
            max_connections=options.max_connections,
            **_common(options),
            **_tls(options),
        )
    if options.mode == "sentinel":
        return _of_sentinels(options)
    where: dict[str, Any] = (
        {"unix_socket_path": str(options.socket)}
        if options.socket is not None
        else {"host": options.host, "port": options.port, **_tls(options)}
    )
    pool: dict[str, Any] = {"db": options.database, "max_connections": options.max_connections}
    return redis.Redis(**where, **pool, **_common(options))


def name(options: RedisOptions) -> str:
    """What the server is called in errors."""
    if options.client is not None:
        return "the server"
    if options.mode in ("cluster", "sentinel"):
        return f"the {options.mode} of {options.nodes}"
    if options.socket is not None:
        return f"the server at {options.socket}"
    return f"the server at {options.host}:{options.port}"


def addresses(text: str, port: int) -> list[tuple[str, int]]:
    """The hosts and ports in a list such as ``h1:7000,[::1]:7001,h3``.

    >>> addresses("h1:7000,[::1]:7001,h3", 6379)
    [('h1', 7000), ('::1', 7001), ('h3', 6379)]
    """
    found = []
    for item in text.split(","):
        host, colon, number = item.strip().rpartition(":")
        if not colon or item.strip().endswith("]"):
            host, number = item.strip(), str(port)
        if not host or not number.isdigit():
            raise ConfigError("nodes is a list of addresses such as host:7000,host:7001")
        found.append((host.strip("[]"), int(number)))
    return found


def _node(host: str, port: int) -> ClusterNode:
    return ClusterNode(host, port)  # type: ignore[no-untyped-call]


def _of_sentinels(options: RedisOptions) -> Any:
    if not options.master:
        raise ConfigError("with sentinels the option master says the name of the server that is asked for")
    own = {"username": options.sentinel_username or None, "password": options.sentinel_password or None}
    sentinel: Any = Sentinel(  # type: ignore[no-untyped-call]
        addresses(options.nodes, _SENTINEL_PORT),
        sentinel_kwargs={**own, "socket_timeout": options.timeout, **_tls(options)},
        **_common(options),
        **_tls(options),
    )
    return sentinel.master_for(options.master, db=options.database, max_connections=options.max_connections)


def _common(options: RedisOptions) -> dict[str, Any]:
    provider = credentials.provider(options.credential_provider)
    if provider is not None and (options.username or options.password):
        raise ConfigError("credential_provider gives user name and password; say either it or username and password")
    return {
        "credential_provider": provider,
        "username": options.username or None,
        "password": options.password or None,
        "socket_timeout": options.timeout,
        "socket_connect_timeout": options.timeout,
        "retry": Retry(NoBackoff(), 0),
    }


def _tls(options: RedisOptions) -> dict[str, Any]:
    if not options.tls:
        return {}
    files = {"ssl_ca_certs": options.tls_ca, "ssl_certfile": options.tls_certificate, "ssl_keyfile": options.tls_key}
    return {"ssl": True, **{name: str(path) for name, path in files.items() if path is not None}}


def _checked(client: Any) -> Any:
    if not hasattr(client, "execute_command"):
        raise ConfigError(f"client is a client of redis-py, not {type(client).__name__}")
    if client.get_encoder().decode_responses:
        raise ConfigError("client answers text (decode_responses=True); make one that answers bytes")
    return client
