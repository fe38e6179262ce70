"""``resolve``: what is configured, from all the places where something can be said."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from sessionkit.config.environment import environment_layers
from sessionkit.config.files import file_layers
from sessionkit.config.fill import DISTRIBUTION, Target, fill
from sessionkit.config.layers import Layer, Said, mapping_layer, shown_name, url_layer
from sessionkit.config.settings import DEFAULT, Configuration, ConfiguredExtension, Setting, show
from sessionkit.config.urls import read_url
from sessionkit.errors import ConfigError
from sessionkit.plugins.descriptors import BackendPlugin
from sessionkit.plugins.discovery import (
    KNOWN_BACKENDS,
    LoadedPlugin,
    installed_backends,
    installed_extensions,
    load_backend,
    load_extension,
)
from sessionkit.plugins.suggestions import closest, did_you_mean
from sessionkit.plugins.urls import NAME_PATTERN

ARGUMENT: Final = "argument"

_DEFAULTS: Final = Layer(
    where=DEFAULT,
    values={
        "backend": Said(value="jsonl", where=DEFAULT, base=None),
        "on_write_error": Said(value="log", where=DEFAULT, base=None),
        "extensions": Said(value=(), where=DEFAULT, base=None),
    },
)


def resolve(
    source: str | Mapping[str, Any] | None = None,
    *,
    on_write_error: str | None = None,
    extensions: Sequence[str] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Configuration:
    """Put together what is configured, and check it.

    Each value comes from the first place that says it: the arguments, ``SESSIONKIT_URL``, the other environment
    variables, the file that ``SESSIONKIT_CONFIG`` names, the nearest ``sessionkit.toml`` upwards, the nearest
    ``pyproject.toml`` upwards with a table ``[tool.sessionkit]``, the user's ``sessionkit.toml``, the defaults.

    Args:
        source: a URL, or a mapping with the shape of ``sessionkit.toml``.
        on_write_error: ``"log"`` or ``"raise"``.
        extensions: names of extensions, outermost first.
        environ: the environment variables, those of the process when None.
        cwd: the directory to search from, and the one that relative paths of arguments and variables start at;
            the working directory when None.

    Raises:
        ConfigError: something that was said cannot be used. The error says where it was said, and what is allowed.
        UnknownBackendError: the chosen plugin is not installed.
        DuplicatePluginError: several distributions offer it.
        PluginVersionError: it needs a newer core.
        PluginLoadError: it is broken.

    >>> configuration = resolve("memory:")
    >>> configuration.backend.value, configuration.backend.where
    ('memory', 'argument')
    """
    environ = os.environ if environ is None else environ
    base = _working_directory() if cwd is None else cwd.absolute()
    layers = [
        *_argument_layers(source, on_write_error, extensions, base),
        *environment_layers(environ, base),
        *file_layers(environ, base),
        _DEFAULTS,
    ]
    backend = _backend(_said(layers, "backend"))
    on_error = _on_write_error(_said(layers, "on_write_error"))
    names = _extensions(_said(layers, "extensions"))
    _check_tables(layers)
    plugin, options, settings = _configured_backend(backend, layers, environ)
    configured = []
    for name in names.value:
        extension, more = _configured_extension(name, names.where, layers, environ)
        configured.append(extension)
        settings += more
    return Configuration(
        backend=backend,
        on_write_error=on_error,
        extensions=names,
        settings=(backend, on_error, names, *settings),
        plugin=plugin,
        options=options,
        extension_plugins=tuple(configured),
    )


def _working_directory() -> Path | None:
    try:
        return Path.cwd()
    except FileNotFoundError:  # it was deleted; only who needs it has to care
        return None


def _argument_layers(
    source: object, on_write_error: str | None, extensions: Sequence[str] | None, base: Path | None
) -> list[Layer]:
    said = {"on_write_error": on_write_error, "extensions": extensions}
    keywords = {name: Said(value=value, where=ARGUMENT, base=base) for name, value in said.items() if value is not None}
    layers = [Layer(where=ARGUMENT, values=keywords)]
    if isinstance(source, str):
        layers.append(url_layer(source, ARGUMENT, base))
    elif isinstance(source, Mapping):
        layers.append(mapping_layer(source, ARGUMENT, base))
    elif source is not None:
        raise ConfigError(f"{ARGUMENT}: a URL or a mapping is expected, not an object of the type {_type(source)}")
    return layers


def _type(value: object) -> str:
    return type(value).__name__


def _said(layers: Sequence[Layer], key: str) -> Said:
    return next(layer.values[key] for layer in layers if key in layer.values)


def _backend(said: Said) -> Setting:
    if not isinstance(said.value, str):
        raise ConfigError(f"{said.where}: backend is {show(said.value)}; allowed: the name of a backend")
    if ":" in said.value:  # not quoted: a URL may hold a password
        raise ConfigError(
            f"{said.where}: backend is a name, such as jsonl; a URL is said in SESSIONKIT_URL or to open_store()"
        )
    return Setting(name="backend", value=said.value, where=said.where)


def _on_write_error(said: Said) -> Setting:
    if said.value not in ("log", "raise"):
        raise ConfigError(f"{said.where}: on_write_error is {show(said.value)}; allowed: one of log, raise")
    return Setting(name="on_write_error", value=said.value, where=said.where)


def _extensions(said: Said) -> Setting:
    names = said.value
    if not isinstance(names, (list, tuple)) or not all(
        isinstance(name, str) and NAME_PATTERN.fullmatch(name) for name in names
    ):
        raise ConfigError(f"{said.where}: extensions is {show(names)}; allowed: a list of names")
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(f"{said.where}: extensions names {name} twice; an extension is used once")
    return Setting(name="extensions", value=tuple(names), where=said.where)


def _check_tables(layers: Sequence[Layer]) -> None:
    """Refuse options of plugins that nobody can mean.

    A file may be read by other machines, with other plugins installed: there, only what looks like a misspelt name
    is refused. An environment variable is set for this machine alone.
    """
    for layer in layers:
        for noun, tables in (("backend", layer.backends), ("extension", layer.extension)):
            for name, options in tables.items():
                _check_table(noun, name, options, layer, layers)


def _check_table(noun: str, name: str, options: Mapping[str, Said], layer: Layer, layers: Sequence[Layer]) -> None:
    if noun == "backend":
        installed = {plugin.name for plugin in installed_backends()}
        known = {
            *installed,
            *KNOWN_BACKENDS,
            *(str(other.values["backend"].value) for other in layers if "backend" in other.values),
        }
    else:
        installed = {plugin.name for plugin in installed_extensions()}
        known = {*installed, *_said(layers, "extensions").value}
    if name in known or (layer.shared and not closest(name, known, cutoff=0.8)):
        return
    where = next((said.where for said in options.values()), layer.where) if not layer.shared else layer.where
    key = shown_name(name) if layer.shared else name
    raise ConfigError(
        f"{where}: options of the {noun} {key}, which is not installed{did_you_mean(name, known)} "
        f"(installed: {', '.join(sorted(installed)) or 'none'})"
    )


def _configured_backend(
    backend: Setting, layers: Sequence[Layer], environ: Mapping[str, str]
) -> tuple[LoadedPlugin[BackendPlugin], Any, list[Setting]]:
    name = backend.value
    tables = [layer.backends.get(name, {}) for layer in layers]
    plugin = load_backend(name, distribution=_distribution(f"backends.{name}", tables), said=backend.where)
    tables = [
        read_url(layer, layer.url, plugin) if layer.url and layer.url.name == name else table
        for layer, table in zip(layers, tables, strict=True)
    ]
    if other := plugin.descriptor.shares_options_of:
        shared = [layer.backends.get(other, {}) for layer in layers]
        tables = [{**theirs, **own} for theirs, own in zip(shared, tables, strict=True)]
    target = Target(noun="backend", table=f"backends.{name}", name=name, options=plugin.descriptor.options)
    return plugin, *fill(target, tables, environ)


def _configured_extension(
    name: str, where: str, layers: Sequence[Layer], environ: Mapping[str, str]
) -> tuple[ConfiguredExtension, list[Setting]]:
    tables = [layer.extension.get(name, {}) for layer in layers]
    plugin = load_extension(name, distribution=_distribution(f"extension.{name}", tables), said=where)
    target = Target(noun="extension", table=f"extension.{name}", name=name, options=plugin.descriptor.options)
    options, settings = fill(target, tables, environ)
    return ConfiguredExtension(name=name, plugin=plugin, options=options), settings


def _distribution(table: str, tables: Sequence[Mapping[str, Said]]) -> str | None:
    said = next((options[DISTRIBUTION] for options in tables if DISTRIBUTION in options), None)
    if said is None:
        return None
    if not isinstance(said.value, str):
        raise ConfigError(f"{said.where}: {table}.distribution is {show(said.value)}; allowed: text")
    return said.value
