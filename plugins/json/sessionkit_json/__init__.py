"""The ``json`` backend of sessionkit: one JSON document per session, kept in memory and written by ``save``."""

from __future__ import annotations

try:
    from sessionkit.plugins.descriptors import BackendPlugin, Capability
    from sessionkit.plugins.urls import read_path
    from sessionkit.state_backend import StateBackend as _StateBackend  # noqa: F401 - the newest thing needed here
except ImportError as error:
    raise ImportError(
        "sessionkit_json needs the package sessionkit of the distribution sessionkit-core, and found another one or "
        "an older one (a stranger's distribution is called sessionkit, and overwrites it): "
        "pip uninstall sessionkit, then pip install --force-reinstall sessionkit-core"
    ) from error

from sessionkit_json.manager import SessionManager
from sessionkit_json.options import JsonOptions


def _make(options: JsonOptions) -> SessionManager:
    return SessionManager(options.path, autosave=options.autosave)


plugin = BackendPlugin(
    options=JsonOptions,
    factory=_make,
    read_url=read_path,
    capabilities={Capability.PERSISTENT},
)

__all__ = ["JsonOptions", "SessionManager", "plugin"]
