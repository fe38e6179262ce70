"""Secrets appear nowhere: in no message, no repr, no traceback, no log."""

from __future__ import annotations

import logging
import traceback
from typing import Any

import pytest
from rich.pretty import pretty_repr

from sessionkit.config.layers import url_layer
from sessionkit.errors import ConfigError

SECRET = "hunter2-hunter2"
SHORT = "h2h2h2"
"""A password that its option refuses: eight characters are wanted."""


def told(error: BaseException) -> str:
    """All that an error tells: itself, and whatever hangs on it."""
    texts = []
    seen: BaseException | None = error
    while seen is not None:
        texts += [str(seen), repr(seen), repr(seen.args), "".join(traceback.format_exception(seen))]
        assert seen.__cause__ is None or seen.__cause__ is seen.__context__
        seen = seen.__context__
    return "\n".join(texts)


def refused(world: Any, source: Any, caplog: pytest.LogCaptureFixture) -> str:
    with caplog.at_level(logging.DEBUG), pytest.raises(ConfigError) as error:
        world.resolve(source)
    everything = told(error.value) + caplog.text
    assert SECRET not in everything
    assert SHORT not in everything
    assert error.value.__context__ is None
    return str(error.value)


# Accepted secrets


@pytest.mark.parametrize("source", [f"vault://:{SECRET}@host", f"vault://host?password={SECRET}"])
def test_a_secret_that_is_accepted_is_shown_nowhere(world: Any, source: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        configuration = world.resolve(source)

    setting = next(item for item in configuration.settings if item.name == "backends.vault.password")
    assert (setting.value, setting.shown, setting.secret) == (SECRET, "********", True)
    layer = url_layer(source, "argument", None)
    assert SECRET not in f"{configuration!r} {configuration.options!r} {setting!r} {layer!r} {caplog.text}"
    assert SECRET not in pretty_repr([configuration, configuration.options, setting, layer])


def test_a_secret_that_is_not_said_is_shown_as_not_set(world: Any) -> None:
    setting = next(item for item in world.resolve("vault://host").settings if item.name == "backends.vault.password")

    assert setting.shown == "not set"


# Refused secrets


@pytest.mark.parametrize("value", [SHORT, 22222222, [SECRET], {"a": SECRET}])
def test_a_wrong_value_of_a_secret_option_is_not_shown(
    world: Any, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    source = {"backend": "vault", "backends": {"vault": {"address": "host", "password": value}}}

    assert refused(world, source, caplog) == (
        "argument: backends.vault.password is a value that is not shown; allowed: text with a length of at least 8"
    )


def test_a_secret_in_a_variable_that_is_refused_is_not_shown(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    world.environ["SESSIONKIT_VAULT__PASSWORD"] = SHORT

    assert refused(world, "vault://host", caplog).startswith("environment variable SESSIONKIT_VAULT__PASSWORD: ")


def test_a_password_in_a_url_that_is_refused_is_not_shown(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert "a value that is not shown" in refused(world, f"vault://:{SHORT}@host", caplog)


def test_a_secret_that_stands_under_another_key_too_is_not_shown_there(
    world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    world.environ["SESSIONKIT_VAULT__PASSWORD"] = SECRET
    world.environ["SESSIONKIT_VAULT__DATABASE"] = SECRET

    assert refused(world, "vault://host", caplog) == (
        "environment variable SESSIONKIT_VAULT__DATABASE: backends.vault.database is a value that is not shown; "
        "allowed: a whole number"
    )


# Unknown keys


@pytest.mark.parametrize(
    "source",
    [
        {"pasword": SECRET},
        {"backend": "vault", "backends": {"vault": {"pasword": SECRET}}},
        {"backend": "memory", "backends": {"memory": {"password": SECRET}}},
        {"backend": "memory", "backends": {"vualt": {"password": SECRET}}},
        {"backend": "memory", "backends": SECRET},
        {"backend": "memory", "backends": {"vault": SECRET}},
        {"backend": "memory", "extensions": ["stamp"], "extension": {"stamp": {"pasword": SECRET}}},
        f"vault://host?pasword={SECRET}",
    ],
)
def test_the_value_of_an_unknown_key_is_not_shown(world: Any, source: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(world, source, caplog).startswith("argument: ")


@pytest.mark.parametrize("name", ["SESSIONKIT_PASSWORD", "SESSIONKIT_VAULT__PASWORD", "SESSIONKIT_VUALT__PASSWORD"])
def test_the_value_of_an_unknown_variable_is_not_shown(world: Any, name: str, caplog: pytest.LogCaptureFixture) -> None:
    world.environ[name] = SECRET

    assert name in refused(world, "vault://host", caplog)


def test_the_content_of_invalid_toml_is_not_shown(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    world.write(world.project / "sessionkit.toml", f"[backends.vault]\npassword = {SECRET}\n")

    assert "line 2 is not valid TOML" in refused(world, None, caplog)


# URLs


@pytest.mark.parametrize(
    "url",
    [
        f"//:{SECRET}@host",
        f":{SECRET}@host",
        f"vault://:{SECRET}@host#x",
        f"vault://:x#{SECRET}@host",
        f"vault://:{SECRET}@host?x",
        f"vualt://:{SECRET}@host",
        f"memory://:{SECRET}@host",
        f"probe://:{SECRET}@host/x",
        f"vault://:{SECRET}@host/4?database=4",
        f"vault://:{SECRET}@host/nothing",
        f"vault://:{SECRET}@host/3",
        f"vault://:{SECRET}@leaky",
        f"vault://:{SECRET}@buggy",
        f"vault://:{SECRET}@",
        f"vault://:%68{SECRET[1:]}@leaky",
        f"vault://:x?{SECRET}=y@host",
        f"vault://:x?database={SECRET}@host",
    ],
)
def test_no_part_of_a_password_in_a_url_is_shown(world: Any, url: str, caplog: pytest.LogCaptureFixture) -> None:
    refused(world, url, caplog)
    world.environ["SESSIONKIT_URL"] = url
    assert "SESSIONKIT_URL" in refused(world, None, caplog)


def test_a_reader_that_quotes_the_password_is_not_repeated(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(world, f"vault://:{SECRET}@leaky", caplog) == (
        "argument: the vault URL cannot be read (why is not shown, because it quotes the password)"
    )


def test_a_question_mark_in_a_password_is_explained(world: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(world, f"vault://:x?{SECRET}=y@host", caplog) == (
        "argument: the URL has an option that the backend vault does not know, and an @ after its ?; in a password, "
        "write ? as %3F, and in an option, write @ as %40"
    )


@pytest.mark.parametrize(
    "source",
    [
        {f"vault://:{SECRET}@host": {}},
        {"backend": f"vault://:{SECRET}@host"},
        {"backend": f"@{SECRET}"},
        {"backend": "memory", "backends": {f"vault://:{SECRET}@host": 3}},
        {"backend": "memory", "backends": {"memory": {f"vault://:{SECRET}@host": 3}}},
    ],
)
def test_a_url_in_the_place_of_a_name_is_not_shown(world: Any, source: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert refused(world, source, caplog).startswith("argument: ")
