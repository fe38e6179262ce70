"""Which of the commands that the backend needs the user may not run, found out by running them on keys of their own."""

from __future__ import annotations

import os
from typing import Any, Final

from redis.cluster import RedisCluster
from redis.exceptions import NoPermissionError, ResponseError

_REFUSALS: Final = ("NOPERM", "can't run this command", "no permissions")

_SCRIPT: Final = """\
local text, list, other, hash, set = unpack(KEYS)
local refused = {}
local function try(name, ...)
  local answer = redis.pcall(name, ...)
  if type(answer) == 'table' and answer.err then refused[#refused + 1] = name .. ' ' .. answer.err end
end
try('set', text, '1', 'PX', 60000)
try('get', text)
try('exists', text)
try('pexpire', text, 60000)
try('persist', text)
try('rpush', list, '1', '2')
try('llen', list)
try('lrange', list, 0, -1)
try('ltrim', list, 0, 0)
try('rename', list, other)
try('hset', hash, 'f', '1')
try('hget', hash, 'f')
try('hmget', hash, 'f')
try('hexists', hash, 'f')
try('zadd', set, 0, '1')
try('zcard', set)
try('zrangebylex', set, '-', '+', 'LIMIT', 0, 1)
try('zrem', set, '1')
try('time')
try('unlink', text, list, other, hash, set)
return refused
"""


def refused(client: Any, prefix: str) -> list[str]:
    """The commands that the server does not let this user run, such as ``zrangebylex``; empty when all are allowed.

    Raises:
        redis.exceptions.RedisError: the server does not answer.
    """
    nonce = os.urandom(8).hex()
    keys = [f"{prefix}:{{probe}}:{nonce}:{number}" for number in range(5)]
    try:
        answers = client.execute_command("EVAL", _SCRIPT, len(keys), *keys)
    except NoPermissionError:
        return ["eval"]
    except ResponseError as error:
        if _is_refusal(str(error)):
            return ["eval"]
        raise
    texts = [answer.decode(errors="replace") for answer in answers]
    return [*_refused_transaction(client, keys[0]), *(text.split(" ")[0] for text in texts if _is_refusal(text))]


def _refused_transaction(client: Any, key: str) -> list[str]:
    """Whether several commands may be run as one, which no script can try."""
    if isinstance(client, RedisCluster):
        client = client.get_redis_connection(client.get_node_from_key(key))  # type: ignore[no-untyped-call]
    connection = client.connection_pool.get_connection()
    lacking = []
    try:
        for command in ("multi", "exec"):
            connection.send_command(command)
            try:
                connection.read_response()
            except ResponseError as error:
                lacking += [command] if _is_refusal(str(error)) else []
    finally:
        connection.disconnect()  # it may be in the middle of a transaction
        client.connection_pool.release(connection)
    return lacking


def _is_refusal(text: str) -> bool:
    return any(part in text for part in _REFUSALS)
