"""What an entry point of the groups ``sessionkit.backends`` and ``sessionkit.extensions`` names."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import attrs

from sessionkit.hookspecs import API_VERSION, Backend
from sessionkit.plugins.urls import StoreURL


class Capability(enum.StrEnum):
    """What a backend promises beyond the meaning of its hooks. The conformance suite holds it to that."""

    PERSISTENT = "persistent"
    """What was saved is there when the store is opened again."""

    DURABLE = "durable"
    """A write is on stable storage when it returns."""

    MULTI_PROCESS = "multi-process"
    """Several processes may write to the same sessions at once."""

    EXPIRY = "expiry"
    """Sessions can end by themselves."""


def _capabilities(values: Iterable[Capability]) -> frozenset[Capability]:
    return frozenset(values)


@attrs.frozen(kw_only=True)
class NoOptions:
    """The options of a plugin that has none."""


@attrs.frozen(kw_only=True)
class BackendPlugin:
    """Describes a backend. An entry point's value is one of these.

    Attributes:
        options: the class of its options (see :mod:`sessionkit.plugins.options`).
        factory: makes the backend of checked options. It raises what goes wrong (``BackendUnavailableError``, …).
        read_url: reads a URL into options; None when the backend has none beyond those of the query.
        capabilities: what it promises.
        shares_options_of: another name of the same backend: what is configured for that name counts for this one
            too, such as ``[backends.redis]`` for a URL that begins with ``valkey:``.
        api_version: the version of the plugin API that it was written for. One that does not say is of the first:
            it may lack what came later.

    >>> from sessionkit.memory import plugin
    >>> plugin.options.__name__
    'NoOptions'
    """

    options: type[Any] = NoOptions
    factory: Callable[[Any], Backend]
    read_url: Callable[[StoreURL], Mapping[str, Any]] | None = None
    capabilities: frozenset[Capability] = attrs.field(default=(), converter=_capabilities)
    shares_options_of: str | None = None
    api_version: tuple[int, int] = (1, 0)


@attrs.frozen(kw_only=True)
class ExtensionPlugin:
    """Describes an extension: an observer (an object with hook wrappers) or a :class:`Transform`.

    Attributes:
        options: the class of its options.
        factory: makes the extension of checked options.
        api_version: the version of the plugin API that it was written for.
    """

    options: type[Any] = NoOptions
    factory: Callable[[Any], object]
    api_version: tuple[int, int] = API_VERSION
