"""The options of the redis backend."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import attrs
import msgspec

from sessionkit.plugins import option

_Port = Annotated[int, msgspec.Meta(ge=1, le=65_535)]
_Number = Annotated[int, msgspec.Meta(ge=0)]
_AtLeastOne = Annotated[int, msgspec.Meta(ge=1)]
_Seconds = Annotated[float, msgspec.Meta(gt=0)]
_SecondsOrNone = Annotated[float, msgspec.Meta(ge=0)]

DEFAULT_PORT: Final = 6379


@attrs.frozen(kw_only=True)
class RedisOptions:
    """Where the server is, how to reach it, and what a write waits for."""

    host: str = option(default="localhost", help="the server's name or address")
    port: _Port = option(default=DEFAULT_PORT, help="the server's port")
    socket: Path | None = option(default=None, help="a Unix socket, in place of host and port")
    nodes: str = option(default="", help="host:port,host:port of some nodes of a cluster, or of the sentinels")
    mode: Literal["single", "cluster", "sentinel", "embedded"] = option(default="single", help="what answers there")
    directory: Path | None = option(default=None, help="where an embedded server keeps its data")
    master: str = option(default="", help="the name that the sentinels know the server by")
    database: _Number = option(default=0, help="the number of the database; a cluster has only 0")
    username: str = option(default="", help="the user of the server's access control list")
    password: str = option(default="", help="the password", secret=True)
    credential_provider: Any = option(
        default=None,
        help="in place of both, what gives them: package.module:attribute, the name of an entry point, or an object",
    )
    sentinel_username: str = option(default="", help="the user for the sentinels themselves")
    sentinel_password: str = option(default="", help="the password for the sentinels themselves", secret=True)
    tls: bool = option(default=False, help="encrypt the connection and check the server's certificate")
    tls_ca: Path | None = option(default=None, help="certificates to trust, in place of the system's")
    tls_certificate: Path | None = option(default=None, help="the certificate that this client shows")
    tls_key: Path | None = option(default=None, help="its key")
    prefix: str = option(default="sessionkit", help="what the names of all keys begin with")
    ttl: _SecondsOrNone = option(default=0.0, help="seconds after its last write that a session ends; 0: never")
    durability: Literal["none", "replicas", "aof"] = option(
        default="none", help="what a write waits for: nothing, copies on replicas, or the server's disk"
    )
    replicas: _AtLeastOne = option(default=1, help="how many replicas must have a write, with durability = replicas")
    timeout: _Seconds = option(default=5.0, help="seconds to wait for a connection or a reply")
    deadline: _Seconds = option(
        default=10.0, help="seconds after which an operation that is tried again and again gives up"
    )
    max_connections: _AtLeastOne = option(default=64, help="connections open at once")
    max_message_bytes: _AtLeastOne = option(default=64 * 1024 * 1024, help="the longest message that is written")
    client: Any = option(default=None, help="a client of redis-py made by the program, in place of all the above")


@attrs.frozen(kw_only=True)
class TLSRedisOptions(RedisOptions):
    """The same for the names that ask for encryption."""

    tls: bool = option(default=True, help="encrypt the connection and check the server's certificate")
