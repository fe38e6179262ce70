"""How commands reach the server: one at a time, or several that are done in one step."""

from __future__ import annotations

from typing import Any, Protocol, TypeAlias

import attrs
from redis import Redis
from redis.exceptions import ExecAbortError, ResponseError

Command: TypeAlias = tuple[Any, ...]


@attrs.define(eq=False)
class Step:
    """Commands on keys of one slot, between which nobody else's command is done.

    Attributes:
        packed: their bytes, which are made once for a step that is done often.
    """

    commands: tuple[Command, ...]
    packed: list[bytes] | None = None


class Commands(Protocol):
    """Sends commands and answers with their replies. Errors are those of redis-py."""

    def call(self, *command: Any) -> Any:
        """The reply to a command."""

    def do(self, step: Step) -> list[Any]:
        """The replies to the commands of a step."""


def commands_of(client: Any) -> Commands:
    """The shortest way to the server that a client of redis-py offers."""
    plain = isinstance(client, Redis) and type(client).execute_command is Redis.execute_command
    if plain and client.connection is None:  # a client with one connection for all threads has a lock of its own
        return Direct(client.connection_pool)
    return Routed(client)


@attrs.frozen
class Direct:
    """Commands on connections of a pool, of one server or behind sentinels.

    What ``Redis.execute_command`` adds is left out: it takes about as long as the server does, and it would send a
    write again by rules of its own when the program's client has a ``retry``, as it has by default.
    """

    pool: Any

    def call(self, *command: Any) -> Any:
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
        except ResponseError:
            raise
        except BaseException:  # as above
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
    except ExecAbortError as error:
        raise refused or error from None
    for reply in replies:
        if isinstance(reply, Exception):
            raise reply
    return replies


@attrs.frozen
class Routed:
    """Commands by the client itself, which finds their nodes in a cluster."""

    client: Any

    def call(self, *command: Any) -> Any:
        """See :class:`Commands`."""
        return self.client.execute_command(*command)

    def do(self, step: Step) -> list[Any]:
        """See :class:`Commands`."""
        pipeline = self.client.pipeline(transaction=True)
        for command in step.commands:
            pipeline.execute_command(*command)
        replies: list[Any] = pipeline.execute()
        return replies
