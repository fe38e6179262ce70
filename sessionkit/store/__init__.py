"""The facade: ``SessionStore`` and ``open_store``."""

from sessionkit.store.arguments import AnyMessage
from sessionkit.store.facade import SessionStore
from sessionkit.store.opening import open_configured, open_store
from sessionkit.store.writes import OnWriteError

__all__ = ["AnyMessage", "OnWriteError", "SessionStore", "open_configured", "open_store"]
