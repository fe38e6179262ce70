"""What environment variables say, and which of them are refused."""

from __future__ import annotations

from typing import Any

import pytest

from sessionkit.config import resolve
from sessionkit.errors import ConfigError, UnknownBackendError


def refused(world: Any) -> str:
    with pytest.raises(ConfigError) as error:
        world.resolve()
    assert error.value.__context__ is None
    return str(error.value)


def test_the_environment_of_the_process_is_read_when_none_is_given(world: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSIONKIT_BACKEND", "probe")
    monkeypatch.chdir(world.project)

    assert resolve().backend.where == "environment variable SESSIONKIT_BACKEND"


def test_dashes_in_the_name_of_a_backend_become_underscores(world: Any) -> None:
    world.environ.update({"SESSIONKIT_BACKEND": "my-probe", "SESSIONKIT_MY_PROBE__RETRIES": "4"})

    assert world.settings()["backends.my-probe.retries"] == (4, "environment variable SESSIONKIT_MY_PROBE__RETRIES")


def test_an_empty_variable_is_one_that_is_not_set(world: Any) -> None:
    names = ("URL", "BACKEND", "CONFIG", "ON_WRITE_ERROR", "EXTENSIONS", "PROBE__RETRIES", "NONSENSE")
    world.environ.update({f"SESSIONKIT_{name}": "" for name in names})

    settings = world.settings("probe:")

    assert settings["backends.probe.retries"] == (3, "built-in default")
    assert settings["on_write_error"] == ("log", "built-in default")


def test_an_unknown_variable_is_an_error_with_what_was_meant(world: Any) -> None:
    world.environ["SESSIONKIT_BACKND"] = "probe"

    assert refused(world) == (
        "environment variable SESSIONKIT_BACKND: it means nothing to sessionkit; did you mean 'SESSIONKIT_BACKEND'?"
    )


@pytest.mark.parametrize("name", ["SESSIONKIT_QQQQQQQQQQQQQ", "SESSIONKIT_", "SESSIONKIT___X", "SESSIONKIT_X__"])
def test_an_unknown_variable_that_is_like_none_is_an_error_with_all_there_are(world: Any, name: str) -> None:
    world.environ[name] = "probe"

    assert refused(world).startswith(f"environment variable {name}: it means nothing to sessionkit")


def test_all_variables_are_listed_for_one_that_is_like_none(world: Any) -> None:
    world.environ["SESSIONKIT_QQQQQQQQQQQQQ"] = "probe"

    assert refused(world).endswith(
        " (known: SESSIONKIT_BACKEND, SESSIONKIT_CONFIG, SESSIONKIT_EXTENSIONS, SESSIONKIT_ON_WRITE_ERROR, "
        "SESSIONKIT_URL and SESSIONKIT_<BACKEND>__<OPTION>)"
    )


def test_one_underscore_instead_of_two_is_recognised(world: Any) -> None:
    world.environ["SESSIONKIT_PROBE_RETRIES"] = "3"

    assert refused(world) == (
        "environment variable SESSIONKIT_PROBE_RETRIES: it means nothing to sessionkit; did you mean "
        "'SESSIONKIT_PROBE__RETRIES' (two underscores after the backend)?"
    )


def test_a_variable_of_an_unknown_backend_is_an_error_with_what_was_meant(world: Any) -> None:
    world.environ["SESSIONKIT_PRBOE__RETRIES"] = "3"

    assert refused(world) == (
        "environment variable SESSIONKIT_PRBOE__RETRIES: options of the backend prboe, which is not installed; did "
        "you mean 'probe'? (installed: memory, my-probe, probe, strict, twin, unreadable, vault)"
    )


def test_a_variable_of_an_unknown_extension_is_an_error(world: Any) -> None:
    world.environ["SESSIONKIT_EXTENSION__QQQ__WIDTH"] = "3"

    assert refused(world) == (
        "environment variable SESSIONKIT_EXTENSION__QQQ__WIDTH: options of the extension qqq, which is not installed "
        "(installed: shade, stamp)"
    )


def test_a_variable_of_a_backend_that_is_not_chosen_does_nothing(world: Any) -> None:
    world.environ.update(
        {"SESSIONKIT_BACKEND": "memory", "SESSIONKIT_PROBE__NOTHING": "3", "SESSIONKIT_REDIS__TTL": "3"}
    )

    assert world.resolve().backend.value == "memory"


def test_an_unknown_option_in_a_variable_is_an_error_with_what_was_meant(world: Any) -> None:
    world.environ.update({"SESSIONKIT_BACKEND": "probe", "SESSIONKIT_PROBE__RETRYS": "3"})

    assert refused(world) == (
        "environment variable SESSIONKIT_PROBE__RETRYS: unknown key backends.probe.retrys; did you mean 'retries'? "
        "(options: cache, client, durability, fsync, interval, label, path, retries, tags, ttl)"
    )


def test_an_unknown_backend_in_a_variable_names_the_variable(world: Any) -> None:
    world.environ["SESSIONKIT_BACKEND"] = "prboe"

    with pytest.raises(UnknownBackendError, match=r"^environment variable SESSIONKIT_BACKEND: .* did you mean 'probe'"):
        world.resolve()


@pytest.mark.parametrize("value", ["a,,b", ",", "Stamp"])
def test_extensions_that_are_no_names_are_refused(world: Any, value: str) -> None:
    world.environ["SESSIONKIT_EXTENSIONS"] = value

    assert refused(world).startswith("environment variable SESSIONKIT_EXTENSIONS: extensions is [")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SESSIONKIT_SERVICE_HOST", "10.0.0.1"),
        ("SESSIONKIT_REDIS_SERVICE_HOST", "10.0.0.1"),
        ("SESSIONKIT_REDIS_SERVICE_PORT", "6379"),
        ("SESSIONKIT_REDIS_SERVICE_PORT_HTTP_API", "80"),
        ("SESSIONKIT_REDIS_PORT", "tcp://10.0.0.1:6379"),
        ("SESSIONKIT_REDIS_PORT_6379_TCP", "tcp://10.0.0.1:6379"),
        ("SESSIONKIT_REDIS_PORT_6379_TCP_ADDR", "10.0.0.1"),
        ("SESSIONKIT_PORT", "udp://10.0.0.1:6379"),
        ("SESSIONKIT_PORT_6379_UDP_PROTO", "udp"),
    ],
)
def test_variables_that_kubernetes_sets_for_a_service_of_that_name_are_left_alone(
    world: Any, name: str, value: str
) -> None:
    world.environ.update({"SESSIONKIT_BACKEND": "memory", name: value})

    assert world.resolve().backend.value == "memory"


def test_a_port_that_a_person_said_is_not_taken_for_one_of_kubernetes(world: Any) -> None:
    world.environ["SESSIONKIT_REDIS_PORT"] = "6379"

    assert "it means nothing to sessionkit" in refused(world)
