"""Credential providers: where user name and password come from when they change while a program runs.

Cloud services hand out tokens that end after minutes, and vaults rotate passwords. A provider of redis-py is asked
for each new connection. It is an object of the program, or named in the configuration.
"""

from __future__ import annotations

import importlib
from typing import Any, Final

from redis.credentials import CredentialProvider, StreamingCredentialProvider
from redis.exceptions import ConnectionError, RedisError

from sessionkit.errors import ConfigError

GROUP: Final = "sessionkit_redis.credentials"
"""The entry-point group in which packages offer providers by a name."""


def provider(wanted: Any) -> CredentialProvider | None:
    """The provider for what the option says.

    Args:
        wanted: None; a provider; or the name of one, as ``package.module:attribute`` or as an entry point of the group
            ``sessionkit_redis.credentials``. What is named is a provider, or is called without arguments and makes one.

    Raises:
        ConfigError: there is nothing of this name, or it is no provider.
    """
    if wanted is None:
        return None
    found = _named(wanted) if isinstance(wanted, str) else wanted
    if not _is_provider(found) and callable(found):
        found = _made(found, wanted)
    if not _is_provider(found):
        raise ConfigError(
            f"credential_provider {_shown(wanted)} is no credential provider: it has no method get_credentials, nor "
            "does calling it make one that has"
        )
    # A streaming one renews the credentials of open connections; the driver knows it by its class.
    return found if isinstance(found, StreamingCredentialProvider) else _Guarded(found)


class _Guarded(CredentialProvider):
    """Whatever a provider raises is told as a connection that could not be made, which is tried again."""

    def __init__(self, inner: Any) -> None:
        self._inner = inner

    def get_credentials(self) -> Any:
        try:
            return self._inner.get_credentials()
        except RedisError:
            raise
        except Exception as error:  # code of the program or of a cloud; its text may quote a token
            kind = type(error).__name__
            raise ConnectionError(f"the credential provider raised {kind}") from error


def _is_provider(candidate: object) -> bool:
    return not isinstance(candidate, type) and callable(getattr(candidate, "get_credentials", None))


def _named(name: str) -> Any:
    module, colon, attribute = name.partition(":")
    if not colon:
        return _entry_point(name)
    try:
        found: Any = importlib.import_module(module)
        for part in attribute.split("."):
            found = getattr(found, part)
    except Exception as error:  # whatever a module raises when it is imported
        raise _unusable(name, error) from error
    return found


def _entry_point(name: str) -> Any:
    from importlib.metadata import entry_points

    offers = list(entry_points(group=GROUP, name=name))
    if not offers:
        raise ConfigError(
            f"credential_provider {name!r}: no installed package offers it (entry-point group {GROUP}); for an object "
            "of a module, write package.module:attribute"
        )
    try:
        return offers[0].load()
    except Exception as error:  # whatever a module raises when it is imported
        raise _unusable(name, error) from error


def _made(factory: Any, wanted: object) -> Any:
    try:
        return factory()
    except Exception as error:  # code of the program
        raise _unusable(wanted, error) from error


def _unusable(wanted: object, error: Exception) -> ConfigError:
    why = (
        f"{type(error).__name__}: {error}" if isinstance(error, (ImportError, AttributeError)) else type(error).__name__
    )
    return ConfigError(f"credential_provider {_shown(wanted)} cannot be used: {why}")


def _shown(wanted: object) -> str:
    return repr(wanted) if isinstance(wanted, str) else f"(of the type {type(wanted).__name__})"
