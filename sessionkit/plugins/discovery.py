"""Imports the plugin that was chosen, and no other: a broken one that nobody chose hurts nobody."""

from __future__ import annotations

import re
from typing import Any, Final, Generic, TypeVar

import attrs
from msgspec import Struct

from sessionkit.errors import (
    ConfigError,
    DuplicatePluginError,
    PluginLoadError,
    PluginVersionError,
    UnknownBackendError,
)
from sessionkit.hookspecs import API_VERSION
from sessionkit.plugins.descriptors import BackendPlugin, ExtensionPlugin
from sessionkit.plugins.installed import (
    BACKENDS,
    EXTENSIONS,
    InstalledPlugin,
    forget,
    identify,
    installed_backends,
    installed_extensions,
    normal_name,
    scan,
)
from sessionkit.plugins.suggestions import closest, did_you_mean

__all__ = [
    "KNOWN_BACKENDS",
    "InstalledPlugin",
    "LoadedPlugin",
    "installed_backends",
    "installed_extensions",
    "load_backend",
    "load_extension",
    "refresh",
    "try_load",
]

Descriptor = TypeVar("Descriptor", BackendPlugin, ExtensionPlugin)

KNOWN_BACKENDS: Final = {
    "json": "sessionkit-json",
    "jsonl": "sessionkit-jsonl",
    "memory": "sessionkit-core",
    "redis": "sessionkit-redis",
    "rediss": "sessionkit-redis",
    "valkey": "sessionkit-redis",
    "valkeys": "sessionkit-redis",
}
"""The backends of this project, and the package that each comes with."""


class LoadedPlugin(Struct, Generic[Descriptor], frozen=True, kw_only=True):
    """A plugin that was imported.

    Attributes:
        name: the name it was chosen by.
        descriptor: what it describes of itself.
        distribution: the distribution it came with.
        version: the version of that distribution.
        value: what its entry point points at, such as ``sessionkit_jsonl:plugin``.
    """

    name: str
    descriptor: Descriptor
    distribution: str
    version: str
    value: str


class _Kind(Struct, Generic[Descriptor], frozen=True, kw_only=True):
    """What differs between backends and extensions."""

    article: str
    noun: str
    group: str
    table: str
    descriptor: type[Descriptor]
    packages: dict[str, str]


_BACKEND: Final = _Kind(
    article="a", noun="backend", group=BACKENDS, table="backends", descriptor=BackendPlugin, packages=KNOWN_BACKENDS
)
_EXTENSION: Final = _Kind(
    article="an", noun="extension", group=EXTENSIONS, table="extension", descriptor=ExtensionPlugin, packages={}
)

_descriptors: Final[dict[InstalledPlugin, Any]] = {}


def refresh() -> None:
    """Forget what was found: the next look-up scans the installed distributions again.

    For programs that install a plugin while they run. Modules that were imported stay imported.
    """
    forget()
    _descriptors.clear()


def load_backend(name: str, *, distribution: str | None = None, said: str = "argument") -> LoadedPlugin[BackendPlugin]:
    """Import the backend of this name.

    Args:
        name: its name.
        distribution: which distribution's, when several offer the name.
        said: where the name was said; errors begin with it.

    Raises:
        UnknownBackendError: no installed distribution (or not this one) offers it.
        DuplicatePluginError: several distributions offer it and none was said.
        PluginVersionError: it needs a newer core.
        PluginLoadError: it cannot be imported, or is not a :class:`BackendPlugin`.

    >>> load_backend("memory").distribution
    'sessionkit-core'
    """
    return _load(_BACKEND, name, distribution, said)


def load_extension(
    name: str, *, distribution: str | None = None, said: str = "argument"
) -> LoadedPlugin[ExtensionPlugin]:
    """Import the extension of this name; arguments and errors as in :func:`load_backend`."""
    return _load(_EXTENSION, name, distribution, said)


def try_load(plugin: InstalledPlugin) -> LoadedPlugin[BackendPlugin] | LoadedPlugin[ExtensionPlugin] | ConfigError:
    """Import one installed plugin, and return what is wrong with it instead of raising.

    For listings that show every plugin with its state.
    """
    try:
        if plugin.group == EXTENSIONS:
            return _import(_EXTENSION, plugin, str(plugin))
        return _import(_BACKEND, plugin, str(plugin))
    except ConfigError as error:
        return error


def _load(kind: _Kind[Descriptor], name: str, distribution: str | None, said: str) -> LoadedPlugin[Descriptor]:
    offers = [plugin for plugin in scan() if plugin.name == name and plugin.group == kind.group]
    if not offers:
        raise _unknown(kind, name, said)
    if distribution is not None:
        chosen = [plugin for plugin in offers if normal_name(plugin.distribution) == normal_name(distribution)]
        if not chosen:
            raise UnknownBackendError(
                f"{said}: the distribution {distribution!r} does not offer the {kind.noun} {name!r}; "
                f"it comes with {_and(offers)}"
            )
        offers = chosen
    if len({(plugin.distribution, plugin.value) for plugin in offers}) > 1:
        raise _duplicate(kind, name, offers, said)
    return _import(kind, offers[0], said)


