"""Which source counts: the first that says a value, and each value remembers which."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

SOURCES = ["argument", "url", "environment", "named file", "project file", "pyproject", "user file"]
"""All sources of configuration, the one that counts most first."""


def say(world: Any, source: str, retries: int) -> Any:
    """Let a source say the backend probe with this option, and return the argument for ``resolve``."""
    toml = f'backend = "probe"\n[backends.probe]\nretries = {retries}\n'
    if source == "argument":
        return {"backend": "probe", "backends": {"probe": {"retries": retries}}}
    if source == "url":
        world.environ["SESSIONKIT_URL"] = f"probe:?retries={retries}"
    elif source == "environment":
        world.environ["SESSIONKIT_BACKEND"] = "probe"
        world.environ["SESSIONKIT_PROBE__RETRIES"] = str(retries)
    elif source == "named file":
        world.environ["SESSIONKIT_CONFIG"] = str(world.write(world.home / "named.toml", toml))
    elif source == "project file":
        world.write(world.top / "sessionkit.toml", toml)
    elif source == "pyproject":
        tool = toml.replace("[backends", "[tool.sessionkit.backends")
        world.write(world.top / "bot" / "pyproject.toml", f"[tool.sessionkit]\n{tool}")
    elif source == "user file":
        world.write(world.user_file, toml)
    return None


def places(world: Any) -> dict[str, tuple[str, str]]:
    """Where the backend and its option are said to come from, by source."""
    return {
        "argument": ("argument",) * 2,
        "url": ("environment variable SESSIONKIT_URL",) * 2,
        "environment": ("environment variable SESSIONKIT_BACKEND", "environment variable SESSIONKIT_PROBE__RETRIES"),
        "named file": (str(world.home / "named.toml"),) * 2,
        "project file": (str(world.top / "sessionkit.toml"),) * 2,
        "pyproject": (f"{world.top / 'bot' / 'pyproject.toml'} [tool.sessionkit]",) * 2,
        "user file": (str(world.user_file),) * 2,
    }


@pytest.mark.parametrize("source", SOURCES)
def test_each_source_is_heard_and_named(world: Any, source: str) -> None:
    settings = world.settings(say(world, source, 7))

    where, option_where = places(world)[source]
    assert settings["backend"] == ("probe", where)
    assert settings["backends.probe.retries"] == (7, option_where)


@pytest.mark.parametrize(("first", "second"), list(pairwise(SOURCES)))
def test_of_two_sources_the_higher_one_counts(world: Any, first: str, second: str) -> None:
    say(world, second, 5)
    settings = world.settings(say(world, first, 7))

    assert settings["backends.probe.retries"] == (7, places(world)[first][1])


def test_with_all_sources_the_highest_counts(world: Any) -> None:
    for retries, source in enumerate(reversed(SOURCES), start=1):
        argument = say(world, source, retries)

    assert world.settings(argument)["backends.probe.retries"] == (7, "argument")


def test_each_value_comes_from_the_first_source_that_says_it(world: Any) -> None:
    world.write(world.user_file, '[backends.probe]\nlabel = "user"\nretries = 1\nttl = 1\n')
    world.write(world.project / "sessionkit.toml", "[backends.probe]\nretries = 2\nttl = 2\n")
    world.environ["SESSIONKIT_PROBE__TTL"] = "3"

    settings = world.settings("probe:")

    assert settings["backends.probe.label"] == ("user", str(world.user_file))
    assert settings["backends.probe.retries"] == (2, str(world.project / "sessionkit.toml"))
    assert settings["backends.probe.ttl"] == (3, "environment variable SESSIONKIT_PROBE__TTL")
    assert settings["backends.probe.fsync"] == (True, "built-in default")


def test_options_of_a_backend_that_a_higher_source_did_not_choose_are_left_alone(world: Any) -> None:
    world.write(
        world.project / "sessionkit.toml",
        'backend = "probe"\n[backends.probe]\nnot_even_known = 1\n[backends.vault]\naddress = "here"\n',
    )

    settings = world.settings({"backend": "vault"})

    assert settings["backend"] == ("vault", "argument")
    assert settings["backends.vault.address"] == ("here", str(world.project / "sessionkit.toml"))
    assert not any(name.startswith("backends.probe") for name in settings)


def test_a_url_in_the_argument_gives_options_to_its_own_backend_only(world: Any) -> None:
    world.environ["SESSIONKIT_URL"] = "vault://elsewhere/4"

    settings = world.settings("probe:?retries=9")

    assert settings["backends.probe.retries"] == (9, "argument")
    assert not any(name.startswith("backends.vault") for name in settings)


def test_a_url_and_a_file_that_speak_of_one_backend_are_merged(world: Any) -> None:
    world.write(world.project / "sessionkit.toml", '[backends.vault]\naddress = "lost"\ndatabase = 6\n')

    settings = world.settings("vault://won")

    assert settings["backends.vault.address"] == ("won", "argument")
    assert settings["backends.vault.database"] == (6, str(world.project / "sessionkit.toml"))


# The keys of the core


@pytest.mark.parametrize(
    ("keyword", "value", "mapping"), [("on_write_error", "raise", "log"), ("extensions", ["stamp"], [])]
)
def test_a_keyword_counts_more_than_the_mapping(world: Any, keyword: str, value: Any, mapping: Any) -> None:
    setting = getattr(world.resolve({"backend": "memory", keyword: mapping}, **{keyword: value}), keyword)

    assert (list(setting.value), setting.where) == (list(value), "argument")


def test_on_write_error_is_read_from_the_environment(world: Any) -> None:
    world.environ["SESSIONKIT_ON_WRITE_ERROR"] = "raise"

    assert world.settings("memory:")["on_write_error"] == ("raise", "environment variable SESSIONKIT_ON_WRITE_ERROR")


def test_extensions_are_read_from_the_environment_with_commas_between(world: Any) -> None:
    world.environ["SESSIONKIT_EXTENSIONS"] = "shade, stamp"
    world.environ["SESSIONKIT_EXTENSION__SHADE__KEY"] = "k"

    assert world.settings("memory:")["extensions"] == (
        ("shade", "stamp"),
        "environment variable SESSIONKIT_EXTENSIONS",
    )


def test_a_list_of_extensions_is_one_value_and_not_merged(world: Any) -> None:
    world.write(world.user_file, 'extensions = ["shade"]\n')
    world.write(world.project / "sessionkit.toml", 'extensions = ["stamp"]\n')

    assert world.settings("memory:")["extensions"] == (("stamp",), str(world.project / "sessionkit.toml"))


def test_an_empty_list_in_a_higher_source_uses_no_extensions(world: Any) -> None:
    world.write(world.user_file, 'extensions = ["shade"]\n')

    assert world.settings("memory:", extensions=[])["extensions"] == ((), "argument")


def test_the_defaults_are_jsonl_in_the_users_data_directory_and_log(world: Any, site: Any) -> None:
    plugin = (Path(__file__).parent / "site" / "probe_plugins.py").read_text()
    site.install("ours", backends={"jsonl": "ours_jsonl:probe"}, modules={"ours_jsonl": plugin})

    settings = world.settings()

    assert settings["backend"] == ("jsonl", "built-in default")
    assert settings["on_write_error"] == ("log", "built-in default")
    assert settings["extensions"] == ((), "built-in default")
    assert settings["backends.jsonl.path"] == (world.home / ".local/share/sessionkit/jsonl", "built-in default")


# Extensions


def test_extensions_are_configured_in_their_order(world: Any) -> None:
    world.write(
        world.project / "sessionkit.toml",
        'extensions = ["stamp", "shade"]\n[extension.shade]\nkey = "k"\n[extension.stamp]\nwidth = 4\n',
    )

    stamp, shade = world.resolve("memory:").extension_plugins

    assert (stamp.name, stamp.options.width, stamp.options.text) == ("stamp", 4, "stamped")
    assert (shade.name, shade.options.key, shade.plugin.distribution) == ("shade", "k", "probes")


def test_options_of_extensions_are_merged_from_all_sources(world: Any) -> None:
    world.write(world.project / "sessionkit.toml", '[extension.stamp]\nwidth = 4\ntext = "a"\n')
    world.environ["SESSIONKIT_EXTENSION__STAMP__TEXT"] = "b"

    settings = world.settings({"backend": "memory", "extensions": ["stamp"]})

    assert settings["extension.stamp.text"] == ("b", "environment variable SESSIONKIT_EXTENSION__STAMP__TEXT")
    assert settings["extension.stamp.width"] == (4, str(world.project / "sessionkit.toml"))


def test_options_of_an_extension_that_is_not_used_do_nothing(world: Any) -> None:
    configuration = world.resolve({"backend": "memory", "extension": {"stamp": {"unknown": 1}}})

    assert configuration.extension_plugins == ()


# Which distribution


def test_the_distribution_key_decides_and_is_a_setting(world: Any, site: Any) -> None:
    plugin = "from sessionkit.plugins import BackendPlugin\nplugin = BackendPlugin(factory=lambda options: None)\n"
    site.install("alpha", backends={"twin": "twin_alpha_c:plugin"}, modules={"twin_alpha_c": plugin})
    site.install("beta", backends={"twin": "twin_beta_c:plugin"}, modules={"twin_beta_c": plugin})
    path = world.write(world.project / "sessionkit.toml", '[backends.twin]\ndistribution = "beta"\n')

    configuration = world.resolve("twin:")

    assert configuration.plugin.distribution == "beta"
    assert world.settings("twin:")["backends.twin.distribution"] == ("beta", str(path))


def test_the_distribution_of_an_extension_is_said_the_same_way(world: Any, site: Any) -> None:
    plugin = "from sessionkit.plugins import ExtensionPlugin\nplugin = ExtensionPlugin(factory=lambda options: None)\n"
    site.install("alpha", extensions={"twin": "twin_alpha_d:plugin"}, modules={"twin_alpha_d": plugin})
    site.install("beta", extensions={"twin": "twin_beta_d:plugin"}, modules={"twin_beta_d": plugin})
    world.environ["SESSIONKIT_EXTENSION__TWIN__DISTRIBUTION"] = "beta"

    (extension,) = world.resolve("memory:", extensions=["twin"]).extension_plugins

    assert extension.plugin.distribution == "beta"


# The whole


def test_the_configuration_holds_every_setting_once(world: Any) -> None:
    configuration = world.resolve("probe:")

    names = [setting.name for setting in configuration.settings]
    options = ["path", "durability", "retries", "interval", "fsync", "label", "ttl", "cache", "client", "tags"]
    assert names == ["backend", "on_write_error", "extensions", *(f"backends.probe.{name}" for name in options)]
    assert configuration.settings[:3] == (configuration.backend, configuration.on_write_error, configuration.extensions)
    assert type(configuration.options).__name__ == "ProbeOptions"
    assert (configuration.plugin.name, configuration.plugin.version) == ("probe", "1.2")


def test_another_name_of_a_backend_has_the_options_of_the_first(world: Any) -> None:
    world.write(world.top / "sessionkit.toml", "[backends.probe]\nretries = 7\ninterval = 0.5\n")

    settings = world.settings({"backend": "twin", "backends": {"twin": {"retries": 9}}})

    assert settings["backends.twin.retries"] == (9, "argument")
    assert settings["backends.twin.interval"] == (0.5, str(world.top / "sessionkit.toml"))
