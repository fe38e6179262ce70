"""A layer: what one source of configuration says, in one shape for all of them.

A file, the mapping given to ``open_store()``, the environment and a URL become layers; the order of the layers is
their precedence. Whether a value is right is not asked here, only whether the source has the shape of a
configuration and says nothing that is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import attrs
from msgspec import Struct, field

from sessionkit.errors import ConfigError
from sessionkit.plugins.suggestions import did_you_mean
from sessionkit.plugins.urls import StoreURL

CORE_KEYS: Final = ("backend", "on_write_error", "extensions", "backends", "extension")


@attrs.frozen(kw_only=True)  # and no Struct, of which rich shows every field
class Said:
    """A value as it was said.

    Attributes:
        value: as it came.
        where: for people.
        base: the directory that a relative path starts at; None when there is none (a working directory that
            was deleted).
        text: it came as text, whatever its type is to be.
        hide_name: the name it was said under may be part of a password.
    """

    value: Any = attrs.field(repr=False)
    where: str
    base: Path | None
    text: bool = False
    hide_name: bool = False


Tables = Mapping[str, Mapping[str, Said]]
"""The options of each plugin by its name."""


class Layer(Struct, frozen=True, kw_only=True):
    """What one source says.

    Attributes:
        where: for people.
        values: ``backend``, ``on_write_error`` and ``extensions``, as far as they were said.
        backends: the options of backends.
        extension: the options of extensions.
        url: the URL that the layer is made of.
        shared: other machines may read the same source, and have other plugins installed than this one.
    """

    where: str
    values: Mapping[str, Said] = field(default_factory=dict)
    backends: Tables = field(default_factory=dict)
    extension: Tables = field(default_factory=dict)
    url: StoreURL | None = None
    shared: bool = True


def url_layer(text: str, where: str, base: Path | None) -> Layer:
    """The layer of a URL: its backend, and the options of its query. The rest is read by the backend.

    Raises:
        ConfigError: it is no store URL. The URL is not quoted.
    """
    problem = ""
    try:
        url = StoreURL.parse(text)
    except ConfigError as error:
        problem = str(error)
    if problem:
        raise ConfigError(f"{where}: {problem}")
    # An @ after the ? is most likely the end of a password in which the ? was meant.
    hide_name = "@" in text.partition("?")[2]
    options = {
        name: Said(value=value, where=where, base=base, text=True, hide_name=hide_name)
        for name, value in url.query.items()
    }
    backend = Said(value=url.name, where=where, base=base, text=True)
    return Layer(where=where, values={"backend": backend}, backends={url.name: options}, url=url)


def mapping_layer(mapping: Mapping[str, Any], where: str, base: Path | None) -> Layer:
    """The layer of a mapping with the shape of ``sessionkit.toml``.

    Raises:
        ConfigError: it has an unknown key, or something else where a table is expected. No value is quoted.
    """
    for key in mapping:
        if key not in CORE_KEYS:
            guess = did_you_mean(key, CORE_KEYS) if isinstance(key, str) else ""
            raise ConfigError(
                f"{where}: unknown key {shown_name(key)}{guess} (known: {', '.join(CORE_KEYS)}; options of a backend "
                f"stand in [backends.NAME])"
            )
    if isinstance(mapping.get("extensions"), Mapping):
        raise ConfigError(
            f"{where}: extensions is a list of names, in the order in which they are used; the options of one stand "
            f"in [extension.NAME]"
        )
    return Layer(
        where=where,
        values={
            key: Said(value=mapping[key], where=where, base=base)
            for key in ("backend", "on_write_error", "extensions")
            if key in mapping
        },
        backends=_tables(mapping, "backends", where, base),
        extension=_tables(mapping, "extension", where, base),
    )


def _tables(mapping: Mapping[str, Any], key: str, where: str, base: Path | None) -> Tables:
    tables = mapping.get(key, {})
    if not isinstance(tables, Mapping):
        raise ConfigError(f"{where}: {key} is not a table; options stand in [{key}.NAME]")
    result = {}
    for name, options in tables.items():
        if not isinstance(name, str) or not isinstance(options, Mapping):
            raise ConfigError(f"{where}: {key}.{shown_name(name)} is not a table; options stand in [{key}.NAME]")
        result[name] = {option: Said(value=value, where=where, base=base) for option, value in options.items()}
    return result


def shown_name(name: object) -> str:
    """A name that was said in place of a known one. Not quoted when it is no name: it may be a URL, and secret."""
    if not isinstance(name, str):
        return f"(of the type {type(name).__name__})"
    return name if re.fullmatch(r"[\w.-]{1,64}", name) else "(not shown)"
