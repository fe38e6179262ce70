"""The files of ``examples/redis``, tried with a real server."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Any

import pytest
import redis
import yaml

from sessionkit import BackendUnavailableError, Level, SessionStore, open_store

EXAMPLE = Path(__file__).parents[3] / "examples/redis"
PAGE = Path(__file__).parents[3] / "docs/explanation/redis-format.md"
PASSWORD = "s3cret-of-the-tests"


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """What the containers' directories are here: the data, and the configuration with a password of our own."""
    users = (EXAMPLE / "users.acl.in").read_text("utf-8")
    hashed = hashlib.sha256(PASSWORD.encode()).hexdigest()
    (tmp_path / "users.acl").write_text(users.replace("PASSWORD_SHA256", hashed))
    settings = (EXAMPLE / "valkey.conf").read_text("utf-8")
    settings = settings.replace("/etc/valkey/", f"{tmp_path}/").replace("dir /data", f"dir {tmp_path}/data")
    (tmp_path / "valkey.conf").write_text(settings)
    (tmp_path / "data").mkdir()
    return tmp_path


@pytest.fixture
def production(start_server: Any, directory: Path) -> Any:
    return start_server(config=directory / "valkey.conf")


def source(server: Any, **options: object) -> dict[str, Any]:
    settings = {"socket": str(server.socket), "username": "sessionkit", "password": PASSWORD, **options}
    return {"backend": "redis", "on_write_error": "raise", "backends": {"redis": settings}}


def test_compose_mounts_what_the_configuration_names_and_keeps_the_data() -> None:
    compose = yaml.safe_load((EXAMPLE / "compose.yaml").read_text("utf-8"))
    service = compose["services"]["valkey"]
    mounts = dict(volume.split(":")[:2] for volume in service["volumes"])
    assert mounts == {
        "data": "/data",
        "./valkey.conf": "/etc/valkey/valkey.conf",
        "./users.acl": "/etc/valkey/users.acl",
    }
    assert "data" in compose["volumes"]
    assert service["command"][1] == mounts["./valkey.conf"]
    settings = (EXAMPLE / "valkey.conf").read_text("utf-8")
    assert f"dir {mounts['data']}\n" in settings
    assert f"aclfile {mounts['./users.acl']}\n" in settings
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])


def test_the_user_has_the_rights_that_the_documentation_names() -> None:
    documented = re.search(r"these rights is enough: `([^`]+)`", PAGE.read_text("utf-8"))
    assert documented is not None
    users = (EXAMPLE / "users.acl.in").read_text("utf-8").split()
    assert set(documented[1].split()) <= set(users)


@pytest.mark.parametrize("durability", ["none", "aof"])
def test_the_user_can_do_everything_and_the_doctor_has_nothing_to_complain_of(production: Any, durability: str) -> None:
    with open_store(source(production, durability=durability)) as store:
        store.add_messages("k", [{"role": "user", "content": str(number)} for number in range(1200)])
        store.set_history("k", [{"role": "user", "content": str(number)} for number in range(1200)])
        store.update_session("k", summary="s", metadata={"n": 1}, aliases=["a"])
        store.truncate_history("k", 300)
        assert len(store.get_history("k")) == 300
        assert [info.key for info in store.list_sessions()] == ["k"]
        found = store.diagnose()
        assert [str(finding) for finding in found if finding.level in (Level.WARNING, Level.PROBLEM)] == []
        assert {"eviction", "persistence", "memory"} <= {
            finding.check for finding in found if finding.level is Level.OK
        }
        assert store.delete_session("k")


def test_nobody_else_gets_in_and_the_user_gets_no_further(production: Any) -> None:
    with production.client() as stranger, pytest.raises(redis.exceptions.AuthenticationError):
        stranger.get("sessionkit:format")
    user: Any = redis.Redis(unix_socket_path=str(production.socket), username="sessionkit", password=PASSWORD)
    with user:
        for command in (("GET", "theirs"), ("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "save"), ("SHUTDOWN",)):
            with pytest.raises(redis.exceptions.NoPermissionError):
                user.execute_command(*command)


def test_what_is_stored_outlives_a_server_that_is_killed(production: Any, directory: Path, start_server: Any) -> None:
    with open_store(source(production, durability="aof")) as store:
        store.add_message("k", "user", "hello")
    production.process.kill()
    production.process.wait()
    again = start_server(config=directory / "valkey.conf")
    with open_store(source(again)) as store:
        assert [message.text for message in store.get_history("k")] == ["hello"]


def test_a_full_server_refuses_and_keeps_what_it_has(start_server: Any, directory: Path) -> None:
    small = (directory / "valkey.conf").read_text().replace("maxmemory 2gb", "maxmemory 3mb")
    (directory / "valkey.conf").write_text(small)
    server = start_server(config=directory / "valkey.conf")
    with open_store(source(server)) as store:
        kept = _fill(store)
        assert kept
        assert all(len(store.get_history(key)) == 1 for key in kept)


def _fill(store: SessionStore) -> list[str]:
    """Write until the server is full; the sessions that it took."""
    kept: list[str] = []
    for number in range(100):
        try:
            store.add_message(f"k{number}", "user", "x" * 100_000)
        except BackendUnavailableError as error:
            if "is full (maxmemory)" not in str(error):
                raise
            return kept
        kept.append(f"k{number}")
    pytest.fail("the server took more than it has room for")
