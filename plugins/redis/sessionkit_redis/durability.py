"""What a write waits for: replicas, or the disk of the server."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs
from redis.exceptions import NoScriptError

from sessionkit.errors import OutcomeUnknownError
from sessionkit_redis.commands import Commands, Indirect, node_of
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

    @property
    def may_be_sent_again(self) -> bool:
        """Whether the driver may send a script twice without a word: a client of the program has rules of its own."""
        sends_by_itself = self.options.durability != "none" or isinstance(self.commands, Indirect)
        return self.options.client is not None and sends_by_itself

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
        wait = int(self.options.timeout * 800)  # less than the client waits for a reply
        with node_of(self.client, keys[0]) as node:
            pipeline = node.pipeline(transaction=False)
            pipeline.execute_command(*command)
            if self.options.durability == "replicas":
                pipeline.execute_command("WAIT", self.options.replicas, wait)
            else:
                pipeline.execute_command("WAITAOF", 1, 0, wait)
            answer, reached = pipeline.execute(raise_on_error=False)
            for reply in (answer, reached):
                if isinstance(reply, Exception):
                    raise reply
        return answer, reached

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
