"""The layers that environment variables make.

``SESSIONKIT_URL`` is one; the others together are a second one below it. An empty variable is one that is not set.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from sessionkit.config.layers import Layer, Said, url_layer
from sessionkit.errors import ConfigError
from sessionkit.plugins.discovery import installed_backends
from sessionkit.plugins.suggestions import did_you_mean

PREFIX: Final = "SESSIONKIT_"
_CORE: Final = (
    "SESSIONKIT_BACKEND",
    "SESSIONKIT_CONFIG",
    "SESSIONKIT_EXTENSIONS",
    "SESSIONKIT_ON_WRITE_ERROR",
    "SESSIONKIT_URL",
)
_EXTENSION: Final = "EXTENSION__"

# Kubernetes gives every container variables that are named after the services of its namespace, and a service may
# well be called sessionkit or sessionkit-redis.
_KUBERNETES: Final = re.compile(r".*_(SERVICE_HOST|SERVICE_PORT(_[A-Z0-9_]+)?|PORT_[0-9]+_(TCP|UDP|SCTP)(_[A-Z]+)?)")


def environment_layers(environ: Mapping[str, str], base: Path | None) -> list[Layer]:
    """What the environment says, the layer that counts more first.

    Raises:
        ConfigError: a variable that means nothing, or a URL that is none. No value is quoted.
    """
    variables = {name: value for name in environ if name.startswith(PREFIX) and (value := environ[name])}
    values: dict[str, Said] = {}
    backends: dict[str, dict[str, Said]] = {}
    extension: dict[str, dict[str, Said]] = {}
    for name, value in sorted(variables.items()):
        said = Said(value=value, where=variable(name), base=base, text=True)
        if name in _CORE:
            values[name.removeprefix(PREFIX).lower()] = said
            continue
        plugin, separator, option = name.removeprefix(PREFIX).partition("__")
        tables = backends
        if f"{plugin}__" == _EXTENSION and "__" in option:
            tables = extension
            plugin, _, option = option.partition("__")
        if plugin and separator and option:
            tables.setdefault(plugin.lower().replace("_", "-"), {})[option.lower()] = said
        elif not _from_kubernetes(name, value):
            raise ConfigError(f"{variable(name)}: it means nothing to sessionkit{_guess(name)}")
    values.pop("config", None)
    layers = []
    if url := values.pop("url", None):
        layers.append(url_layer(url.value, url.where, base))
    if "extensions" in values:
        names = [name.strip() for name in variables["SESSIONKIT_EXTENSIONS"].split(",")]
        values["extensions"] = Said(value=names, where=variable("SESSIONKIT_EXTENSIONS"), base=base)
    layers.append(Layer(where="environment", values=values, backends=backends, extension=extension, shared=False))
    return layers


def variable(name: str) -> str:
    """A variable as the place where something was said."""
    return f"environment variable {name}"


def _from_kubernetes(name: str, value: str) -> bool:
    return bool(_KUBERNETES.fullmatch(name)) or (
        name.endswith("_PORT") and value.startswith(("tcp://", "udp://", "sctp://"))
    )


def _guess(name: str) -> str:
    for plugin in installed_backends():
        prefix = f"{PREFIX}{plugin.name.upper().replace('-', '_')}_"
        if name.startswith(prefix) and name != prefix:
            return f"; did you mean '{prefix}_{name.removeprefix(prefix)}' (two underscores after the backend)?"
    return did_you_mean(name, _CORE) or f" (known: {', '.join(_CORE)} and {PREFIX}<BACKEND>__<OPTION>)"
