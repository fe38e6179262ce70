"""Fills the options class of a plugin with what the layers say about it."""

from __future__ import annotations

import typing
from collections.abc import Hashable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, cast

import attrs
from msgspec import Struct

from sessionkit.config.convert import REFUSED, allowed, convert, members
from sessionkit.config.directories import data_directory
from sessionkit.config.layers import Said, shown_name
from sessionkit.config.settings import DEFAULT, Setting, show
from sessionkit.errors import ConfigError, PluginLoadError
from sessionkit.plugins.options import option_info
from sessionkit.plugins.suggestions import did_you_mean

DISTRIBUTION: Final = "distribution"
"""The key that stands among a plugin's options and says which distribution the plugin is taken of."""


class Target(Struct, frozen=True, kw_only=True):
    """The plugin whose options are filled.

    Attributes:
        noun: ``backend`` or ``extension``.
        table: the prefix of its settings' names, such as ``backends.jsonl``.
        name: its name.
        options: its options class.
    """

    noun: str
    table: str
    name: str
    options: type[Any]

    def __str__(self) -> str:
        return f"the {self.noun} {self.name}"


def fill(target: Target, tables: Sequence[Mapping[str, Said]], environ: Mapping[str, str]) -> tuple[Any, list[Setting]]:
    """An instance of the options class, and the setting of each option.

    Args:
        target: the plugin.
        tables: what each layer says of it, the layer that counts most first.
        environ: where the home directory is said.

    Raises:
        ConfigError: an unknown key (asked first), a value that is not allowed, or a missing one.
    """
    fields = {str(attribute.alias): attribute for attribute in attrs.fields(target.options) if attribute.init}
    known = [*fields, DISTRIBUTION]
    for table in tables:
        for name in table:
            if name not in known:
                raise _unknown(target, name, table[name], list(fields))
    said_of = {name: next((table[name] for table in tables if name in table), None) for name in fields}
    wanted = _types(target)
    secrets = _secret_values(fields, tables)
    values: dict[str, Any] = {}
    for name, attribute in fields.items():
        said = said_of[name]
        if said is not None:
            values[name] = _converted(target, attribute, said, wanted.get(attribute.name, Any), secrets, environ)
        elif attribute.default is attrs.NOTHING:
            values[name] = _without_value(target, attribute, environ)
    options = _instance(target, fields, values, said_of)
    settings = [
        Setting(
            name=f"{target.table}.{name}",
            value=getattr(options, attribute.name),
            where=place.where if (place := said_of[name]) else DEFAULT,
            secret=option_info(attribute).secret,
        )
        for name, attribute in fields.items()
    ]
    chosen = next((table[DISTRIBUTION] for table in tables if DISTRIBUTION in table), None)
    if chosen is not None:
        settings.append(Setting(name=f"{target.table}.{DISTRIBUTION}", value=chosen.value, where=chosen.where))
    return options, settings


def _unknown(target: Target, name: object, said: Said, options: list[str]) -> ConfigError:
    if said.hide_name:
        return ConfigError(
            f"{said.where}: the URL has an option that {target} does not know, and an @ after its ?; in a password, "
            f"write ? as %3F, and in an option, write @ as %40"
        )
    guess = did_you_mean(name, options) if isinstance(name, str) else ""
    has = f"options: {', '.join(sorted(options))}" if options else f"{target} has no options"
    return ConfigError(f"{said.where}: unknown key {target.table}.{shown_name(name)}{guess} ({has})")


def _types(target: Target) -> Mapping[str, Any]:
    hints = _hints(cast("Hashable", target.options))
    if isinstance(hints, str):
        raise PluginLoadError(f"{target}: the types of its options cannot be read ({hints}); report it to its authors")
    return hints


@lru_cache(maxsize=32)
def _hints(options: type[Any]) -> Mapping[str, Any] | str:
    """The types of an options class by the names of its attributes, or why they cannot be told."""
    try:
        return typing.get_type_hints(options, include_extras=True)
    except (NameError, TypeError, AttributeError) as error:
        return str(error)


def _secret_values(fields: Mapping[str, attrs.Attribute[Any]], tables: Sequence[Mapping[str, Said]]) -> set[str]:
    """All values of secret options: one that was put under another key too must not be shown there either."""
    return {
        str(table[name].value)
        for name, attribute in fields.items()
        if option_info(attribute).secret
        for table in tables
        if name in table and table[name].value not in ("", None)
    }


def _converted(
    target: Target,
    attribute: attrs.Attribute[Any],
    said: Said,
    wanted: Any,
    secrets: set[str],
    environ: Mapping[str, str],
) -> Any:
    value = convert(said, wanted, environ)
    if value is not REFUSED:
        return value
    shown = show(said.value)
    if option_info(attribute).secret or said.hide_name or any(secret in shown for secret in secrets):
        shown = "a value that is not shown"
    gone = " (an absolute one, because the working directory was deleted)"
    hint = gone if Path in members(wanted) and said.base is None else ""
    raise ConfigError(f"{said.where}: {target.table}.{attribute.alias} is {shown}; allowed: {allowed(wanted)}{hint}")


def _without_value(target: Target, attribute: attrs.Attribute[Any], environ: Mapping[str, str]) -> Path:
    """What an option without default gets when nobody says it: its directory, or an error."""
    info = option_info(attribute)
    key = f"{target.table}.{attribute.alias}"
    variable = f"SESSIONKIT_{target.table.removeprefix('backends.').replace('.', '__').replace('-', '_')}__"
    say = f"say {key} in sessionkit.toml, or set {variable.upper()}{str(attribute.alias).upper()}"
    if not info.directory:
        explained = f" ({info.help})" if info.help else ""
        raise ConfigError(f"{target} needs the option {attribute.alias}{explained}, and nothing says it; {say}")
    directory = data_directory(environ)
    if directory is None:
        raise ConfigError(f"{target} finds no home directory to keep its files in; {say}")
    return directory / target.name


def _instance(
    target: Target,
    fields: Mapping[str, attrs.Attribute[Any]],
    values: Mapping[str, Any],
    said_of: Mapping[str, Said | None],
) -> Any:
    try:
        return target.options(**values)
    except Exception as error:  # validators are code of the plugin and raise what they like
        text = str(error) if isinstance(error, (ValueError, TypeError)) else f"{type(error).__name__}: {error}"
    if any(option_info(attribute).secret for attribute in fields.values()):
        text = "why is not shown, because some of them are secret"
    places = [f"{target.table}.{name} by {said.where}" for name, said in said_of.items() if said is not None]
    raise ConfigError(f"{target} refuses its options: {text} (said: {', '.join(places) or 'nothing'})")
