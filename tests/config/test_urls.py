"""What a URL says, and what is said of one that cannot be used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sessionkit.errors import ConfigError


def refused(world: Any, source: Any) -> str:
    with pytest.raises(ConfigError) as error:
        world.resolve(source)
    assert error.value.__context__ is None
    return str(error.value)


def test_the_address_is_read_by_the_backend_and_the_query_by_the_core(world: Any) -> None:
    options = world.resolve("probe:///var/lib/bot?retries=4&label=a%20b").options

    assert (options.path, options.retries, options.label) == (Path("/var/lib/bot"), 4, "a b")


def test_the_backend_is_the_scheme_up_to_the_first_plus(world: Any) -> None:
    assert refused(world, "probe+x:y") == "argument: the probe backend has no variant 'x'; write probe:PATH"


def test_what_the_address_says_is_converted_too(world: Any) -> None:
    assert world.resolve("vault://host/4").options.database == 4


def test_an_option_in_the_address_and_in_the_query_is_an_error(world: Any) -> None:
    assert refused(world, "vault://host/4?database=4") == (
        "argument: the vault URL gives the option database in its address and after the ?; leave one of them out"
    )


def test_a_path_in_the_place_of_a_host_is_explained(world: Any) -> None:
    world.environ["SESSIONKIT_URL"] = "probe://sessions"

    assert refused(world, None) == (
        "environment variable SESSIONKIT_URL: in probe://sessions the part after // would be a host; write "
        "probe:sessions for a relative path, probe:///sessions for an absolute one"
    )


@pytest.mark.parametrize("url", ["memory:", "memory://", "MEMORY:"])
def test_a_backend_without_address_has_a_url_too(world: Any, url: str) -> None:
    assert world.resolve(url).plugin.name == "memory"


@pytest.mark.parametrize("url", ["memory:x", "memory://x", "memory:/", "memory+x:"])
def test_a_backend_without_address_refuses_one(world: Any, url: str) -> None:
    assert refused(world, url) == (
        "argument: the memory backend has no address and no variants; its URL is memory: with nothing but options "
        "after a ?"
    )


@pytest.mark.parametrize("text", ["", "memory", "/var/lib/bot"])
def test_what_is_no_url_is_refused(world: Any, text: str) -> None:
    assert refused(world, text) == (
        "argument: a store URL begins with the backend's name and a colon, such as jsonl:sessions or redis://localhost"
    )


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("probe:x#y", "the probe URL has a fragment (#), which means nothing; write %23 for the character itself"),
        ("probe:x?ttl=1&ttl=2", "the probe URL gives the option 'ttl' twice"),
        ("probe:x?ttl", "the options of the probe URL are written as ?name=value&name=value"),
    ],
)
def test_fragments_and_repeated_options_are_refused(world: Any, url: str, message: str) -> None:
    assert refused(world, url) == f"argument: {message}"


def test_an_unknown_option_in_a_url_is_an_error_with_what_was_meant(world: Any) -> None:
    assert refused(world, "probe:?retrys=4") == (
        "argument: unknown key backends.probe.retrys; did you mean 'retries'? (options: cache, client, durability, "
        "fsync, interval, label, path, retries, tags, ttl)"
    )


def test_an_option_of_a_backend_without_options_is_an_error(world: Any) -> None:
    assert refused(world, "memory:?ttl=4") == (
        "argument: unknown key backends.memory.ttl (the backend memory has no options)"
    )


def test_a_reader_that_fails_is_the_plugins_fault(world: Any) -> None:
    assert refused(world, "vault://buggy") == "argument: probes 1.2 failed to read the vault URL (RuntimeError)"


@pytest.mark.parametrize("source", [5, Path("x"), ["memory"], b"memory:"])
def test_anything_else_than_a_url_or_a_mapping_is_refused(world: Any, source: Any) -> None:
    assert refused(world, source) == (
        f"argument: a URL or a mapping is expected, not an object of the type {type(source).__name__}"
    )


def test_a_key_of_a_mapping_that_is_no_text_is_refused(world: Any) -> None:
    assert refused(world, {1: 2}).startswith("argument: unknown key (of the type int) (known: ")
    assert refused(world, {"backend": "memory", "backends": {1: {}}}) == (
        "argument: backends.(of the type int) is not a table; options stand in [backends.NAME]"
    )
    assert refused(world, {"backend": "memory", "backends": {"memory": {1: 2}}}) == (
        "argument: unknown key backends.memory.(of the type int) (the backend memory has no options)"
    )
