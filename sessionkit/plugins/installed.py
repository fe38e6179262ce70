"""Which plugins are installed: the entry points of every distribution, scanned once, imported never.

The groups are ``sessionkit.backends``, ``sessionkit.extensions`` and ``sessionkit.commands`` (subcommands of the
command). A group belongs to one major version of the plugin API; a later version gets a group of its own, such as
``sessionkit.backends.v2``.
"""

from __future__ import annotations

import importlib
import logging
import os
import re
import threading
from collections.abc import Iterator
from typing import Any, Final

import attrs

from sessionkit.plugins.urls import NAME_PATTERN

_log = logging.getLogger("sessionkit.plugins")

BACKENDS: Final = "sessionkit.backends"
EXTENSIONS: Final = "sessionkit.extensions"
COMMANDS: Final = "sessionkit.commands"
_GROUPS = re.compile(rf"({'|'.join(map(re.escape, (BACKENDS, EXTENSIONS, COMMANDS)))})(\.v[0-9]+)?")

_UNKNOWN: Final = "unknown"


@attrs.frozen(kw_only=True)
class InstalledPlugin:
    """An entry point as an installed distribution declares it; nothing of it is imported.

    Attributes:
        name: the name in configuration.
        group: the entry-point group.
        distribution: the distribution that declares it, ``"unknown"`` when its metadata cannot be read.
        version: the version of that distribution.
        value: what it points at, such as ``sessionkit_jsonl:plugin``.
        entry_point: the entry point itself.
    """

    name: str
    group: str
    distribution: str
    version: str
    value: str
    entry_point: Any = attrs.field(repr=False, eq=False)

    def __str__(self) -> str:
        return f"{self.distribution} {self.version}"


_lock = threading.Lock()
_scanned: tuple[InstalledPlugin, ...] | None = None


def _renew_lock() -> None:
    global _lock  # noqa: PLW0603 - a thread that is gone after the fork may have held it
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_lock)


def forget() -> None:
    """Make the next look-up scan the installed distributions again."""
    global _scanned  # noqa: PLW0603 - the cache of this process
    importlib.invalidate_caches()
    with _lock:
        _scanned = None


def installed_backends() -> list[InstalledPlugin]:
    """The backends that are installed, by name; none of them is imported.

    >>> [plugin.name for plugin in installed_backends() if plugin.distribution == "sessionkit-core"]
    ['memory']
    """
    return [plugin for plugin in scan() if plugin.group == BACKENDS]


def installed_extensions() -> list[InstalledPlugin]:
    """The extensions that are installed, by name; none of them is imported."""
    return [plugin for plugin in scan() if plugin.group == EXTENSIONS]


def installed_commands() -> list[InstalledPlugin]:
    """The subcommands that plugins bring, by name; none of them is imported."""
    return [plugin for plugin in scan() if plugin.group == COMMANDS]


def scan() -> tuple[InstalledPlugin, ...]:
    """All plugins, those for later versions of the plugin API too; scanned at the first call."""
    global _scanned  # noqa: PLW0603 - the cache of this process
    found = _scanned
    if found is not None:
        return found
    with _lock:
        if _scanned is None:
            plugins = [plugin for entry_point in _entry_points() if (plugin := _describe(entry_point))]
            _scanned = tuple(sorted(plugins, key=lambda plugin: (plugin.name, plugin.group, plugin.distribution)))
        return _scanned


def identify(distribution: Any) -> tuple[str, str]:
    """Name and version of a distribution, ``"unknown"`` for what its metadata does not tell."""
    try:
        # Distribution.metadata would parse the whole text as a mail, for which it imports 20 ms worth of modules.
        text = distribution.read_text("METADATA") or distribution.read_text("PKG-INFO") or ""
    except Exception:  # metadata can be broken in as many ways as there are installers
        text = ""
    name = re.search(r"^Name:[ \t]*(\S+)", text, re.MULTILINE)
    version = re.search(r"^Version:[ \t]*(\S+)", text, re.MULTILINE)
    return name[1] if name else _UNKNOWN, version[1] if version else _UNKNOWN


def normal_name(distribution: str) -> str:
    """The name of a distribution without what makes no difference: case, and which separators.

    >>> normal_name("My_Backend")
    'my-backend'
    """
    return re.sub(r"[-_.]+", "-", distribution).lower()


def _entry_points() -> Iterator[Any]:
    import importlib_metadata  # 13 ms, so not before a plugin is looked for

    try:
        found = list(importlib_metadata.entry_points())
    except Exception:  # one distribution, perhaps none of ours, has unreadable entry points: find the others' alone
        found = list(_entry_points_one_by_one())
    return (entry_point for entry_point in found if _GROUPS.fullmatch(entry_point.group))


def _entry_points_one_by_one() -> Iterator[Any]:
    import importlib_metadata

    seen = set()
    for distribution in importlib_metadata.distributions():
        name, _ = identify(distribution)
        if name != _UNKNOWN and normal_name(name) in seen:
            continue  # a second copy further down sys.path, which no import reaches
        seen.add(normal_name(name))
        try:
            yield from list(distribution.entry_points)
        except Exception as error:  # whoever wrote this metadata, and however it is broken
            _log.warning("ignoring the entry points of %s: they cannot be read (%s)", name, type(error).__name__)


def _describe(entry_point: Any) -> InstalledPlugin | None:
    name, version = identify(entry_point.dist)
    if not NAME_PATTERN.fullmatch(entry_point.name):
        _log.warning(
            "ignoring the entry point %r of %s %s in the group %s: a name is lower-case letters, digits and single "
            "dashes, and begins with a letter",
            entry_point.name,
            name,
            version,
            entry_point.group,
        )
        return None
    return InstalledPlugin(
        name=entry_point.name,
        group=entry_point.group,
        distribution=name,
        version=version,
        value=entry_point.value,
        entry_point=entry_point,
    )
