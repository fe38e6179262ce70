"""One PluginManager for each open store, with one backend in it and the observers around it.

Two backends in one manager would both run: a ``firstresult`` call goes on to the next implementation when the
first returns None. So managers are never shared.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pluggy
from msgspec import Struct

from sessionkit.errors import PluginLoadError
from sessionkit.hookspecs import PROJECT, Backend
from sessionkit.plugins.implementations import check_backend
from sessionkit.plugins.observers import guarded


class Assembly(Struct, frozen=True, kw_only=True):
    """A manager whose backend was checked.

    Attributes:
        manager: with the backend and the observers registered.
        implemented: for each hook that the backend implements, the later arguments that it lacks with the
            values that are the same as lacking them.
    """

    manager: pluggy.PluginManager
    implemented: dict[str, dict[str, Any]]


def assemble(
    name: str, backend: object, api_version: tuple[int, int], observers: Sequence[tuple[str, object]] = ()
) -> Assembly:
    """Check a backend and its observers and put them together.

    Args:
        name: the backend's name in the configuration.
        backend: what its factory made.
        api_version: the version of the plugin API that it was written for.
        observers: names and observers, the outermost first.

    Raises:
        PluginLoadError: one of them does not fit the hooks.
    """
    implemented = check_backend(f"backend {name!r}", backend, api_version)
    guards = [(observer_name, guarded(observer_name, observer)) for observer_name, observer in observers]
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Backend)
    try:
        manager.register(backend, name=f"backend {name}")
        # The wrapper that was registered last is the outermost.
        for observer_name, guard in reversed(guards):
            manager.register(guard, name=f"extension {observer_name}")
        manager.check_pending()
    except (pluggy.PluginValidationError, ValueError) as error:
        raise PluginLoadError(f"backend {name!r} does not fit the hooks: {error}") from error
    return Assembly(manager=manager, implemented=implemented)
