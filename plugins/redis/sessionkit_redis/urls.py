"""The URLs of the redis backend.

``redis://[user:password@]host[:port][/database]``, ``rediss://`` with TLS, ``redis+unix:///path``,
``redis+cluster://host:port,host:port``, ``redis+sentinel://host:port,host:port/master[/database]``; ``valkey`` and
``valkeys`` in place of ``redis`` and ``rediss``.
"""

from __future__ import annotations

import re
from typing import Any, Final
from urllib.parse import unquote

from sessionkit.errors import ConfigError
from sessionkit.plugins import StoreURL
from sessionkit_redis.options import DEFAULT_PORT

_ADDRESS: Final = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^:\[\]@/]*)(?::([0-9]+))?")
_LOCAL: Final = ("unix", "embedded")
_ENCRYPTED: Final = ("rediss", "valkeys")
_NOWHERE: Final = {
    "mode": "single",
    "host": "localhost",
    "port": DEFAULT_PORT,
    "socket": None,
    "nodes": "",
    "master": "",
    "directory": None,
    "database": 0,
    "username": "",
    "password": "",
    "credential_provider": None,
    "tls": False,
}
_VARIANTS: Final = ("", "unix", "cluster", "sentinel", "embedded")


def read_url(url: StoreURL) -> dict[str, Any]:
    """Read a URL into options. It says all of an address: a password meant for another server does not get in.

    Raises:
        ConfigError: it cannot be meant; what may be a password is not quoted.

    >>> options = read_url(StoreURL.parse("rediss://bot@cache.example/3"))
    >>> options["tls"], options["username"], options["password"], options["host"], options["database"]
    (True, 'bot', '', 'cache.example', '3')
    >>> options = read_url(StoreURL.parse("redis+sentinel://s1,s2:26380/main"))
    >>> options["mode"], options["nodes"], options["master"]
    ('sentinel', 's1,s2:26380', 'main')
    """
    given = _read(url)
    return {**{name: value for name, value in _NOWHERE.items() if name not in url.query}, **given}


def _read(url: StoreURL) -> dict[str, Any]:
    if url.variant not in _VARIANTS:
        hidden = ("", *_LOCAL) if url.name in _ENCRYPTED else ("",)
        known = ", ".join(f"{url.name}+{variant}" for variant in _VARIANTS if variant not in hidden)
        raise ConfigError(f"{url.scheme} is no kind of server; write {url.name} or one of {known}")
    options: dict[str, Any] = {"tls": True} if url.name in _ENCRYPTED else {}
    local = url.variant in _LOCAL
    if local and url.name in _ENCRYPTED:
        raise ConfigError(
            f"{url.scheme} would not be encrypted: a socket of this machine is not; write redis+{url.variant}"
        )
    if url.rest and not url.rest.startswith("//"):
        example = "/path" if local else "localhost"
        raise ConfigError(f"after {url.scheme}: the address begins with //, as in {url.scheme}://{example}")
    authority, slash, path = url.rest[2:].partition("/")
    credentials, _, address = authority.rpartition("@")
    if credentials:
        options |= _credentials(credentials)
    if url.variant == "unix":
        return options | _socket(url, address, slash + path)
    if url.variant == "embedded":
        return options | _embedded(url, address, slash + path)
    if url.variant:
        return options | _nodes(url, address, path)
    if address:
        options |= _host(url, address)
    return options | _database(url, path)


def _credentials(text: str) -> dict[str, str]:
    user, _, password = text.partition(":")
    options = {"username": unquote(user)} if user else {}
    return options | ({"password": unquote(password)} if password else {})


def _host(url: StoreURL, address: str) -> dict[str, Any]:
    match = _ADDRESS.fullmatch(address)
    if match is None:
        raise ConfigError(
            f"the address in the {url.scheme} URL is not host or host:port (for several hosts, write "
            f"{url.name}+cluster or {url.name}+sentinel)"
        )
    options = {"host": unquote(match[1].strip("[]"))} if match[1] else {}
    return options | ({"port": match[2]} if match[2] else {})


def _database(url: StoreURL, path: str) -> dict[str, Any]:
    if not path:
        return {}
    if not path.isascii() or not path.isdigit():
        raise ConfigError(f"after the address in the {url.scheme} URL stands the number of a database, such as /0")
    return {"database": path}


def _socket(url: StoreURL, host: str, path: str) -> dict[str, Any]:
    if host or len(path) < 2:
        raise ConfigError(f"a socket is written as {url.scheme}:///path/to/the.sock")
    return {"socket": unquote(path)}


def _embedded(url: StoreURL, host: str, path: str) -> dict[str, Any]:
    if host or len(path) < 2:
        raise ConfigError(f"the server's directory is written as {url.scheme}:///path/to/directory")
    return {"mode": "embedded", "directory": unquote(path)}


def _nodes(url: StoreURL, addresses: str, path: str) -> dict[str, Any]:
    if not addresses:
        raise ConfigError(f"the {url.scheme} URL names no host; write {url.scheme}://host:port,host:port")
    for address in addresses.split(","):
        _host(url, address)
    options: dict[str, Any] = {"mode": url.variant, "nodes": addresses}
    if url.variant == "cluster":
        if path not in ("", "0"):
            raise ConfigError("a cluster has only the database 0")
        return options
    master, _, database = path.partition("/")
    if not master:
        raise ConfigError(f"after the sentinels stands the name of the master: {url.scheme}://{addresses}/NAME")
    return options | {"master": unquote(master)} | _database(url, database)
