"""How commands reach the server: one at a time, or several that are done in one step."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias

import attrs
from redis import Redis
from redis.cluster import RedisCluster
from redis.exceptions import (
    AskError,
    ClusterDownError,
    ConnectionError,
    MovedError,
    RedisClusterException,
    RedisError,
    ResponseError,
    TimeoutError,
)

Command: TypeAlias = tuple[Any, ...]


@attrs.define(eq=False)
class Step:
    """Commands on keys of one slot, between which nobody else's command is done.

    Attributes:
        key: one of the keys.
        packed: their bytes, which are made once for a step that is done often.
    """

    key: bytes
    commands: tuple[Command, ...]
    packed: list[bytes] | None = None


class Commands(Protocol):
    """Sends commands and answers with their replies. Errors are those of redis-py."""

    def call(self, key: bytes, *command: Any) -> Any:
        """The reply to a command; the key is one of those that it is about."""

    def do(self, step: Step) -> list[Any]:
        """The replies to the commands of a step."""


def commands_of(client: Any) -> Commands:
    """The shortest way to the server that a client of redis-py offers."""
    plain = isinstance(client, Redis) and type(client).execute_command is Redis.execute_command
    if plain and client.connection is None:  # a client with one connection for all threads has a lock of its own
        return Direct(client.connection_pool)
    if isinstance(client, RedisCluster) and type(client).execute_command is RedisCluster.execute_command:
        return ByNode(client)
    return Indirect(client)


@attrs.frozen
class Direct:
    """Commands on connections of a pool, of one server or behind sentinels.

    What ``Redis.execute_command`` adds is left out: it takes about as long as the server does, and it would send a
    write again by rules of its own when the program's client has a ``retry``, as it has by default.
    """

    pool: Any

    def call(self, key: bytes, *command: Any) -> Any:
        """See :class:`Commands`."""
        connection = self.pool.get_connection()
        try:
            connection.send_command(*command)
            return connection.read_response()
        except ResponseError:
            raise
        except BaseException:  # an interrupt, too: the reply may still come, and must not answer the next command
            connection.disconnect()
            raise
        finally:
            self.pool.release(connection)

    def do(self, step: Step) -> list[Any]:
        """See :class:`Commands`."""
        connection = self.pool.get_connection()
        try:
            if step.packed is None:
                step.packed = connection.pack_commands([("MULTI",), *step.commands, ("EXEC",)])
            connection.send_packed_command(step.packed)
            return _replies_to_step(connection, len(step.commands))
        except BaseException:  # as above; and who may not EXEC would leave the transaction open to the next command
            connection.disconnect()
            raise
        finally:
            self.pool.release(connection)


def _replies_to_step(connection: Any, commands: int) -> list[Any]:
    refused = None
    for _ in range(1 + commands):  # MULTI, and each command: what the server does not even queue is told here
        try:
            connection.read_response()
        except ResponseError as error:
            refused = refused or error
    try:
        replies: list[Any] = connection.read_response()
    except ResponseError as error:  # it only tells that a command was refused
        raise refused or error from None
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


@attrs.frozen
class ByNode:
    """Commands on connections of the node of a cluster that has the key."""

    client: RedisCluster

    def call(self, key: bytes, *command: Any) -> Any:
        """See :class:`Commands`."""
        with node_of(self.client, key) as node:
            try:
                return Direct(node.connection_pool).call(key, *command)
            except AskError:  # a MovedError is one, too; nothing was done, and the client knows how to follow
                return Indirect(self.client).call(key, *command)

    def do(self, step: Step) -> list[Any]:
        """See :class:`Commands`."""
        with node_of(self.client, step.key) as node:
            try:
                return Direct(node.connection_pool).do(step)
            except AskError:
                return Indirect(self.client).do(step)


@attrs.frozen
class Indirect:
    """Commands by the methods of the client."""

    client: Any

    def call(self, key: bytes, *command: Any) -> Any:
        """See :class:`Commands`."""
        return self.client.execute_command(*command)

    def do(self, step: Step) -> list[Any]:
        """See :class:`Commands`."""
        pipeline = self.client.pipeline(transaction=True)
        for command in step.commands:
            pipeline.execute_command(*command)
        replies: list[Any] = pipeline.execute()
        return replies


@contextlib.contextmanager
def node_of(client: Any, key: bytes) -> Iterator[Any]:
    """A client of the node of a cluster that has a key; where there is no cluster, the client itself.

    What tells that the cluster has changed makes the client look again who has what, before it is raised: the driver
    does so only where it chooses the node itself.
    """
    if not isinstance(client, RedisCluster):
        yield client
        return
    try:
        yield client.get_redis_connection(client.get_node_from_key(key))  # type: ignore[no-untyped-call]
    except (MovedError, ClusterDownError, ConnectionError, TimeoutError, RedisClusterException):
        with contextlib.suppress(RedisError, RedisClusterException):
            client.nodes_manager.initialize()
        raise
