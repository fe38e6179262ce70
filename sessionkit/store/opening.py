"""``open_store``: from configuration to an open store."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sessionkit.config import Configuration, resolve
from sessionkit.store.facade import SessionStore
from sessionkit.store.runtime import Recipe
from sessionkit.store.writes import OnWriteError


def open_store(
    source: str | Mapping[str, Any] | None = None,
    *,
    on_write_error: OnWriteError | None = None,
    extensions: Sequence[str] | None = None,
) -> SessionStore:
    """Open the store that the configuration names.

    Args:
        source: a URL such as ``jsonl:///var/lib/bot``, or a mapping with the shape of ``sessionkit.toml``. What
            it leaves open comes from the environment, the configuration files and the defaults, in this order.
        on_write_error: ``"log"`` or ``"raise"``: what becomes of writes that fail.
        extensions: the extensions around the backend, outermost first.

    Raises:
        ConfigError: the configuration cannot be used; the error says where what was said.
        StoreError: the storage cannot be opened.

    >>> with open_store("memory:") as store:
    ...     store.get_history("nobody")
    []
    """
    return open_configured(resolve(source, on_write_error=on_write_error, extensions=extensions))


def open_configured(configuration: Configuration) -> SessionStore:
    """Open the store of a configuration that was resolved before."""
    loaded = configuration.plugin
    return SessionStore(
        Recipe(
            name=loaded.name,
            source=f"{loaded.distribution} {loaded.version}",
            backend=partial(loaded.descriptor.factory, configuration.options),
            extensions=[
                (extension.name, partial(extension.plugin.descriptor.factory, extension.options))
                for extension in configuration.extension_plugins
            ],
            on_write_error=configuration.on_write_error.value,
            api_version=loaded.descriptor.api_version,
        )
    )
