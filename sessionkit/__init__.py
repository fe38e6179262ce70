"""sessionkit keeps the conversation history of LLM agents; where and how is configuration.

The names below are the public API. They load when they are first used, so that ``import sessionkit`` costs
next to nothing; type checkers read them in ``__init__.pyi``.
"""

from __future__ import annotations

import importlib

__version__ = "0.1.0"

_HOMES = {
    "sessionkit.aio": ("AsyncSessionStore", "open_async_store"),
    "sessionkit.damage": ("Damage",),
    "sessionkit.errors": (
        "AmbiguousAliasError",
        "BackendUnavailableError",
        "ConfigError",
        "CorruptSessionError",
        "DecodeError",
        "DuplicatePluginError",
        "FormatError",
        "HeldWrite",
        "HeldWritesFullError",
        "InvalidKeyError",
        "InvalidMessageError",
        "MessageTooLargeError",
        "MissingTransformError",
        "OutcomeUnknownError",
        "PluginLoadError",
        "PluginVersionError",
        "SessionExistsError",
        "SessionKitError",
        "SessionNotFoundError",
        "StoreClosedError",
        "StoreError",
        "UnknownBackendError",
        "UnsupportedOperationError",
        "VersionConflict",
        "WriteFailedError",
    ),
    "sessionkit.findings": ("Finding", "Level"),
    "sessionkit.hookspecs": ("Backend", "hookimpl"),
    "sessionkit.messages": ("Attachment", "FunctionCall", "Message", "SystemPart", "ToolCall"),
    "sessionkit.plugins.descriptors": ("BackendPlugin", "Capability", "ExtensionPlugin", "NoOptions"),
    "sessionkit.plugins.options": ("directory_option", "option"),
    "sessionkit.plugins.transforms": ("Encoded", "Transform"),
    "sessionkit.plugins.urls": ("StoreURL", "read_path"),
    "sessionkit.sessions": (
        "ABSENT",
        "UNCHANGED",
        "Heading",
        "HeadingPage",
        "History",
        "Session",
        "SessionInfo",
        "SessionPage",
        "Sifted",
        "Version",
    ),
    "sessionkit.sieve": ("Sieve",),
    "sessionkit.store": ("SessionStore", "open_store"),
    "sessionkit.store.searching": ("Match",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}

__all__ = [  # noqa: PLE0604 - the table above holds the names once
    "__version__",
    *_HOME_OF,
]


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