def _unknown(kind: _Kind[Any], name: str, said: str) -> ConfigError:
    names = sorted({plugin.name for plugin in scan() if plugin.group == kind.group})
    installed = f"installed: {', '.join(names) or 'none'}"
    if not re.fullmatch(r"[\w-]{1,64}", name):  # not quoted: it may be a URL with a password in it
        return UnknownBackendError(
            f"{said}: a name of {kind.article} {kind.noun} is expected: lower-case letters, digits and single dashes "
            f"({installed})"
        )
    later = [plugin for plugin in scan() if plugin.name == name and plugin.group.startswith(f"{kind.group}.")]
    if later:
        return PluginVersionError(
            f"{said}: the {kind.noun} {name!r} of {_and(later)} is written for a later plugin API (entry-point group "
            f"{later[0].group}, this core reads {kind.group}); upgrade sessionkit-core, or install an older "
            f"{later[0].distribution}"
        )
    if name in kind.packages:
        return UnknownBackendError(
            f"{said}: the {kind.noun} {name!r} is not installed; install the package {kind.packages[name]} "
            f"({installed})"
        )
    guess = did_you_mean(name, names)
    if not guess and (meant := closest(name, kind.packages)):
        guess = f"; did you mean {meant!r}, which comes with the package {kind.packages[meant]}?"
    return UnknownBackendError(f"{said}: no installed package offers the {kind.noun} {name!r}{guess} ({installed})")


def _duplicate(kind: _Kind[Any], name: str, offers: list[InstalledPlugin], said: str) -> ConfigError:
    first = offers[0].distribution
    if all(plugin.distribution == first for plugin in offers):
        values = " and ".join(plugin.value for plugin in offers)
        return DuplicatePluginError(
            f"{said}: {offers[0]} offers the {kind.noun} {name!r} twice, as {values}; report it to its authors"
        )
    return DuplicatePluginError(
        f"{said}: the {kind.noun} {name!r} is offered by {_and(offers)}; say which with "
        f'distribution = "{first}" in [{kind.table}.{name}], or uninstall the others'
    )


def _and(plugins: list[InstalledPlugin]) -> str:
    return " and ".join(str(plugin) for plugin in plugins)


def _import(kind: _Kind[Descriptor], plugin: InstalledPlugin, said: str) -> LoadedPlugin[Descriptor]:
    descriptor = _descriptors.get(plugin)
    if descriptor is None:
        # Nothing is locked while a plugin is imported: its module could wait for a thread that waits for the lock.
        # Python imports a module once, however many threads get here.
        descriptor = _checked(kind, plugin, _value(kind, plugin, said), said)
        _descriptors[plugin] = descriptor
    return LoadedPlugin(
        name=plugin.name,
        descriptor=descriptor,
        distribution=plugin.distribution,
        version=plugin.version,
        value=plugin.value,
    )


def _value(kind: _Kind[Any], plugin: InstalledPlugin, said: str) -> object:
    try:
        return plugin.entry_point.load()
    except (Exception, SystemExit) as error:  # whatever a module may raise, and a script that ends the program
        remedy = _foreign_core(error) or f"reinstall or upgrade {plugin.distribution}"
        text = f": {error}" if str(error) else ""
        raise PluginLoadError(
            f"{_cannot_load(kind, plugin, said)} raised {type(error).__name__}{text}; {remedy}"
        ) from error


def _cannot_load(kind: _Kind[Any], plugin: InstalledPlugin, said: str) -> str:
    return (
        f"{said}: the {kind.noun} {plugin.name!r} cannot be loaded: the entry point "
        f"{plugin.name} = {plugin.value} of {plugin} (group {plugin.group})"
    )


def _foreign_core(error: BaseException) -> str | None:
    """What to do when a plugin misses something in ``sessionkit`` itself; None for any other failure.

    A package of another origin is called ``sessionkit`` too: installing it replaces files of this core without a
    word, and uninstalling it deletes them.
    """
    if not isinstance(error, ImportError) or (error.name or "").partition(".")[0] != "sessionkit":
        return None
    import importlib_metadata

    try:
        foreign = importlib_metadata.distribution("sessionkit")
    except importlib_metadata.PackageNotFoundError:
        return (
            "the installed sessionkit-core lacks it: it is too old, or another package has overwritten or deleted its "
            "files; upgrade or reinstall it (pip install --upgrade --force-reinstall sessionkit-core)"
        )
    return (
        f"a foreign package, sessionkit {identify(foreign)[1]}, has overwritten files of sessionkit-core; uninstall "
        f"sessionkit, then reinstall sessionkit-core (pip install --force-reinstall sessionkit-core)"
    )


def _checked(kind: _Kind[Descriptor], plugin: InstalledPlugin, value: object, said: str) -> Descriptor:
    broken = _cannot_load(kind, plugin, said)
    remedy = f"upgrade {plugin.distribution} or report it to its authors"
    if not isinstance(value, kind.descriptor):
        raise PluginLoadError(f"{broken} names a {type(value).__name__}, not a {kind.descriptor.__name__}; {remedy}")
    if value.api_version > API_VERSION:
        raise PluginVersionError(
            f"{said}: the {kind.noun} {plugin.name!r} of {plugin} is written for version {_dotted(value.api_version)} "
            f"of the plugin API, this core has {_dotted(API_VERSION)}; upgrade sessionkit-core, or install an older "
            f"{plugin.distribution}"
        )
    if not (isinstance(value.options, type) and attrs.has(value.options)):
        raise PluginLoadError(f"{broken} has options that are not an attrs class; {remedy}")
    if any(attribute.alias == "distribution" for attribute in attrs.fields(value.options)):
        raise PluginLoadError(f"{broken} has an option called distribution, a key that has a meaning already; {remedy}")
    return value


def _dotted(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
