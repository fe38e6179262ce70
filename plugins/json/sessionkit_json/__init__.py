"""The ``json`` backend of sessionkit: one JSON document per session, kept in memory and written by ``save``."""

from __future__ import annotations

try:
    from sessionkit.plugins import BackendPlugin, Capability, read_path
except ImportError as error:
    raise ImportError(
        "sessionkit_json needs the package sessionkit of the distribution sessionkit-core, and found none or another: "
        "a stranger's distribution, which is called sessionkit, overwrites it. Uninstall that one (pip uninstall "
        "sessionkit), then reinstall sessionkit-core"
    ) from error

from sessionkit_json.manager import SessionManager
from sessionkit_json.options import JsonOptions

__all__ = ["JsonOptions", "SessionManager", "plugin"]


def _make(options: JsonOptions) -> SessionManager:
    return SessionManager(options.path, autosave=options.autosave)


plugin = BackendPlugin(
    options=JsonOptions,
    factory=_make,
    read_url=read_path,
    capabilities={Capability.PERSISTENT},
    api_version=(1, 1),
)
