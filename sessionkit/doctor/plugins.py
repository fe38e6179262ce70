"""What is installed: which plugins there are, which of them are broken, and which do not fit together."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Final

import sessionkit
from sessionkit.doctor.hearing import hearing
from sessionkit.errors import ConfigError
from sessionkit.findings import Finding
from sessionkit.hookspecs import API_VERSION
from sessionkit.plugins.discovery import KNOWN_BACKENDS, InstalledPlugin, refresh, try_load
from sessionkit.plugins.installed import BACKENDS, COMMANDS, EXTENSIONS, normal_name, scan

_LOGGER: Final = "sessionkit.plugins"
_NOUNS: Final = {BACKENDS: "backend", EXTENSIONS: "extension", COMMANDS: "command"}


def check_plugins(chosen: Collection[tuple[str, str]] = ()) -> Iterator[Finding]:
    """Each installed plugin. All of them are imported.

    Args:
        chosen: name and value of those that the configuration uses; a broken one among them is a problem, another
            one hurts nobody and is a warning.
    """
    refresh()
    with hearing(_LOGGER) as heard:
        plugins = scan()
    for line in heard:
        yield Finding.warning("entry point", line, "upgrade that distribution or report it to its authors")
    for plugin in sorted(plugins, key=lambda plugin: plugin.group):
        yield _state(plugin, is_chosen=(plugin.name, plugin.value) in chosen)
    yield from _twice(plugins)
    yield from _other_versions(plugins)


def _state(plugin: InstalledPlugin, *, is_chosen: bool) -> Finding:
    noun = _NOUNS.get(plugin.group)
    if noun is None:
        return Finding.warning(
            f"{plugin.group} {plugin.name}",
            f"{plugin} is written for a later plugin API than this core's, and is passed over",
            f"upgrade sessionkit-core, or install an older {plugin.distribution}",
        )
    check = f"{noun} {plugin.name}"
    failure, api = _loaded(plugin)
    if not failure:
        return Finding.ok(check, f"{plugin}{api}")
    advice = f"reinstall, upgrade or uninstall {plugin.distribution}"
    return Finding.problem(check, failure, advice) if is_chosen else Finding.warning(check, failure, advice)


def _loaded(plugin: InstalledPlugin) -> tuple[str, str]:
    """Why a plugin cannot be imported, and which plugin API it was written for when it is not the present one."""
    if plugin.group == COMMANDS:
        try:
            plugin.entry_point.load()
        except (Exception, SystemExit) as error:  # whatever a module may raise
            cause = f"{type(error).__name__}: {error}"
            return f"the entry point {plugin.name} = {plugin.value} of {plugin} raised {cause}", ""
        return "", ""
    loaded = try_load(plugin)
    if isinstance(loaded, ConfigError):
        return str(loaded), ""
    version = loaded.descriptor.api_version
    return (
        "",
        "" if version == API_VERSION else f", written for version {'.'.join(map(str, version))} of the plugin API",
    )


def _twice(plugins: Collection[InstalledPlugin]) -> Iterator[Finding]:
    offers: dict[tuple[str, str], list[InstalledPlugin]] = defaultdict(list)
    for plugin in plugins:
        offers[plugin.group, plugin.name].append(plugin)
    for (group, name), found in offers.items():
        if len({(plugin.distribution, plugin.value) for plugin in found}) > 1:
            yield Finding.warning(
                f"{_NOUNS.get(group, group)} {name}",
                f"it is offered by {' and '.join(map(str, found))}",
                "uninstall the others, or say which with the key distribution in the plugin's table",
            )


def _other_versions(plugins: Collection[InstalledPlugin]) -> Iterator[Finding]:
    """All distributions of this project are released together."""
    ours = {normal_name(name) for name in KNOWN_BACKENDS.values()}
    found = {plugin.distribution: plugin.version for plugin in plugins if normal_name(plugin.distribution) in ours}
    for distribution, version in found.items():
        if version != sessionkit.__version__:
            yield Finding.warning(
                "versions",
                f"{distribution} {version} stands beside sessionkit-core {sessionkit.__version__}; they are released "
                "together, and only equal versions are tested with each other",
                f"pip install --upgrade sessionkit-core {distribution}",
            )
