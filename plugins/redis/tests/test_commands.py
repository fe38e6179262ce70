"""Commands on connections of a pool."""

from __future__ import annotations

from typing import Any

import pytest
import redis
from redis.cluster import RedisCluster
from redis.crc import key_slot
from sessionkit_redis.commands import ByNode, Direct, Indirect, Step, commands_of


def test_a_client_that_does_more_with_a_command_is_asked_itself(server: Any) -> None:
    class Traced(redis.Redis):
        def execute_command(self, *args: Any, **options: Any) -> Any:
            return super().execute_command(*args, **options)  # type: ignore[no-untyped-call]

    path = str(server.socket)
    with server.client() as plain, Traced(unix_socket_path=path) as traced:
        assert isinstance(commands_of(plain), Direct)
        assert isinstance(commands_of(traced), Indirect)
        with plain.client() as single:
            assert isinstance(commands_of(single), Indirect)


@pytest.mark.parametrize("kind", [Direct, Indirect])
def test_a_step_is_answered_command_by_command(server: Any, kind: Any) -> None:
    with server.client() as client:
        commands = Direct(client.connection_pool) if kind is Direct else Indirect(client)
        step = Step(b"k", (("RPUSH", "step-of-commands", kind.__name__), ("LLEN", "step-of-commands")))
        first = commands.do(step)
        assert first[0] == first[1]
        assert commands.do(step) == [first[0] + 1, first[1] + 1]


@pytest.mark.parametrize("wrong", [("LLEN",), ("NOSUCHCOMMAND",), ("LLEN", "another-kind")])
def test_an_error_in_a_step_is_raised_and_the_connection_stays_in_step(server: Any, wrong: tuple[str, ...]) -> None:
    with server.client() as client:
        client.set("another-kind", "x")
        commands = Direct(client.connection_pool)
        with pytest.raises(redis.ResponseError):
            commands.do(Step(b"k", (("GET", "another-kind"), wrong, ("GET", "another-kind"))))
        assert commands.call(b"k", "ECHO", "next") == b"next"


def test_a_step_that_may_not_be_executed_leaves_no_transaction_to_the_next_command(server: Any) -> None:
    with server.client() as admin:
        rights = ("~*", "+@all", "-exec")
        admin.execute_command("ACL", "SETUSER", "steps", "reset", "on", "nopass", *rights)
        path = str(server.socket)
        with redis.Redis(unix_socket_path=path, username="steps", password="any") as client:
            commands = Direct(client.connection_pool)
            with pytest.raises(redis.ResponseError, match="permission"):
                commands.do(Step(b"k", (("ECHO", "a"),)))
            assert commands.call(b"k", "ECHO", "next") == b"next"
        admin.execute_command("ACL", "DELUSER", "steps")


@pytest.mark.parametrize("step", [True, False])
def test_a_reply_that_was_not_waited_for_answers_no_other_command(
    server: Any, monkeypatch: pytest.MonkeyPatch, step: bool
) -> None:
    def interrupted(connection: Any, *arguments: Any, **keywords: Any) -> None:
        raise KeyboardInterrupt

    with server.client() as client:
        commands = Direct(client.connection_pool)
        commands.call(b"k", "PING")
        with monkeypatch.context() as patched:
            patched.setattr(redis.UnixDomainSocketConnection, "read_response", interrupted)
            with pytest.raises(KeyboardInterrupt):
                commands.do(Step(b"k", (("ECHO", "lost"),))) if step else commands.call(b"k", "ECHO", "lost")
        assert commands.call(b"k", "ECHO", "next") == b"next"


@pytest.mark.slow
def test_a_step_in_a_cluster_goes_to_the_node_of_its_keys(cluster: Any) -> None:
    with RedisCluster(host="127.0.0.1", port=cluster.ports[0]) as client:
        commands = commands_of(client)
        assert isinstance(commands, ByNode)
        for number in range(6):
            key = f"step-{number}"
            assert commands.do(Step(key.encode(), (("RPUSH", key, "x"), ("LLEN", key)))) == [1, 1]


@pytest.mark.slow
@pytest.mark.parametrize("step", [True, False])
def test_a_slot_that_is_not_where_it_was_is_followed(cluster: Any, step: bool) -> None:
    key = b"a slot that moved" + bytes([step])
    with RedisCluster(host="127.0.0.1", port=cluster.ports[0]) as client:
        commands = commands_of(client)
        slots = client.nodes_manager.slots_cache
        others = [nodes for nodes in slots.values() if nodes[0].name != slots[key_slot(key)][0].name]
        slots[key_slot(key)] = others[0]
        if step:
            assert commands.do(Step(key, (("RPUSH", key, "x"), ("LLEN", key)))) == [1, 1]
        else:
            assert commands.call(key, "RPUSH", key, "x") == 1
