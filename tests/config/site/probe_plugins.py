"""Plugins with options of every kind, for the tests of configuration. They are configured and never opened."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal
from urllib.parse import unquote

import attrs
import msgspec

from sessionkit.errors import ConfigError
from sessionkit.plugins import BackendPlugin, ExtensionPlugin, StoreURL, directory_option, option, read_path

if TYPE_CHECKING:
    from nowhere import Missing  # type: ignore[import-not-found]


class Client:
    """An object that only a program can hand over."""


@attrs.frozen(kw_only=True)
class ProbeOptions:
    path: Path = directory_option(help="where the files are")
    durability: Literal["always", "interval", "os"] = option(default="always")
    retries: Annotated[int, msgspec.Meta(ge=1)] = option(default=3)
    interval: Annotated[float, msgspec.Meta(gt=0, le=60)] = option(default=1.0)
    fsync: bool = option(default=True)
    label: str | None = option(default=None)
    ttl: int | None = option(default=None)
    cache: Path | None = option(default=None)
    client: Client | None = option(default=None)
    tags: list[str] = option(default=attrs.Factory(list))


def check_even(instance: object, attribute: attrs.Attribute[Any], value: int) -> None:
    if value % 2:
        raise ValueError(f"{attribute.name} is {value}, which is odd")


@attrs.frozen(kw_only=True)
class StrictOptions:
    even: int = option(default=0, validator=check_even)


@attrs.frozen(kw_only=True)
class VaultOptions:
    address: str = option(help="host and port of the server")
    password: Annotated[str, msgspec.Meta(min_length=8)] | None = option(default=None, secret=True)
    database: int = option(default=0, validator=check_even)


@attrs.frozen(kw_only=True)
class UnreadableOptions:
    missing: Missing = option(default=None)


@attrs.frozen(kw_only=True)
class StampOptions:
    text: str = option(default="stamped")
    width: int = option(default=8)


@attrs.frozen(kw_only=True)
class ShadeOptions:
    key: str = option(secret=True)


def read_vault(url: StoreURL) -> Mapping[str, Any]:
    """Read ``vault://:PASSWORD@HOST/DATABASE``, and fail in the ways in which readers fail."""
    userinfo, _, address = url.rest.removeprefix("//").rpartition("@")
    host, _, database = address.partition("/")
    password = unquote(userinfo.partition(":")[2])
    if host == "leaky":
        raise ConfigError(f"cannot use the password {password}")
    if host == "buggy":
        raise RuntimeError(url.rest)
    if not host:
        raise ConfigError("the vault URL names no host")
    options = {"address": host, "password": password, "database": database}
    return {name: value for name, value in options.items() if value}


def _make(options: object) -> Any:
    raise AssertionError("the tests of configuration open nothing")


probe = BackendPlugin(options=ProbeOptions, factory=_make, read_url=read_path)
twin = attrs.evolve(probe, shares_options_of="probe")
vault = BackendPlugin(options=VaultOptions, factory=_make, read_url=read_vault)
strict = BackendPlugin(options=StrictOptions, factory=_make)
unreadable = BackendPlugin(options=UnreadableOptions, factory=_make)
stamp = ExtensionPlugin(options=StampOptions, factory=_make)
shade = ExtensionPlugin(options=ShadeOptions, factory=_make)
