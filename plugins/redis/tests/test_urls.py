"""What a URL says, and which cannot be meant."""

from __future__ import annotations

from typing import Any

import pytest
from sessionkit_redis.urls import read_url

from sessionkit import ConfigError
from sessionkit.config import resolve
from sessionkit.plugins import StoreURL


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis:", {"mode": "single", "host": "localhost", "port": 6379, "database": 0, "tls": False}),
        ("redis://cache:7000/3", {"host": "cache", "port": "7000", "database": "3"}),
        ("valkey://cache", {"host": "cache", "tls": False}),
        ("rediss://cache", {"host": "cache", "tls": True}),
        ("valkeys://cache", {"host": "cache", "tls": True}),
        ("redis://[::1]:7000", {"host": "::1", "port": "7000"}),
        ("redis://bot:p%40ss:w@cache", {"username": "bot", "password": "p@ss:w", "host": "cache"}),
        ("redis://:p[w@cache", {"username": "", "password": "p[w", "host": "cache"}),
        ("redis+unix:///run/valkey.sock", {"socket": "/run/valkey.sock"}),
        ("redis+cluster://h1:7000,h2", {"mode": "cluster", "nodes": "h1:7000,h2"}),
        ("rediss+cluster://u:p@h1", {"mode": "cluster", "nodes": "h1", "tls": True, "username": "u"}),
        ("redis+sentinel://s1,s2:26380/main/2", {"mode": "sentinel", "master": "main", "database": "2"}),
        ("redis+embedded:///srv/bot", {"mode": "embedded", "directory": "/srv/bot"}),
    ],
)
def test_a_url_says_where_the_server_is(url: str, expected: dict[str, Any]) -> None:
    options = read_url(StoreURL.parse(url))
    assert {name: options[name] for name in expected} == expected


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("redis://cache/abc", "the number of a database"),
        ("redis://cache/0/1", "the number of a database"),
        ("redis://h1:1,h2:2", "redis\\+cluster or redis\\+sentinel"),
        ("redis:cache", "begins with //"),
        ("redis+embedded:data", "redis\\+embedded:///path"),
        ("rediss+unix:///run/valkey.sock", "would not be encrypted"),
        ("valkeys+embedded:///srv", "write redis\\+embedded"),
        ("redis+tcp://cache", "no kind of server"),
        ("redis+cluster://", "names no host"),
        ("redis+cluster://h1/3", "only the database 0"),
        ("redis+sentinel://s1", "the name of the master"),
        ("redis+unix://run/valkey.sock", "a socket is written as"),
        ("redis+embedded://srv", "directory is written as"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_write(url: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_url(StoreURL.parse(url))


def test_a_password_for_another_server_does_not_go_to_the_one_in_the_url() -> None:
    table = {"backends": {"redis": {"password": "secret", "host": "production", "tls": True, "prefix": "bot"}}}
    environ = {"SESSIONKIT_REDIS__PASSWORD": "secret", "SESSIONKIT_REDIS__PREFIX": "bot"}
    options = resolve("redis://elsewhere", environ=environ).options
    assert (options.host, options.password, options.prefix) == ("elsewhere", "", "bot")
    assert resolve({"backend": "redis", **table}).options.password == "secret"


def test_an_option_of_the_address_may_stand_after_the_question_mark() -> None:
    options = resolve("redis+unix:///run/valkey.sock?database=3").options
    assert (str(options.socket), options.database) == ("/run/valkey.sock", 3)


def test_the_options_of_redis_count_for_its_other_names() -> None:
    options = resolve("valkeys://cache", environ={"SESSIONKIT_REDIS__PREFIX": "bot"}).options
    assert (options.tls, options.prefix) == (True, "bot")


def test_the_password_is_in_no_repr() -> None:
    assert "s3cret" not in repr(resolve("redis://bot:s3cret@cache").options)
