"""What a write waits for: replicas, or the disk of the server."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import attrs
from redis.cluster import RedisCluster
from redis.exceptions import (
    ClusterDownError,
    ConnectionError,
    MovedError,
    NoScriptError,
    RedisClusterException,
    RedisError,
    TimeoutError,
)

from sessionkit.errors import OutcomeUnknownError
from sessionkit_redis.commands import Commands
from sessionkit_redis.options import RedisOptions
from sessionkit_redis.scripts import Script


class NotReplicatedError(OutcomeUnknownError):
    """The write is done, but on fewer replicas (or disks) than was asked for: a fail-over now may lose it.

    Repeating it with the same id waits again, and writes nothing twice.
    """


@attrs.frozen
class Writes:
    """Runs scripts that write, and waits as the options say.

    A server counts for WAIT what the same connection wrote before it; so both go through one, in one message.
    """

    client: Any
    commands: Commands
    options: RedisOptions

    def run(self, script: Script, keys: Sequence[bytes], arguments: Sequence[Any]) -> Any:
        """Run a script.

        Raises:
            NotReplicatedError: it is done, and did not reach enough replicas in time.
        """
        if self.options.durability == "none":
            return script.run(self.commands, keys, arguments)
        try:
            answer, reached = self._pipelined(keys, ("EVALSHA", script.digest, len(keys), *keys, *arguments))
        except NoScriptError:
            answer, reached = self._pipelined(keys, ("EVAL", script.text, len(keys), *keys, *arguments))
        self._check(reached)
        return answer

    def _pipelined(self, keys: Sequence[bytes], command: tuple[Any, ...]) -> tuple[Any, Any]:
        pipeline = self._node(keys[0]).pipeline(transaction=False)
        pipeline.execute_command(*command)
        wait = int(self.options.timeout * 800)  # less than the client waits for a reply
        if self.options.durability == "replicas":
            pipeline.execute_command("WAIT", self.options.replicas, wait)
        else:
            pipeline.execute_command("WAITAOF", 1, 0, wait)
        try:
            answer, reached = pipeline.execute(raise_on_error=False)
            if isinstance(answer, Exception):
                raise answer
        except (MovedError, ClusterDownError, ConnectionError, TimeoutError):
            self._look_for_nodes()
            raise
        if isinstance(reached, Exception):
            raise reached
        return answer, reached

    def _look_for_nodes(self) -> None:
        """Learn who serves which slot now: the driver does so only where it chooses the node itself."""
        if isinstance(self.client, RedisCluster):
            with contextlib.suppress(RedisError, RedisClusterException):
                self.client.nodes_manager.initialize()

    def _node(self, key: bytes) -> Any:
        if not isinstance(self.client, RedisCluster):
            return self.client
        node = self.client.get_node_from_key(key)  # type: ignore[no-untyped-call]
        return self.client.get_redis_connection(node)

    def _check(self, reached: Any) -> None:
        if self.options.durability == "aof":
            if reached[0] < 1:
                raise NotReplicatedError("the write is done, and not on the server's disk in time", repeatable=True)
        elif reached < self.options.replicas:
            raise NotReplicatedError(
                f"the write is done, and only {reached} of {self.options.replicas} replicas had it in time; a "
                "fail-over now may lose it",
                repeatable=True,
            )
