"""What a URL says to the backend that it names: its address, read by the backend, and the options of its query."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from sessionkit.config.layers import Layer, Said
from sessionkit.errors import ConfigError
from sessionkit.plugins.descriptors import BackendPlugin
from sessionkit.plugins.discovery import LoadedPlugin
from sessionkit.plugins.urls import StoreURL


def read_url(layer: Layer, url: StoreURL, plugin: LoadedPlugin[BackendPlugin]) -> Mapping[str, Said]:
    """All options that the URL of a layer says.

    Raises:
        ConfigError: the backend cannot read the address, or an option is given by it and in the query too.
    """
    query = layer.backends[url.name]
    address = _address(layer, url, plugin)
    twice = sorted(set(address) & set(query))
    if twice:
        raise ConfigError(
            f"{layer.where}: the {url.name} URL gives the option {twice[0]} in its address and after the ?; leave "
            f"one of them out"
        )
    base = layer.values["backend"].base
    said = {name: Said(value=value, where=layer.where, base=base, text=True) for name, value in address.items()}
    return {**query, **said}


def _address(layer: Layer, url: StoreURL, plugin: LoadedPlugin[BackendPlugin]) -> Mapping[str, Any]:
    read = plugin.descriptor.read_url
    if read is None:
        if url.variant or url.rest not in ("", "//"):
            raise ConfigError(
                f"{layer.where}: the {url.name} backend has no address and no variants; its URL is {url.name}: with "
                f"nothing but options after a ?"
            )
        return {}
    try:
        return dict(read(url))
    except ConfigError as error:
        problem = str(error)
    except Exception as error:  # the reader is code of the plugin; its text may quote the URL
        problem = f"{plugin.distribution} {plugin.version} failed to read the {url.name} URL ({type(error).__name__})"
    if any(password in problem for password in _passwords(url)):
        problem = f"the {url.name} URL cannot be read (why is not shown, because it quotes the password)"
    raise ConfigError(f"{layer.where}: {problem}")


def _passwords(url: StoreURL) -> set[str]:
    """What stands between the first ``:`` and the last ``@`` of the authority, as written and decoded."""
    match = re.match(r"//[^:@]*:(.*)@", url.rest, re.DOTALL)
    return {match[1], unquote(match[1])} - {""} if match else set()
